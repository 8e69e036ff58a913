"""The Laplace kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from wowbench.kernels.base import Kernel
from wowbench.parameters import Bandwidth
from wowbench.registry import KERNELS

if TYPE_CHECKING:
    from torch import Tensor


@KERNELS.register
class Laplace(Kernel):
    """K = exp(-SW_1 / h).

    Parameters
    ----------
    h : float
        Bandwidth, a length, > 0.
    """

    name: ClassVar[str] = "laplace"
    summary: ClassVar[str] = "K = exp(-SW_1 / h)"
    p: ClassVar[int] = 1
    conditionally_positive_definite: ClassVar[bool] = True

    h: Bandwidth

    def value(self, cost: Tensor) -> Tensor:  # noqa: D102
        import torch

        return torch.exp(-cost / self.h)

    def derivative(self, cost: Tensor) -> Tensor:  # noqa: D102
        return -self.value(cost) / self.h
