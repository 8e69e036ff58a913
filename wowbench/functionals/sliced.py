"""What functionals share that are means over directions drawn at each step."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from wowbench.functionals.base import HELD_OUT_SEED, Functional
from wowbench.functionals.sliced_mmd import HELD_OUT_DIRECTIONS
from wowbench.state import State


class SlicedFunctional(Functional):
    """A functional of the particles that is a mean over directions.

    Parameters
    ----------
    n_directions : int
        Number L of directions that `value_and_grad` draws.
    """

    def __init__(self, n_directions: int):
        self.n_directions = n_directions

    @abstractmethod
    def draw(self, n_directions: int, x: Tensor, generator: torch.Generator | None) -> Any:
        """Draw directions, and what goes with each, for particles ``(C, n, d)`` like `x`."""

    @abstractmethod
    def evaluate(self, x: Tensor, drawn: Any) -> tuple[Tensor, Tensor]:
        """Return the value and the WoW gradient ``n C dF/dx`` along what `draw` returned."""

    def value_and_grad(
        self, state: State, generator: torch.Generator | None
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Evaluate the functional along new directions."""
        x = state["x"]
        value, grad = self.evaluate(x, self.draw(self.n_directions, x, generator))
        return value, {"x": grad}

    def held_out(self, state: State) -> Tensor:
        """Evaluate the functional along `HELD_OUT_DIRECTIONS` directions that no step has seen."""
        x = state["x"]
        generator = torch.Generator(x.device).manual_seed(HELD_OUT_SEED)
        return self.evaluate(x, self.draw(HELD_OUT_DIRECTIONS, x, generator))[0]
