"""What functionals share that are means over directions drawn at each step."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from wowbench.distances.sliced import Sliced, line_costs
from wowbench.functionals.base import HELD_OUT_SEED, Functional
from wowbench.functionals.sliced_mmd import HELD_OUT_DIRECTIONS
from wowbench.geometry.quantiles import resample_quantiles
from wowbench.geometry.validation import check_classes
from wowbench.state import State


class SlicedFunctional(Functional):
    """A functional that is a mean over directions of the particles.

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
    def evaluate(self, x: Tensor, drawn: Any, *others: Tensor) -> tuple[Tensor, ...]:
        """Return the value along what `draw` returned, and ``n C`` times the gradient at each part.

        Parameters
        ----------
        x : Tensor (C, n, d)
            Particles.
        drawn
            What `draw` returned.
        *others : Tensor
            The other parts, in the order of `parts`.
        """

    def value_and_grad(
        self, state: State, generator: torch.Generator | None
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Evaluate the functional along new directions."""
        value, *grads = self._evaluate(state, self.n_directions, generator)
        return value, dict(zip(self.parts, grads, strict=True))

    def held_out(self, state: State) -> Tensor:
        """Evaluate the functional along `HELD_OUT_DIRECTIONS` directions that no step has seen."""
        generator = torch.Generator(state["x"].device).manual_seed(HELD_OUT_SEED)
        return self._evaluate(state, HELD_OUT_DIRECTIONS, generator)[0]

    def _evaluate(
        self, state: State, n_directions: int, generator: torch.Generator | None
    ) -> tuple[Tensor, ...]:
        x, *others = (state[part] for part in self.parts)
        return self.evaluate(x, self.draw(n_directions, x, generator), *others)


class DistanceFunctional(SlicedFunctional):
    """The squared distance to a labelled dataset Q, which draws as the distance does.

    Parameters
    ----------
    target : Tensor (C', m, d)
        The classes of Q.
    distance : Sliced
        Draws directions and what goes with them by its method `draw`.

    Raises
    ------
    ValueError
        For a target of the wrong shape, dtype or value.
    """

    def __init__(self, target: Tensor, distance: Sliced):
        super().__init__(distance.n_directions)
        self.target = check_classes("target", target, ragged=False)
        self.distance = distance

    def draw(self, n_directions: int, x: Tensor, generator: torch.Generator | None) -> Any:
        """Draw what the distance draws, for another number of directions."""
        distance = self.distance.model_copy(update={"n_directions": n_directions})
        return distance.draw(x.shape[-1], x, generator)


def project(x: Tensor, directions: Tensor) -> Tensor:
    """Project classes ``(C, n, d)`` on directions ``(L, d)``: ``(L, C, n)``."""
    return (directions @ x.flatten(0, 1).T).unflatten(1, x.shape[:2])


def line_gaps(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Mean W_2^2 of rows of sorted atoms of equal mass, and how far each is from its image.

    Parameters
    ----------
    x, y : Tensor (L, N) and (L, M)

    Returns
    -------
    value : Tensor ()
        Mean over rows, in float64.
    gaps : Tensor (L, N)
        Atoms of x minus the mean of what transport sends them to: ``N/2 dW_2^2/dx``.
    """
    gaps = x - resample_quantiles(y, x.shape[1])
    if x.shape[1] % y.shape[1] == 0:  # No atom is split, so that gaps are all there is.
        return gaps.square().mean(dtype=torch.float64), gaps
    return line_costs(x, y).mean(dtype=torch.float64), gaps
