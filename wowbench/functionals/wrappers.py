"""Functionals made of another one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from wowbench.functionals.base import Functional
from wowbench.state import BURES, State


class Noisy(Functional):
    """A functional that is evaluated at points to which noise is added.

    Parameters
    ----------
    functional : Functional
        What is evaluated.
    noise : float
        Standard deviation of the noise on every coordinate. That of a symmetric matrix is the
        symmetric part of such a matrix.

    Raises
    ------
    ValueError
        For a noise that is negative or not finite.
    """

    def __init__(self, functional: Functional, noise: float):
        if not 0 <= noise < math.inf:
            raise ValueError(f"noise is {noise:g}; expected a number of at least 0")
        self.functional = functional
        self.noise = noise
        self.parts, self.capturable = functional.parts, functional.capturable

    def start(self, **parts: Tensor) -> State:
        """Return the state of the functional."""
        return self.functional.start(**parts)

    def value_and_grad(
        self, state: State, generator: torch.Generator | None
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Evaluate the functional at noisy parts."""
        noisy = {
            part: self._add_noise(state[part], generator, symmetric=geometry == BURES)
            for part, geometry in self.parts.items()
        }
        return self.functional.value_and_grad({**state, **noisy}, generator)

    def _add_noise(
        self, points: Tensor, generator: torch.Generator | None, *, symmetric: bool
    ) -> Tensor:
        noise = torch.empty_like(points).normal_(generator=generator)
        if symmetric:
            noise = (noise + noise.mT) / 2
        return noise.mul_(self.noise).add_(points)


class ByClass(Functional):
    r"""Mean of functionals of one class each.

    .. math:: F(P) = \frac{1}{C} \sum_c F_c(\mu_c)

    What one of them draws, as a batch or an embedding, is its class's own. The WoW gradient at
    class c is that of F_c.

    Parameters
    ----------
    functionals : sequence of Functional
        F_c of each class, of particles ``(1, n, d)``; their one part is ``x``.

    Raises
    ------
    ValueError
        If there is none.
    """

    def __init__(self, functionals: Sequence[Functional]):
        if len(functionals) == 0:
            raise ValueError("functionals is empty; expected one for each class")
        self.functionals = tuple(functionals)
        self.capturable = all(functional.capturable for functional in functionals)

    def value_and_grad(
        self, state: State, generator: torch.Generator | None
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Evaluate each functional at its class of the particles ``(C, n, d)``."""
        classes = state["x"].split(1)
        if len(classes) != len(self.functionals):
            raise ValueError(
                f"x has {len(classes)} classes; expected {len(self.functionals)}, one for each "
                "functional"
            )
        values, grads = zip(
            *(
                functional.value_and_grad({"x": x}, generator)
                for functional, x in zip(self.functionals, classes, strict=True)
            ),
            strict=True,
        )
        return torch.stack(values).mean(), {"x": torch.cat([grad["x"] for grad in grads])}


class PlainGradient(Functional):
    """C F with its plain gradient, for a functional F of the particles ``(C, n, d)``.

    The WoW gradient is ``n C dF/dx``; this one is ``d(C F)/dx``, its n-th part.

    Parameters
    ----------
    functional : Functional
        F; its one part is ``x``.
    """

    def __init__(self, functional: Functional):
        self.functional = functional
        self.capturable = functional.capturable

    def value_and_grad(
        self, state: State, generator: torch.Generator | None
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Evaluate F, and scale."""
        x = state["x"]
        value, grads = self.functional.value_and_grad(state, generator)
        return len(x) * value, {"x": grads["x"] / x.shape[1]}
