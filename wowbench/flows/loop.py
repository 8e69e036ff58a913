"""The loop that every flow runs in."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

import torch
from torch import Tensor

from wowbench.errors import DivergedError
from wowbench.flows.checkpoint import Checkpoint
from wowbench.memory import keep_freed_memory

State = dict[str, Tensor]
Step = Callable[[State, torch.Generator | None], Tensor]
Progress = Callable[[int, float], None]


@dataclass(frozen=True)
class LoopResult:
    """What a loop leaves behind.

    Attributes
    ----------
    losses : Tensor (steps, ...)
        The loss at the start of each step, on the CPU.
    snapshots : dict of int to Tensor
        Copies of ``state["x"]`` on the CPU, by the number of steps done.
    steps : int
        Steps done.
    seconds : float
        Wall-clock time, that of interrupted runs up to their last checkpoint included.
    """

    losses: Tensor
    snapshots: dict[int, Tensor]
    steps: int
    seconds: float


def iterate(
    step: Step,
    state: State,
    *,
    steps: int,
    generator: torch.Generator | None = None,
    snapshots: Collection[int] = (),
    checkpoint: Checkpoint | None = None,
    progress: Progress | None = None,
    check_every: int = 100,
    lr: float = float("nan"),
) -> LoopResult:
    """Call `step` a number of times, and keep the curve of its losses.

    The host waits for the device only every `check_every` steps. There the losses and the state
    are checked to be finite, `progress` is called, and a checkpoint is saved if one is due. Run
    again after an interruption, the flow resumes from its checkpoint to the same bits.

    Parameters
    ----------
    step : callable
        ``step(state, generator) -> loss`` updates the tensors of `state`, in place or by new ones
        of the same shape and dtype. The loss is a tensor whose shape stays the same, 0-d for one
        flow.
    state : dict of str to Tensor
        All that changes from step to step, apart from the generator. Updated in place.
    steps : int
        Number of steps.
    generator : torch.Generator, optional
        Source of randomness, handed to `step`.
    snapshots : collection of int
        Numbers of steps after which ``state["x"]`` is copied; 0 is the start.
    checkpoint : Checkpoint, optional
        Where the flow saves itself. Removed on completion.
    progress : callable, optional
        ``progress(steps_done, loss)``, the loss averaged over several flows.
    check_every : int
        Steps between two checks.
    lr : float
        Learning rate that a `DivergedError` reports.

    Returns
    -------
    LoopResult

    Raises
    ------
    DivergedError
        If a loss or the state is not finite: the first step whose loss is not, or else the step
        after which the state is not.
    ValueError
        If `steps` or `check_every` is not positive, or a snapshot lies past the last step.
    """
    _check_counts(steps, check_every, snapshots)
    keep_freed_memory()
    run = _Run(state, generator, steps)
    start, seconds = run.restore(checkpoint)
    clock = time.perf_counter() - seconds
    checked = start
    if start == 0 and 0 in snapshots:
        run.take_snapshot(0)
    for done in range(start + 1, steps + 1):
        run.record(done, step(state, generator))
        if done in snapshots:
            run.take_snapshot(done)
        if done % check_every == 0 or done == steps:
            loss = run.check(checked, done, lr)
            checked = done
            if progress is not None:
                progress(done, loss)
            if checkpoint is not None and done < steps and checkpoint.is_due():
                checkpoint.save(run.tensors(done), done, time.perf_counter() - clock)
    seconds = time.perf_counter() - clock
    if checkpoint is not None:
        checkpoint.remove()
    return LoopResult(run.losses.cpu(), run.snapshots, steps, seconds)


def _check_counts(steps: int, check_every: int, snapshots: Collection[int]) -> None:
    for name, value in (("steps", steps), ("check_every", check_every)):
        if value < 1:
            raise ValueError(f"{name} is {value!r}; expected an integer of at least 1")
    for snapshot in snapshots:
        if not 0 <= snapshot <= steps:
            raise ValueError(f"snapshots has {snapshot!r}; expected steps from 0 to {steps}")


class _Run:
    """The state of one loop, and what it records."""

    def __init__(self, state: State, generator: torch.Generator | None, steps: int):
        self.state = state
        self.generator = generator
        self.steps = steps
        self.losses: Tensor | None = None
        self.snapshots: dict[int, Tensor] = {}

    def record(self, done: int, loss: Tensor) -> None:
        if self.losses is None:
            self.losses = loss.new_empty(self.steps, *loss.shape)
        self.losses[done - 1].copy_(loss)

    def take_snapshot(self, done: int) -> None:
        self.snapshots[done] = self.state["x"].detach().to("cpu", copy=True)

    def check(self, since: int, done: int, lr: float) -> float:
        """Return the last loss, averaged over flows, once all values are seen to be finite."""
        losses = self.losses[since:done].reshape(done - since, -1)
        finite = losses.isfinite().all(1)
        if not finite.all():
            raise DivergedError(since + 1 + int(finite.int().argmin()), lr)
        for tensor in self.state.values():
            if not tensor.isfinite().all():
                raise DivergedError(done, lr)
        return losses[-1].mean().item()

    def tensors(self, done: int) -> dict[str, Tensor]:
        tensors = {f"state.{name}": tensor for name, tensor in self.state.items()}
        tensors |= {f"snapshot.{at}": copy for at, copy in self.snapshots.items()}
        tensors["losses"] = self.losses[:done]
        if self.generator is not None:
            tensors["generator"] = self.generator.get_state()
        return tensors

    def restore(self, checkpoint: Checkpoint | None) -> tuple[int, float]:
        """Return the steps done and seconds spent according to the checkpoint, else zeros."""
        loaded = checkpoint.load() if checkpoint is not None else None
        if loaded is None:
            return 0, 0.0
        tensors, done, seconds = loaded
        losses = tensors.pop("losses")
        device = next(iter(self.state.values())).device
        self.losses = losses.new_empty(self.steps, *losses.shape[1:], device=device)
        self.losses[:done] = losses
        if self.generator is not None:
            self.generator.set_state(tensors.pop("generator"))
        for name, tensor in tensors.items():
            kind, _, key = name.partition(".")
            if kind == "state":
                self.state[key].copy_(tensor)
            else:
                self.snapshots[int(key)] = tensor
        return done, seconds
