"""What a method gives back: labelled particles at steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Frame:
    """Labelled particles at one step.

    Attributes
    ----------
    particles : Tensor, shape (N, *shape)
        The particles, in the order of the source where they are moved source particles: class by
        class. N is 0 for a method that leaves the target alone.
    labels : Tensor, shape (N,)
        Their target classes as of then, int64.
    weights : Tensor, shape (C,), or None
        Weights of the moved classes, where a method moves these too.
    """

    particles: Tensor
    labels: Tensor
    weights: Tensor | None = None


@dataclass(frozen=True)
class Trajectory:
    """What a method made of a problem.

    Attributes
    ----------
    frames : dict of int to Frame
        Labelled particles by the number of steps done, in rising order. The last is the outcome;
        those before it are the snapshots that were asked for. One that stopped before its last step
        stays as it is until then. None of a flow that diverged.
    losses : Tensor, shape (steps,)
        Loss before each step that was taken; empty for a method that has no parameter `steps`.
    seconds : float
        Wall time of the steps alone.
    metrics : dict of str to float
        Anything else worth a row in the scores, under the names in `Method.metrics`.
    status : {"ok", "diverged"}
        Whether there is an outcome.
    message : str
        Why there is none.
    """

    frames: dict[int, Frame]
    losses: Tensor
    seconds: float = 0.0
    metrics: dict[str, float] = field(default_factory=dict)
    status: Literal["ok", "diverged"] = "ok"
    message: str = ""

    @property
    def last(self) -> Frame:
        """The outcome."""
        return self.frames[max(self.frames)]

    def mapped(self, function: Callable[[Tensor], Tensor]) -> Trajectory:
        """Return the trajectory with a function applied to the particles of each frame."""
        frames = {
            step: replace(frame, particles=function(frame.particles))
            for step, frame in self.frames.items()
        }
        return replace(self, frames=frames)
