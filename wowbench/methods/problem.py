"""What a method is given: a problem to solve, and its surroundings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from torch import Tensor

    from wowbench.flows import Checkpoint
    from wowbench.space import Space


Pairing = Literal["free", "by_number"]
PAIRINGS = get_args(Pairing)


@dataclass(frozen=True)
class Problem:
    """A source dataset to be moved onto a target dataset.

    Attributes
    ----------
    source : Tensor, shape (C, n, *shape)
        Source particles by class, float32, in coordinates, on the device to compute on.
    target : Tensor, shape (C', k, *shape)
        Target particles by class.
    space : Space
        What a particle is, and in which coordinates; moved particles are to be projected to it.
    pairing : {"free", "by_number"}
        Whether classes may move onto any of the target's, or class c of the source starts as class
        c of the target, which its moved particles are to stand for.
    batch_size : int or None
        Target particles of each class that a step draws anew; None for all of them.
    """

    source: Tensor
    target: Tensor
    space: Space
    pairing: Pairing = "free"
    batch_size: int | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one particle, for an image (channels, height, width)."""
        return self.space.shape

    @property
    def sizes(self) -> dict[str, Any]:
        """Arguments of `wowbench.methods.base.Method.check_sizes`."""
        (classes, n), (target_classes, k) = self.source.shape[:2], self.target.shape[:2]
        return {
            "source_classes": classes,
            "n": n,
            "target_classes": target_classes,
            "k": k,
            "shape": self.shape,
        }


@dataclass(frozen=True)
class RunContext:
    """What the surroundings give a method beside its problem.

    Attributes
    ----------
    seed : int
        Seed of everything random in this run.
    checkpoint : Checkpoint or None
        Where a method that takes steps saves itself now and then, and after its last step, and
        goes on from, as `wowbench.flows.iterate` does. No method removes it: whoever gave it
        does, once the outcome is written, so that nothing that fails after the last step repeats
        the steps.
    progress : callable or None
        Called with (steps done, loss of the last one) now and then, and after the last step.
    snapshots : tuple of int
        Numbers of steps after which particles and labels are kept: see `snapshots_before`.
    """

    seed: int
    checkpoint: Checkpoint | None = None
    progress: Callable[[int, float], None] | None = None
    snapshots: tuple[int, ...] = ()

    def snapshots_before(self, steps: int) -> tuple[int, ...]:
        """Snapshots asked for of a method that takes `steps` steps: those before the last one."""
        return tuple(step for step in self.snapshots if step < steps)
