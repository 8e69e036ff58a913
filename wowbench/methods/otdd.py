"""OTDD: a flow of the optimal transport dataset distance."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from wowbench.methods.gaussian_labels import GaussianLabelMethod
from wowbench.parameters import Decay, StepSize
from wowbench.registry import METHODS

if TYPE_CHECKING:
    from torch import Tensor

    from wowbench.flows.loop import Step
    from wowbench.functionals.label_gaussians import ClassGaussians


@METHODS.register
class OTDDFlow(GaussianLabelMethod):
    """Flow of the entropic optimal transport dataset distance by AdamW.

    Alvarez-Melis and Fusi (2021), as the baseline of Bonet, Vauthier and Korba (2025), Table 2.

    Parameters
    ----------
    epsilon : float
        Entropic regularisation, in standard deviations of the cost.
    lr, weight_decay : float
        Of AdamW, on images, means and covariances alike.
    squared_labels : bool
        Whether the label rule takes squared Bures-Wasserstein distances in place of distances.
    steps : int
        Number of steps.
    """

    name: ClassVar[str] = "otdd"
    summary: ClassVar[str] = "flow of the optimal transport dataset distance, by Sinkhorn and AdamW"
    deterministic: ClassVar[bool] = True
    metrics: ClassVar[tuple[str, ...]] = ("sinkhorn_error", "sinkhorn_failures", "raised")

    epsilon: float = Field(0.05, ge=1e-6, le=1e6)
    lr: StepSize = 1e-3
    weight_decay: Decay = 1e-4

    def make_step(self, target: Tensor, labels: ClassGaussians) -> Step:
        """Return a step of AdamW on OTDD."""
        from wowbench.functionals.otdd import OTDD, OTDDStep

        functional = OTDD(target, labels.mean, labels.cov, epsilon=self.epsilon)
        return OTDDStep(functional, lr=self.lr, weight_decay=self.weight_decay)
