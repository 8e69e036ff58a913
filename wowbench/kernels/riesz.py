"""The Riesz kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from wowbench.kernels.base import Kernel
from wowbench.registry import KERNELS

if TYPE_CHECKING:
    from torch import Tensor


@KERNELS.register
class Riesz(Kernel):
    """K = -SW_2^r, the kernel of the paper's experiments (with r = 1).

    Where SW is 0 the kernel has no derivative for r < 2; 0 is taken there, a subgradient.

    Parameters
    ----------
    r : float
        Exponent, in the open interval (0, 2), where the kernel is conditionally positive definite.
    """

    name: ClassVar[str] = "riesz"
    summary: ClassVar[str] = "K = -SW_2^r"
    p: ClassVar[int] = 2
    conditionally_positive_definite: ClassVar[bool] = True

    r: float = Field(1.0, gt=0, lt=2)

    def value(self, cost: Tensor) -> Tensor:  # noqa: D102
        return -(cost ** (self.r / 2))

    def derivative(self, cost: Tensor) -> Tensor:  # noqa: D102
        import torch

        positive = cost > 0
        power = torch.where(positive, cost, 1.0) ** (self.r / 2 - 1)
        return torch.where(positive, (-self.r / 2) * power, 0.0)
