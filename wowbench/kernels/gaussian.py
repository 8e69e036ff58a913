"""The Gaussian kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from wowbench.kernels.base import Kernel
from wowbench.parameters import Bandwidth
from wowbench.registry import KERNELS

if TYPE_CHECKING:
    from torch import Tensor


@KERNELS.register
class Gaussian(Kernel):
    """K = exp(-SW_2^2 / 2h).

    Parameters
    ----------
    h : float
        Bandwidth, a squared length, > 0.
    """

    name: ClassVar[str] = "gaussian"
    summary: ClassVar[str] = "K = exp(-SW_2^2 / 2h)"
    p: ClassVar[int] = 2
    conditionally_positive_definite: ClassVar[bool] = True

    h: Bandwidth

    def value(self, cost: Tensor) -> Tensor:  # noqa: D102
        import torch

        return torch.exp(cost / (-2 * self.h))

    def derivative(self, cost: Tensor) -> Tensor:  # noqa: D102
        return self.value(cost) / (-2 * self.h)
