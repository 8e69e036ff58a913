"""The inverse multiquadric kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from wowbench.kernels.base import Kernel
from wowbench.parameters import Bandwidth
from wowbench.registry import KERNELS

if TYPE_CHECKING:
    from torch import Tensor


@KERNELS.register
class InverseMultiquadric(Kernel):
    """K = (h + SW_2^2)^(-1/2).

    Parameters
    ----------
    h : float
        Bandwidth, a squared length, > 0.
    """

    name: ClassVar[str] = "imq"
    summary: ClassVar[str] = "K = (h + SW_2^2)^(-1/2)"
    p: ClassVar[int] = 2
    conditionally_positive_definite: ClassVar[bool] = True

    h: Bandwidth

    def value(self, cost: Tensor) -> Tensor:  # noqa: D102
        import torch

        return torch.rsqrt(self.h + cost)

    def derivative(self, cost: Tensor) -> Tensor:  # noqa: D102
        return -0.5 * (self.h + cost) ** -1.5
