"""M3D: dataset condensation by the MMD of each class."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from wowbench.methods.dm import DM
from wowbench.registry import METHODS

if TYPE_CHECKING:
    from torch import Tensor

    from wowbench.functionals.base import Functional


@METHODS.register
class M3D(DM):
    """Descent of the MMD, with a Gaussian kernel, between synthetic and real classes.

    Zhang et al. (AAAI 2024, arXiv:2312.15927): DM with all moments of the features in place of
    their means. What they add to the objective, several images in the place of one and several
    steps with one random network, is not here; scenarios, step size and momentum are those of
    `wowbench.methods.dm.DM`, as is the plain gradient of the sum over classes. The kernel is
    bounded, so that steps are shorter than those of DM at the same step size, by the order of the
    mean squared distance of two images.
    """

    name: ClassVar[str] = "m3d"
    summary: ClassVar[str] = "distribution matching by the MMD of the features of each class"

    def functional(self, target: Tensor) -> Functional:
        """Squared MMDs of classes, summed over classes, and their plain gradient."""
        from wowbench.functionals.kernel_matching import KernelMatching
        from wowbench.functionals.wrappers import PlainGradient

        return PlainGradient(KernelMatching(target))
