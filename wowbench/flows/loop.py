"""The loop that every flow runs in."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from wowbench.flows.checkpoint import Checkpoint
from wowbench.flows.divergence import check_start, check_step
from wowbench.flows.recording import Recording
from wowbench.memory import keep_freed_memory
from wowbench.state import State

Step = Callable[[State, torch.Generator | None], Tensor]
FlowProgress = Callable[[int, float], None]
Stop = Callable[[State, Tensor], bool]

STOP_EVERY = 10
"""Steps between two questions whether a flow may stop."""


@dataclass(frozen=True)
class LoopResult:
    """What a loop leaves behind.

    Attributes
    ----------
    losses : Tensor (steps, ...)
        The loss at the start of each step, on the CPU; as many as steps were taken.
    snapshots : dict of int to dict of str to Tensor
        Copies of tensors of the state on the CPU, by the number of steps and by name. A loop that
        stopped stays where it is: its later snapshots are the last state.
    steps : int
        Steps that were asked for.
    seconds : float
        Wall-clock time, that of interrupted runs up to their last checkpoint included.
    """

    losses: Tensor
    snapshots: dict[int, State]
    steps: int
    seconds: float


def iterate(
    step: Step,
    state: State,
    *,
    steps: int,
    generator: torch.Generator | None = None,
    snapshots: Collection[int] = (),
    keep: Collection[str] = ("x",),
    checkpoint: Checkpoint | None = None,
    progress: FlowProgress | None = None,
    check_every: int = 100,
    lr: float | None = None,
    stop: Stop | None = None,
) -> LoopResult:
    """Call `step` a number of times, and keep the curve of its losses.

    The host waits for the device at the first step, then every `check_every` steps and where a
    checkpoint is due. There the losses and the state are checked, `progress` is called, and the
    checkpoint saved. Run again after an interruption, the flow resumes from its checkpoint to the
    same bits; run again after its last step, it takes none.

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
        Numbers of steps after which tensors of the state are copied; 0 is the start.
    keep : collection of str
        Names of these tensors.
    checkpoint : Checkpoint, optional
        Where the flow saves itself, after its last step too. It is left to the caller to remove.
    progress : callable, optional
        ``progress(steps_done, loss)``, the loss averaged over several flows.
    check_every : int
        Steps between two checks.
    lr : float, optional
        Learning rate of a scheme that has one, for the message of a `DivergedError`.
    stop : callable, optional
        ``stop(state, loss)``, asked after every `STOP_EVERY` steps with the loss of the last one:
        whether to stop there. It changes nothing, and says the same of the same state.

    Returns
    -------
    LoopResult

    Raises
    ------
    DivergedError
        If a loss or the state is not finite, or a loss is 1e20 times the size of the first: see
        `wowbench.flows.divergence.check_step`.
    ValueError
        If `steps` or `check_every` is not positive, a snapshot lies past the last step, `keep`
        has a name that is not in the state, or the shape of the loss changes.
    """
    _check_arguments(steps, check_every, snapshots, keep, state)
    keep_freed_memory()
    recording = Recording(state, generator, steps, snapshots, keep)
    start, seconds = recording.restore(checkpoint)
    clock = time.perf_counter() - seconds
    checked = start
    if start == 0:
        check_start(state)
        recording.take_snapshot(0)
    ends = partial(_ends, steps=steps, recording=recording, stop=stop)
    last, done = ends(start), start
    while not last:
        done += 1
        recording.record(done, step(state, generator))
        recording.take_snapshot(done)
        last = ends(done)
        due = checkpoint is not None and (last or checkpoint.is_due())
        report = last or due or done % check_every == 0
        if report or done == 1:
            check_step(recording.losses, state, checked, done, lr)
            checked, seconds = done, time.perf_counter() - clock
        if report and progress is not None:
            progress(done, recording.losses[done - 1].mean().item())
        if due:
            recording.save(checkpoint, done, seconds)
    for later in range(done + 1, steps + 1):
        recording.take_snapshot(later)
    return LoopResult(recording.losses[:done].cpu(), recording.snapshots, steps, seconds)


def _ends(done: int, *, steps: int, recording: Recording, stop: Stop | None) -> bool:
    """Whether a loop ends after `done` steps."""
    if done == steps:
        return True
    asked = stop is not None and done > 0 and done % STOP_EVERY == 0
    return asked and stop(recording.state, recording.losses[done - 1])


def _check_arguments(
    steps: int, check_every: int, snapshots: Collection[int], keep: Collection[str], state: State
) -> None:
    for name, value in (("steps", steps), ("check_every", check_every)):
        if value < 1:
            raise ValueError(f"{name} is {value!r}; expected an integer of at least 1")
    for snapshot in snapshots:
        if not 0 <= snapshot <= steps:
            raise ValueError(f"snapshots has {snapshot!r}; expected steps from 0 to {steps}")
    for name in keep:
        if name not in state:
            raise ValueError(f"keep has {name!r}; expected names among {', '.join(state)}")
