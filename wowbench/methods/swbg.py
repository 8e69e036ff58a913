"""The flow of SWBG, a sliced distance with Busemann functions of label Gaussians."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from wowbench.distances.sliced import Directions
from wowbench.methods.gaussian_labels import GaussianLabelFlow
from wowbench.registry import METHODS

if TYPE_CHECKING:
    from torch import Tensor

    from wowbench.functionals.base import Functional
    from wowbench.functionals.label_gaussians import ClassGaussians


@METHODS.register
class SWBGFlow(GaussianLabelFlow):
    """Flow of the squared SWBG distance, in which images carry Gaussians for their class.

    Bonet, Cazelles, Drumetz and Courty (2025, arXiv:2510.04579), with their step size and momentum,
    but with gradients of the WoW geometry: theirs lack the factor of the number of images, so that
    their steps are that many times as short.

    Parameters
    ----------
    n_directions : int
        Number L of directions drawn anew at each step.
    dim : int
        Number p of principal components in which classes are Gaussians; the paper's is 2 or 10.
        With 2 a step has closed forms, otherwise L n C decompositions.
    """

    name: ClassVar[str] = "swbg"
    summary: ClassVar[str] = "flow of SWBG: images on lines, each with a number of its Gaussian"

    n_directions: Directions = 500
    dim: Annotated[int, Field(ge=1, le=100)] = 2

    @property
    def label_dimension(self) -> int:
        """The parameter `dim`."""
        return self.dim

    def functional(self, target: Tensor, labels: ClassGaussians) -> Functional:
        """Squared distance along directions drawn at each step."""
        from wowbench.distances.swbg import SlicedBusemannGaussian
        from wowbench.functionals.swbg import SlicedBusemannGaussians

        distance = SlicedBusemannGaussian(n_directions=self.n_directions, dim=self.dim)
        return SlicedBusemannGaussians(target, labels.mean, labels.cov, distance)
