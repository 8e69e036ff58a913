"""What a scheme is: an update of a state, in place, from gradients."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from wowbench.errors import InputError, closest
from wowbench.parameters import Component, Share
from wowbench.state import GEOMETRIES, Parts, State

if TYPE_CHECKING:
    from torch import Tensor


class Scheme(Component):
    """How gradients move a state: one subclass per file, its fields are its parameters.

    A scheme knows nothing of the functional but its value and the geometry of each part of the
    state. All that it remembers from step to step is in the state, which checkpoints save.

    Parameters
    ----------
    decay : {"none", "linear", "cosine"}
        How the step size falls over the steps of a flow, from its full size to 0: by the factor
        ``1 - t`` or ``(1 + cos(pi t)) / 2`` at the share t of the steps. Constant steps of a
        functional that is evaluated along random directions end at the level of their noise.
    average : float
        Share of the steps, the last ones, whose points are averaged: a flow then ends on their
        mean (Polyak and Juditsky, *Acceleration of stochastic approximation by averaging*, 1992),
        in which noise cancels that the last point has. Covariances have the mean of matrices. By
        default a flow ends on its last point.

    Attributes
    ----------
    name : str
        Name in configs.
    summary : str
        One line for ``wowbench list schemes``.
    """

    name: ClassVar[str]
    summary: ClassVar[str]

    decay: Literal["none", "linear", "cosine"] = "none"
    average: Share = 0.0

    def start(self, state: State, parts: Parts, steps: int) -> State:
        """Return what the scheme remembers, before the first step.

        Parameters
        ----------
        state : dict of str to Tensor
            Where the flow starts.
        parts : mapping of str to {"euclidean", "bures"}
            Geometry of each part that is moved.
        steps : int
            Number of steps of the flow.

        Returns
        -------
        dict of str to Tensor
            Tensors of other names, to be kept in the state; here those of the average, and the
            clock of either, if any.
        """
        import torch

        if not self._has_clock:
            return {}
        averaged = parts if self.average else ()
        device = state[next(iter(parts))].device
        return {f"{part}.average": torch.zeros_like(state[part]) for part in averaged} | {
            "clock.done": torch.zeros((), dtype=torch.float64, device=device),
            "clock.steps": torch.tensor(float(steps), dtype=torch.float64, device=device),
        }

    def step(self, state: State, grads: Mapping[str, Tensor], parts: Parts, value: Tensor) -> None:
        """Move every part, in place.

        Parameters
        ----------
        state : dict of str to Tensor
            Parts, and what `start` returned; all are updated in place.
        grads : mapping of str to Tensor
            Gradient at each part, of its shape; not changed. That of a Bures part is symmetric, the
            Euclidean gradient with respect to the matrix.
        parts : mapping of str to {"euclidean", "bures"}
            Geometry of each part.
        value : Tensor () or (B,)
            Value of the functional, where the gradients are; of each of B independent flows.
        """
        self.move(state, grads, parts, value, self._factor(state))
        if self._has_clock:
            state["clock.done"] += 1
        if self.average:
            share = self._averaged(state).reciprocal()
            for part in parts:
                mean = state[f"{part}.average"]
                # 0 points have no mean yet: a share of infinity is none.
                mean.lerp_(state[part], share.nan_to_num(posinf=0).to(mean.dtype))

    def outcome(self, state: State, parts: Parts) -> State:
        """Return where a flow ends that takes no further step.

        Parameters
        ----------
        state : dict of str to Tensor
            As `step` left it; not changed.
        parts : mapping of str to {"euclidean", "bures"}
            Geometry of each part.

        Returns
        -------
        dict of str to Tensor
            The parts, or their means over the steps that `average` asks for, as far as they are
            done; the last point where none of them is.
        """
        import torch

        if not self.average:
            return {part: state[part] for part in parts}
        begun = self._averaged(state) > 0
        return {part: torch.where(begun, state[f"{part}.average"], state[part]) for part in parts}

    @abstractmethod
    def move(
        self,
        state: State,
        grads: Mapping[str, Tensor],
        parts: Parts,
        value: Tensor,
        factor: float | Tensor,
    ) -> None:
        """Do the work of `step`.

        Parameters
        ----------
        state, grads, parts, value
            As of `step`.
        factor : float or Tensor ()
            What the step size is to be multiplied by.
        """

    @property
    def _has_clock(self) -> bool:
        return self.decay != "none" or self.average > 0

    def _averaged(self, state: State) -> Tensor:
        """Count the points done that are averaged."""
        steps = state["clock.steps"]
        asked = (self.average * steps).round().clamp_min(1)
        return (state["clock.done"] - (steps - asked)).clamp_min(0)

    def _factor(self, state: State) -> float | Tensor:
        if self.decay == "none":
            return 1.0
        share = state["clock.done"] / state["clock.steps"]
        return 1 - share if self.decay == "linear" else (1 + (math.pi * share).cos()) / 2

    def capturable(self, parts: Parts) -> bool:
        """Whether a step on such parts never waits for the device."""
        return True


def parts_of(geometry: str, parts: Parts) -> list[str]:
    """Names of the parts of one geometry.

    Raises
    ------
    InputError
        If the geometry of a part is unknown.
    """
    for part, given in parts.items():
        if given not in GEOMETRIES:
            raise InputError(
                f"the geometry of the part {part!r} is {given!r}; {closest(given, GEOMETRIES)}"
            )
    return [part for part, given in parts.items() if given == geometry]
