"""What a method's outcome must be, seen to when it returns."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from wowbench.errors import MethodError
from wowbench.methods.base import Method, Outcome, Problem, RunContext, Snapshot

if TYPE_CHECKING:
    from torch import Tensor

OVERSHOOT = 1e-6
"""How far an image of values in [0, 1] may exceed them, by rounding."""


def check_outcome(method: Method, outcome: Outcome, problem: Problem, context: RunContext) -> None:
    """Refuse an outcome that is not what `Outcome` says it is.

    Parameters
    ----------
    method : Method
        What gave it.
    outcome : Outcome
        What its `run` returned.
    problem, context : Problem and RunContext
        What it was given.

    Raises
    ------
    MethodError
        In one line that names the method and the field, what was found and what is expected.
    """
    check = _Check(f"method {method.label!r}")
    check.kind("what it returned", outcome, Outcome)
    steps = getattr(method, "steps", 0)
    check.images(outcome.images, "images", problem)
    check.labels(outcome.labels, "labels", len(outcome.images), len(problem.target))
    check.losses(outcome.losses, steps)
    check.number("seconds", outcome.seconds, least=0)
    samples = outcome.training_samples
    if type(samples) is not int or samples < 1:
        check.fail("training_samples", repr(samples), "an integer of at least 1")
    check.metrics(outcome.metrics, method.metrics)
    check.snapshots(outcome.snapshots, context.snapshots_before(steps), problem)


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

    def images(self, images: Tensor, field: str, problem: Problem) -> None:
        self.tensor(field, images, problem.source.dtype, ("N", *problem.image_shape))
        self.finite(field, images)
        if problem.standardised or images.numel() == 0:
            return
        low, high = images.min().item(), images.max().item()
        if low < -OVERSHOOT or high > 1 + OVERSHOOT:
            self.fail(field, f"in [{low:g}, {high:g}]", "values in [0, 1]: clip them")

    def labels(self, labels: Tensor, field: str, n: int, classes: int) -> None:
        import torch

        self.tensor(field, labels, torch.int64, (n,))
        if n and not 0 <= labels.min() <= labels.max() < classes:
            found = f"in {labels.min().item()}..{labels.max().item()}"
            self.fail(field, found, f"target classes, 0..{classes - 1}")

    def losses(self, losses: Tensor, steps: int) -> None:
        import torch

        self.kind("losses", losses, torch.Tensor)
        dtype = losses.dtype if losses.is_floating_point() else torch.float32
        self.tensor("losses", losses, dtype, (steps,))
        self.finite("losses", losses)

    def metrics(self, metrics: dict[str, float], declared: tuple[str, ...]) -> None:
        self.kind("metrics", metrics, dict)
        for name, value in metrics.items():
            if name not in declared:
                names = ", ".join(declared) or "none"
                self.fail("a key of metrics", repr(name), f"what the method declares: {names}")
            self.number(f"metrics[{name!r}]", value)

    def snapshots(
        self, snapshots: dict[int, Snapshot], asked: tuple[int, ...], problem: Problem
    ) -> None:
        self.kind("snapshots", snapshots, dict)
        if set(snapshots) != set(asked):
            found, wanted = (list(steps) or "none" for steps in (snapshots, asked))
            self.fail("snapshots", f"of steps {found}", f"those asked for: {wanted}")
        for step, kept in snapshots.items():
            field = f"snapshots[{step}]"
            self.kind(field, kept, Snapshot)
            self.images(kept.images, f"{field}.images", problem)
            self.labels(kept.labels, f"{field}.labels", len(kept.images), len(problem.target))
