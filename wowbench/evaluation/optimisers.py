"""Optimisers of a training and their step sizes, as values to be passed around."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from wowbench.geometry.validation import check_positive


@dataclass(frozen=True, kw_only=True)
class Optimiser:
    """Base of all optimisers.

    Each of them acts on every parameter entry by entry, so that it takes the same steps for a
    stack of networks as for each of them alone.

    Attributes
    ----------
    lr : float
        Step size.
    weight_decay : float
        Strength of the decay towards 0, as each optimiser defines it.

    Raises
    ------
    ValueError
        For a number that cannot be used.
    """

    lr: float
    weight_decay: float

    def __post_init__(self):
        check_positive("lr", self.lr)
        if not 0 <= self.weight_decay < math.inf:
            raise ValueError(
                f"weight_decay is {self.weight_decay:g}; expected a number of at least 0"
            )

    def build(self, parameters: Iterable[Tensor]) -> torch.optim.Optimizer:
        """Make the optimiser of some parameters."""
        raise NotImplementedError

    def step_size(self, step: int, steps: int) -> float:
        """Step size of a step, counted from 0, of a training of `steps` steps."""
        return self.lr


@dataclass(frozen=True, kw_only=True)
class AdamW(Optimiser):
    """AdamW (Loshchilov and Hutter, 2019) with betas 0.9 and 0.999 and epsilon 1e-8.

    ``lr * weight_decay`` is the share of a parameter that decays at each step.
    """

    def build(self, parameters: Iterable[Tensor]) -> torch.optim.Optimizer:
        """Make the optimiser of some parameters."""
        return torch.optim.AdamW(
            list(parameters), lr=self.lr, weight_decay=self.weight_decay, fused=True
        )


@dataclass(frozen=True, kw_only=True)
class SGD(Optimiser):
    """Gradient descent with heavy-ball momentum and one drop of the step size.

    At a parameter p of gradient g: ``v <- momentum * v + g + weight_decay * p`` and
    ``p <- p - lr * v``, from v = 0.

    Attributes
    ----------
    momentum : float
        In [0, 1).
    halfway : float
        Factor of the step size from half of the steps on; the velocity v goes on.
    """

    momentum: float = 0.0
    halfway: float = 1.0

    def __post_init__(self):
        super().__post_init__()
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum is {self.momentum:g}; expected a number in [0, 1)")
        check_positive("halfway", self.halfway)

    def build(self, parameters: Iterable[Tensor]) -> torch.optim.Optimizer:
        """Make the optimiser of some parameters."""
        return torch.optim.SGD(
            list(parameters),
            lr=self.lr,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            fused=True,
        )

    def step_size(self, step: int, steps: int) -> float:
        """Step size of a step, counted from 0, of a training of `steps` steps."""
        return self.lr * (self.halfway if 2 * step >= steps else 1)
