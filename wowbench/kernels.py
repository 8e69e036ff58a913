"""Kernels between class distributions that depend on a sliced-Wasserstein distance alone.

A kernel is two functions of the cost ``SW_p^p``: its value and its derivative. A new one is a
frozen dataclass with the class attributes `name` and `p` and these two methods, entered in
`KERNELS`; nothing else in the package knows the formulas.

Kernels of Bonet, Vauthier and Korba, *Flowing Datasets with Wasserstein over Wasserstein Gradient
Flows* (ICML 2025), section 4 and appendix D.2.
"""

import math
from dataclasses import dataclass
from typing import ClassVar, Protocol

import torch
from torch import Tensor


class Kernel(Protocol):
    """A function of ``cost = SW_p^p(mu, nu)``.

    Attributes
    ----------
    p : {1, 2}
        Power of the cost that `value` and `derivative` are functions of.
    """

    p: ClassVar[int]

    def value(self, cost: Tensor) -> Tensor:
        """Compute K(mu, nu) for costs ``SW_p^p`` of any shape."""

    def derivative(self, cost: Tensor) -> Tensor:
        """Compute the derivative of `value` with respect to the cost; finite at cost 0."""


def _check_positive(kernel: str, argument: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{argument} of the {kernel} kernel is {value!r}; expected a number > 0")


@dataclass(frozen=True)
class Riesz:
    """K = -SW_2^r, the kernel of the paper's experiments (with r = 1).

    Where SW is 0 the kernel has no derivative for r < 2; 0 is taken there, a subgradient.

    Parameters
    ----------
    r : float
        Exponent, in the open interval (0, 2), where the kernel is conditionally positive definite.
    """

    r: float = 1.0
    name: ClassVar[str] = "riesz"
    p: ClassVar[int] = 2

    def __post_init__(self):
        if not 0 < self.r < 2:
            raise ValueError(f"r of the riesz kernel is {self.r!r}; expected a number in (0, 2)")

    def value(self, cost: Tensor) -> Tensor:  # noqa: D102
        return -(cost ** (self.r / 2))

    def derivative(self, cost: Tensor) -> Tensor:  # noqa: D102
        positive = cost > 0
        power = torch.where(positive, cost, 1.0) ** (self.r / 2 - 1)
        return torch.where(positive, (-self.r / 2) * power, 0.0)


@dataclass(frozen=True)
class Gaussian:
    """K = exp(-SW_2^2 / 2h).

    Parameters
    ----------
    h : float
        Bandwidth, a squared length, > 0.
    """

    h: float
    name: ClassVar[str] = "gaussian"
    p: ClassVar[int] = 2

    def __post_init__(self):
        _check_positive(self.name, "h", self.h)

    def value(self, cost: Tensor) -> Tensor:  # noqa: D102
        return torch.exp(cost / (-2 * self.h))

    def derivative(self, cost: Tensor) -> Tensor:  # noqa: D102
        return self.value(cost) / (-2 * self.h)


@dataclass(frozen=True)
class Laplace:
    """K = exp(-SW_1 / h).

    Parameters
    ----------
    h : float
        Bandwidth, a length, > 0.
    """

    h: float
    name: ClassVar[str] = "laplace"
    p: ClassVar[int] = 1

    def __post_init__(self):
        _check_positive(self.name, "h", self.h)

    def value(self, cost: Tensor) -> Tensor:  # noqa: D102
        return torch.exp(-cost / self.h)

    def derivative(self, cost: Tensor) -> Tensor:  # noqa: D102
        return -self.value(cost) / self.h


@dataclass(frozen=True)
class InverseMultiquadric:
    """K = (h + SW_2^2)^(-1/2).

    Parameters
    ----------
    h : float
        Bandwidth, a squared length, > 0.
    """

    h: float
    name: ClassVar[str] = "imq"
    p: ClassVar[int] = 2

    def __post_init__(self):
        _check_positive(self.name, "h", self.h)

    def value(self, cost: Tensor) -> Tensor:  # noqa: D102
        return torch.rsqrt(self.h + cost)

    def derivative(self, cost: Tensor) -> Tensor:  # noqa: D102
        return -0.5 * (self.h + cost) ** -1.5


KERNELS = {cls.name: cls for cls in (Riesz, Gaussian, Laplace, InverseMultiquadric)}
