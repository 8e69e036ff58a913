"""What a functional is: a value and gradients at a state, whichever scheme steps along them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from wowbench.geometry.validation import check_finite
from wowbench.state import EUCLIDEAN, Parts, State

HELD_OUT_SEED = 20250607
"""Seed of what `Functional.held_out` draws: that of no flow, unless one is made to have it."""


class Functional(ABC):
    """Something that a flow decreases.

    A flow has a *state*. Its *parts* are what a scheme moves: the particles ``x``, say, and the
    Gaussians that they carry. What else a functional keeps there, as the start of its next solver
    or a count, is its own, and it alone updates that, in place.

    A functional takes no step and adds no noise: any scheme can decrease any functional.

    Attributes
    ----------
    parts : mapping of str to {"euclidean", "bures"}
        Geometry of each part: free coordinates, or symmetric positive matrices.
    capturable : bool
        Whether `value_and_grad` never waits for the device, so that a step can be captured in a
        CUDA graph.
    held_out_draws : int
        Values that `held_out` averages: one where a value depends on the state alone.
    """

    parts: ClassVar[Parts] = {"x": EUCLIDEAN}
    capturable: ClassVar[bool] = False
    held_out_draws: ClassVar[int] = 4

    def start(self, **parts: Tensor) -> State:
        """Return the state that a flow starts from.

        Parameters
        ----------
        **parts : Tensor
            Every part, such as the particles ``x``, `(C, n, d)`; copied.

        Returns
        -------
        dict of str to Tensor
            The parts, then what the functional keeps beside them.

        Raises
        ------
        ValueError
            If a part is missing, unknown or not finite.
        """
        if parts.keys() != self.parts.keys():
            given, wanted = (", ".join(names) or "none" for names in (parts, self.parts))
            raise ValueError(f"the parts given are {given}; expected {wanted}")
        for name in self.parts:
            check_finite(name, parts[name])
        return {name: parts[name].detach().clone() for name in self.parts}

    @abstractmethod
    def value_and_grad(
        self, state: State, generator: torch.Generator | None
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Evaluate the functional.

        Parameters
        ----------
        state : dict of str to Tensor
            What `start` returned, as moved since. Values are not checked.
        generator : torch.Generator or None
            Source of all that is drawn, such as directions.

        Returns
        -------
        value : Tensor ()
            Of any other fixed shape for several flows side by side.
        grads : mapping of str to Tensor
            Gradient at each part, of its shape: as a rule the WoW gradient, ``n C dF/dx`` for
            uniform weights. That at covariances is symmetric.
        """

    def held_out(self, state: State) -> Tensor:
        """Evaluate the functional on draws that no step has seen, the same ones at each call.

        Parameters
        ----------
        state : dict of str to Tensor
            As of `value_and_grad`; not changed.

        Returns
        -------
        Tensor () or (B,)
            Here the mean of a few values, each on draws of its own.
        """
        device = next(iter(state.values())).device
        generator = torch.Generator(device).manual_seed(HELD_OUT_SEED)
        copy = {name: tensor.clone() for name, tensor in state.items()}
        values = [self.value_and_grad(copy, generator)[0] for _ in range(self.held_out_draws)]
        return torch.stack(values).mean(0)


class ParticleFunctional(Functional):
    """A functional of the particles alone that draws nothing."""

    held_out_draws: ClassVar[int] = 1

    @abstractmethod
    def evaluate(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the value, and the gradient at the particles ``(C, n, d)``."""

    def value_and_grad(
        self, state: State, generator: torch.Generator | None
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Evaluate the functional at the particles of a state."""
        value, grad = self.evaluate(state["x"])
        return value, {"x": grad}
