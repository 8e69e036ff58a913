"""NCFM: dataset distillation by characteristic functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from wowbench.methods.dm import DM
from wowbench.methods.flow_method import SchemeField
from wowbench.parameters import Count
from wowbench.registry import METHODS
from wowbench.schemes.adamw import AdamW

if TYPE_CHECKING:
    from torch import Tensor

    from wowbench.functionals.base import Functional

Weight = Annotated[float, Field(ge=0, le=1)]


@METHODS.register
class NCFM(DM):
    """Descent of the difference of characteristic functions of synthetic and real classes.

    Wang et al. (CVPR 2025), with the numbers of their released configurations: 4,096 Gaussian
    frequencies drawn at each step, amplitude and phase of equal weight, AdamW with step size 0.01
    and weight decay 5e-4. Their paper trains a network that draws frequencies on which the classes
    differ; these configurations do without it, and so does this method. What they add to the
    objective is not here: features of networks between an untrained and a trained one, the
    cross-entropy of a trained network, and several images in the place of one. Scenarios are those
    of `wowbench.methods.dm.DM`, as is the plain gradient of the sum over classes.

    Parameters
    ----------
    n_frequencies : int
        Frequencies of a step.
    amplitude, phase : float
        Weights of the differences of amplitudes and of phases.
    """

    name: ClassVar[str] = "ncfm"
    summary: ClassVar[str] = "characteristic functions of each class, at Gaussian frequencies"

    scheme: SchemeField = AdamW(lr=0.01, weight_decay=5e-4)
    n_frequencies: Count = 4096
    amplitude: Weight = 0.5
    phase: Weight = 0.5

    def functional(self, target: Tensor) -> Functional:
        """Differences of classes, summed over classes, and their plain gradient."""
        from wowbench.functionals.characteristic_matching import CharacteristicMatching
        from wowbench.functionals.wrappers import PlainGradient

        return PlainGradient(
            CharacteristicMatching(
                target, self.n_frequencies, amplitude=self.amplitude, phase=self.phase
            )
        )
