"""Any functional, decreased by any scheme."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from wowbench.flows.checkpoint import Checkpoint
from wowbench.flows.graph import capture_step
from wowbench.flows.loop import FlowProgress, Step, Stop, iterate
from wowbench.functionals.base import Functional
from wowbench.schemes.base import Scheme
from wowbench.state import State


@dataclass(frozen=True)
class Flow:
    """A flow that has run.

    Attributes
    ----------
    state : dict of str to Tensor
        The state at the end: the functional's parts, what it keeps beside them, and what the scheme
        remembers. Parts are the scheme's outcome: those after the last step, or their means.
    losses : Tensor (steps,) or (steps, B)
        Value of the functional at the start of each step taken, on the CPU.
    snapshots : dict of int to dict of str to Tensor
        The parts on the CPU, by the number of steps: as they were then, and from the end on the
        outcome. A flow that stopped stays there.
    steps : int
        Steps that were asked for.
    seconds : float
        Wall-clock time of the steps.
    held_out : Tensor () or (B,)
        Value of the functional at the end, on draws that no step has seen.
    goal : Tensor () or (B,), or None
        Held-out value at which it was to stop, where it was to stop before its last step.
    """

    state: State
    losses: Tensor
    snapshots: dict[int, State]
    steps: int
    seconds: float
    held_out: Tensor | None = None
    goal: Tensor | None = None

    @property
    def x(self) -> Tensor:
        """Particles at the end, `(C, n, d)` or `(B, C, n, d)`."""
        return self.state["x"]


def descend(
    functional: Functional,
    start: Tensor | Mapping[str, Tensor],
    scheme: Scheme,
    *,
    steps: int,
    until: float | None = None,
    generator: torch.Generator | None = None,
    snapshots: Collection[int] = (),
    checkpoint: Checkpoint | None = None,
    progress: FlowProgress | None = None,
    check_every: int = 100,
) -> Flow:
    """Decrease a functional by a scheme.

    On a CUDA device the whole step is captured as one graph, if functional and scheme say that
    they never wait for the device.

    Parameters
    ----------
    functional : Functional
        What is decreased.
    start : Tensor or mapping of str to Tensor
        Where the flow starts: the particles `(C, n, d)`, or `(B, C, n, d)` for B independent flows;
        all parts by name where the functional has several. Not changed.
    scheme : Scheme
        How its gradients move the parts.
    steps : int
        Number of steps, at most.
    until : float, optional
        Share of the first held-out value at which the flow stops: once the value of a step, and
        then the held-out one of what would be the outcome, are no more than this part of it, for
        all flows side by side. One that never gets there takes all steps.
    generator, snapshots, checkpoint, progress, check_every
        As in `wowbench.flows.iterate`.

    Returns
    -------
    Flow

    Raises
    ------
    DivergedError
        If the state or the loss is not finite, or the loss is 1e20 times its first size.
    ValueError
        If an argument is out of its range, or the start is not finite.

    Examples
    --------
    >>> import torch
    >>> from wowbench.functionals import SlicedMMD
    >>> from wowbench.kernels.riesz import Riesz
    >>> from wowbench.schemes.momentum import Momentum
    >>> mmd = SlicedMMD(torch.tensor([[[2.0]]]), Riesz(r=1), n_directions=1)
    >>> flow = descend(mmd, torch.zeros(1, 1, 1), Momentum(lr=0.5, momentum=0), steps=3)
    >>> flow.x, flow.losses
    (tensor([[[1.5000]]]), tensor([2.0000, 1.5000, 1.0000]))
    """
    step, state, generator = start_flow(functional, start, scheme, generator, steps=steps)
    goal = None if until is None else until * functional.held_out(state)
    result = iterate(
        step,
        state,
        steps=steps,
        generator=generator,
        snapshots=snapshots,
        keep=tuple(functional.parts),
        checkpoint=checkpoint,
        progress=progress,
        check_every=check_every,
        lr=getattr(scheme, "lr", None),
        stop=None if goal is None else _convergence(functional, scheme, goal),
    )
    outcome = scheme.outcome(state, functional.parts)
    ended = state | outcome
    kept = {part: points.detach().to("cpu", copy=True) for part, points in outcome.items()}
    taken = len(result.losses)
    return Flow(
        ended,
        result.losses,
        {at: parts if at < taken else kept for at, parts in result.snapshots.items()},
        steps,
        result.seconds,
        held_out=functional.held_out(ended).cpu(),
        goal=None if goal is None else goal.cpu(),
    )


def _convergence(functional: Functional, scheme: Scheme, goal: Tensor) -> Stop:
    """Whether a flow's outcome has no more than a held-out value."""

    def stop(state: State, loss: Tensor) -> bool:
        # A step's own value costs nothing, and is below the goal before the other is worth asking.
        if not (loss <= goal).all():
            return False
        ended = state | scheme.outcome(state, functional.parts)
        return bool((functional.held_out(ended) <= goal).all())

    return stop


def start_flow(
    functional: Functional,
    start: Tensor | Mapping[str, Tensor],
    scheme: Scheme,
    generator: torch.Generator | None,
    *,
    steps: int,
) -> tuple[Step, State, torch.Generator | None]:
    """Put functional and scheme together.

    Parameters
    ----------
    functional, start, scheme, generator, steps
        As in `descend`.

    Returns
    -------
    step : callable
        ``step(state, generator) -> loss``, for `wowbench.flows.iterate`; captured where that is
        possible.
    state : dict of str to Tensor
        Where the flow starts.
    generator : torch.Generator or None
        What is to be handed to `step`.
    """
    parts = {"x": start} if isinstance(start, Tensor) else start
    state = functional.start(**parts)
    state |= scheme.start(state, functional.parts, steps)

    def step(state: State, generator: torch.Generator | None) -> Tensor:
        loss, grads = functional.value_and_grad(state, generator)
        scheme.step(state, grads, functional.parts, loss)
        return loss

    on_gpu = next(iter(state.values())).is_cuda
    if on_gpu and can_be_captured(functional, scheme):
        step, generator = capture_step(step, state, generator)
    return step, state, generator


def can_be_captured(functional: Functional, scheme: Scheme) -> bool:
    """Whether a step by them never waits for the device."""
    return functional.capturable and scheme.capturable(functional.parts)
