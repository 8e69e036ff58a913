"""What a method gives back must be, seen to when it returns."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from wowbench.errors import MethodError
from wowbench.methods.base import Method
from wowbench.methods.problem import Problem, RunContext
from wowbench.methods.trajectory import Frame, Trajectory

if TYPE_CHECKING:
    from torch import Tensor

OVERSHOOT = 1e-6
"""How far a particle may exceed the bounds of its space, by rounding."""


def check_trajectory(
    method: Method, trajectory: Trajectory, problem: Problem, context: RunContext
) -> None:
    """Refuse what is not what `Trajectory` says it is.

    Parameters
    ----------
    method : Method
        What gave it.
    trajectory : Trajectory
        What its `run` returned.
    problem, context : Problem and RunContext
        What it was given.

    Raises
    ------
    MethodError
        In one line that names the method and the field, what was found and what is expected.
    """
    check = _Check(f"method {method.label!r}")
    check.kind("what it returned", trajectory, Trajectory)
    steps = getattr(method, "steps", 0)
    check.frames(trajectory.frames, [*context.snapshots_before(steps), steps], problem)
    check.losses(trajectory.losses, steps, may_stop=getattr(method, "until", None) is not None)
    check.number("seconds", trajectory.seconds, least=0)
    check.metrics(trajectory.metrics, method.metrics)
    if trajectory.status != "ok":
        check.fail("status", repr(trajectory.status), "'ok'; raise a DivergedError instead")


class _Check:
    """Checks of single fields, for messages that begin with `who`."""

    def __init__(self, who: str):
        self.who = who

    def fail(self, field: str, found: str, expected: str) -> None:
        found, expected = (" ".join(text.split()) for text in (found, expected))
        raise MethodError(f"{self.who}: {field} is {found}; expected {expected}")

    def kind(self, field: str, value: Any, wanted: type) -> None:
        if not isinstance(value, wanted):
            self.fail(field, f"of type {type(value).__name__}", f"{wanted.__name__}")

    def number(self, field: str, value: Any, least: float = -math.inf) -> None:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not (math.isfinite(value) and value >= least):
            floor = "" if least == -math.inf else f" of at least {least}"
            self.fail(field, repr(value), f"a finite number{floor}")

    def tensor(self, field: str, tensor: Any, dtype: Any, shape: tuple[int | str, ...]) -> None:
        """Check type, dtype and shape; a string in `shape` stands for any number."""
        import torch

        self.kind(field, tensor, torch.Tensor)
        fits = len(tensor.shape) == len(shape) and all(
            isinstance(wanted, str) or found == wanted
            for found, wanted in zip(tensor.shape, shape, strict=True)
        )
        if tensor.dtype != dtype or not fits:
            wanted = f"({', '.join(map(str, shape))}{',' * (len(shape) == 1)})"
            self.fail(field, f"{tensor.dtype} {tuple(tensor.shape)}", f"{dtype} {wanted}")

    def finite(self, field: str, tensor: Tensor) -> None:
        bad = ~tensor.isfinite()
        if bad.any():
            index = tuple(bad.nonzero()[0].tolist())
            self.fail(f"{field}{list(index)}", str(tensor[index].item()), "finite values")

    def particles(self, field: str, particles: Tensor, problem: Problem) -> None:
        self.tensor(field, particles, problem.source.dtype, ("N", *problem.shape))
        self.finite(field, particles)
        if problem.space.bounds is None or particles.numel() == 0:
            return
        least, most = problem.space.bounds
        low, high = particles.min().item(), particles.max().item()
        if low < least - OVERSHOOT or high > most + OVERSHOOT:
            wanted = f"values in [{least:g}, {most:g}]: project them to the problem's space"
            self.fail(field, f"in [{low:g}, {high:g}]", wanted)

    def labels(self, field: str, labels: Tensor, n: int, classes: int) -> None:
        import torch

        self.tensor(field, labels, torch.int64, (n,))
        if n and not 0 <= labels.min() <= labels.max() < classes:
            found = f"in {labels.min().item()}..{labels.max().item()}"
            self.fail(field, found, f"target classes, 0..{classes - 1}")

    def losses(self, losses: Tensor, steps: int, *, may_stop: bool) -> None:
        import torch

        self.kind("losses", losses, torch.Tensor)
        dtype = losses.dtype if losses.is_floating_point() else torch.float32
        stopped = may_stop and losses.dim() == 1 and 0 < len(losses) < steps
        self.tensor("losses", losses, dtype, (len(losses) if stopped else steps,))
        self.finite("losses", losses)

    def metrics(self, metrics: dict[str, float], declared: tuple[str, ...]) -> None:
        self.kind("metrics", metrics, dict)
        for name, value in metrics.items():
            if name not in declared:
                names = ", ".join(declared) or "none"
                self.fail("a key of metrics", repr(name), f"what the method declares: {names}")
            self.number(f"metrics[{name!r}]", value)

    def frames(self, frames: dict[int, Frame], wanted: list[int], problem: Problem) -> None:
        self.kind("frames", frames, dict)
        if list(frames) != sorted(wanted):
            expected = f"{sorted(wanted)}: the snapshots asked for, and the last step"
            self.fail("frames", f"of steps {list(frames) or 'none'}", expected)
        for step, frame in frames.items():
            field = f"frames[{step}]"
            self.kind(field, frame, Frame)
            self.particles(f"{field}.particles", frame.particles, problem)
            n, classes = len(frame.particles), len(problem.target)
            self.labels(f"{field}.labels", frame.labels, n, classes)
            if frame.weights is not None:
                field = f"{field}.weights"
                self.tensor(field, frame.weights, problem.source.dtype, (len(problem.source),))
                self.finite(field, frame.weights)
