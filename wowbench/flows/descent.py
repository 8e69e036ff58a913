"""The explicit scheme: gradient descent of particles, with momentum."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import torch
from torch import Tensor

from wowbench.flows.checkpoint import Checkpoint
from wowbench.flows.graph import capture_step
from wowbench.flows.loop import FlowProgress, State, Step, iterate
from wowbench.geometry.validation import check_finite, check_positive

Objective = Callable[[Tensor, torch.Generator | None], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Flow:
    """A flow that has run.

    Attributes
    ----------
    x : Tensor (C, n, d) or (B, C, n, d)
        Particles after the last step.
    losses : Tensor (steps,) or (steps, B)
        Value of the objective at the start of each step, on the CPU.
    snapshots : dict of int to Tensor
        Particles on the CPU, by the number of steps done.
    steps : int
        Steps done.
    seconds : float
        Wall-clock time.
    """

    x: Tensor
    losses: Tensor
    snapshots: dict[int, Tensor]
    steps: int
    seconds: float


def descend(
    objective: Objective,
    x: Tensor,
    *,
    steps: int,
    lr: float,
    momentum: float = 0.0,
    generator: torch.Generator | None = None,
    snapshots: Collection[int] = (),
    checkpoint: Checkpoint | None = None,
    progress: FlowProgress | None = None,
    check_every: int = 100,
) -> Flow:
    """Move particles along minus a WoW gradient: ``v <- g + momentum v``, ``x <- x - lr v``.

    On a CUDA device the whole step is captured as one graph, if it does not wait for the device.

    Parameters
    ----------
    objective : callable
        ``objective(x, generator) -> (value, grad)``, with the WoW gradient.
    x : Tensor (C, n, d) or (B, C, n, d)
        Where the particles start, B independent flows with a leading axis. Not changed.
    steps : int
        Number of steps.
    lr : float
        Step size of the scheme.
    momentum : float
        Heavy-ball momentum in [0, 1).
    generator, snapshots, checkpoint, progress, check_every
        As in `wowbench.flows.iterate`.

    Returns
    -------
    Flow

    Raises
    ------
    DivergedError
        If a particle or the loss is not finite, or the loss is 1e20 times its first size.
    ValueError
        If an argument is out of its range, or `x` is not finite.
    """
    check_positive("lr", lr)
    if not 0 <= momentum < 1:
        raise ValueError(f"momentum is {momentum!r}; expected a number in [0, 1)")
    check_finite("x", x)

    step = explicit_step(objective, lr=lr, momentum=momentum)
    state = {"x": x.detach().clone()}
    if momentum > 0:
        state["v"] = torch.zeros_like(x)
    if x.is_cuda:
        step = capture_step(step, state, generator)
    result = iterate(
        step,
        state,
        steps=steps,
        generator=generator,
        snapshots=snapshots,
        checkpoint=checkpoint,
        progress=progress,
        check_every=check_every,
        lr=lr,
    )
    snapshots = {at: kept["x"] for at, kept in result.snapshots.items()}
    return Flow(state["x"], result.losses, snapshots, result.steps, result.seconds)


def explicit_step(objective: Objective, *, lr: float, momentum: float = 0.0) -> Step:
    """Return the step of `descend`, for `iterate`.

    Parameters
    ----------
    objective, lr, momentum
        As in `descend`.

    Returns
    -------
    callable
        ``step(state, generator) -> loss``; `state` holds the particles "x" and, with momentum,
        the velocities "v", both updated in place.
    """

    def step(state: State, generator: torch.Generator | None) -> Tensor:
        loss, velocity = objective(state["x"], generator)
        if momentum > 0:
            velocity = torch.add(velocity, state["v"], alpha=momentum, out=state["v"])
        state["x"].sub_(velocity, alpha=lr)
        return loss

    return step
