"""OTDD: a flow of the optimal transport dataset distance."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from wowbench.methods.flow_method import SchemeField
from wowbench.methods.gaussian_labels import GaussianLabelFlow
from wowbench.registry import METHODS
from wowbench.schemes.adamw import AdamW

if TYPE_CHECKING:
    from torch import Tensor

    from wowbench.functionals.base import Functional
    from wowbench.functionals.label_gaussians import ClassGaussians


@METHODS.register
class OTDDFlow(GaussianLabelFlow):
    """Flow of the entropic optimal transport dataset distance by AdamW.

    Alvarez-Melis and Fusi (2021), as the baseline of Bonet, Vauthier and Korba (2025), Table 2.

    Parameters
    ----------
    epsilon : float
        Entropic regularisation, in standard deviations of the cost.
    """

    name: ClassVar[str] = "otdd"
    summary: ClassVar[str] = "flow of the optimal transport dataset distance, by Sinkhorn and AdamW"
    deterministic: ClassVar[bool] = True
    metrics: ClassVar[tuple[str, ...]] = (
        *GaussianLabelFlow.metrics,
        "sinkhorn_error",
        "sinkhorn_failures",
        "raised",
    )

    epsilon: float = Field(0.05, ge=1e-6, le=1e6)
    scheme: SchemeField = AdamW(lr=1e-3, weight_decay=1e-4)

    def functional(self, target: Tensor, labels: ClassGaussians) -> Functional:
        """OTDD to `target`."""
        from wowbench.functionals.otdd import OTDD

        return OTDD(target, labels.mean, labels.cov, epsilon=self.epsilon)
