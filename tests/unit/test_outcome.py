"""What a method gives back is checked, field by field."""

import dataclasses
import math
import re
from typing import ClassVar

import pytest
import torch
from pydantic import Field

from wowbench.errors import InputError, MethodError
from wowbench.methods.base import Method, Outcome, Problem, RunContext, Snapshot
from wowbench.methods.outcome import check_outcome

SHAPE = (3, 4, 5)
N, CLASSES, STEPS = 6, 2, 4


class Still(Method):
    """Take no step."""

    name: ClassVar[str] = "still"
    metrics: ClassVar[tuple[str, ...]] = ("one", "two")


class Moving(Still):
    """Take some."""

    name: ClassVar[str] = "moving"

    steps: int = Field(STEPS, gt=0)


def images(n=N):
    return torch.linspace(0, 1, n * 60).reshape(n, *SHAPE)


def labels(n=N):
    return torch.arange(n) % CLASSES


def outcome(**changes):
    fields = {
        "images": images(),
        "labels": labels(),
        "losses": torch.ones(STEPS),
        "seconds": 0.5,
        "training_samples": 7,
        "metrics": {"one": 1.0},
        "snapshots": {0: Snapshot(images(), labels()), 3: Snapshot(images(), labels())},
    }
    return Outcome(**fields | changes)


def check(outcome, method=None, snapshots=(0, 3, STEPS, 99), **problem):
    source, target = torch.rand(3, 2, *SHAPE), torch.rand(CLASSES, 1, *SHAPE)
    context = RunContext(0, snapshots=snapshots)
    check_outcome(method or Moving(), outcome, Problem(source, target, **problem), context)


def with_value(value, at=(2, 1, 3, 4)):
    changed = images()
    changed[at] = value
    return changed


def test_a_good_outcome_passes():
    check(outcome())
    check(outcome(seconds=0, metrics={}))


def test_no_images_are_an_outcome_too():
    none = {"images": images(0), "labels": labels(0), "losses": torch.empty(0), "snapshots": {}}
    check(outcome(**none), Still())


def test_images_may_exceed_the_unit_interval_by_rounding_or_where_they_are_standardised():
    check(outcome(images=with_value(1 + 5e-7)))
    check(outcome(images=with_value(-3.0)), standardised=True)


def snapshot(images_=None, labels_=None):
    kept = Snapshot(images() if images_ is None else images_, labels_ or labels())
    return {"snapshots": {0: kept, 3: Snapshot(images(), labels())}}


BAD = [
    ({"images": None}, "images is of type NoneType; expected Tensor"),
    ({"images": images().double()}, "images is torch.float64 (6, 3, 4, 5); expected torch.float32"),
    ({"images": images().flatten(1)}, "images is torch.float32 (6, 60); expected torch.float32 (N"),
    ({"images": images().mT}, "images is torch.float32 (6, 3, 5, 4); expected torch.float32 (N, 3"),
    ({"images": with_value(math.nan)}, "images[2, 1, 3, 4] is nan; expected finite values"),
    ({"images": with_value(-math.inf)}, "images[2, 1, 3, 4] is -inf; expected finite values"),
    ({"images": with_value(1.01)}, "images is in [0, 1.01]; expected values in [0, 1]"),
    ({"images": with_value(-0.01)}, "images is in [-0.01, 1]; expected values in [0, 1]"),
    ({"labels": labels().int()}, "labels is torch.int32 (6,); expected torch.int64 (6,)"),
    ({"labels": labels(5)}, "labels is torch.int64 (5,); expected torch.int64 (6,)"),
    ({"labels": labels()[:, None]}, "labels is torch.int64 (6, 1); expected torch.int64 (6,)"),
    ({"labels": labels() + 1}, "labels is in 1..2; expected target classes, 0..1"),
    ({"labels": labels() - 1}, "labels is in -1..0; expected target classes, 0..1"),
    ({"losses": [1.0] * 4}, "losses is of type list; expected Tensor"),
    ({"losses": torch.ones(3)}, "losses is torch.float32 (3,); expected torch.float32 (4,)"),
    ({"losses": torch.ones(4, 1)}, "losses is torch.float32 (4, 1); expected torch.float32 (4,)"),
    ({"losses": torch.ones(4).long()}, "losses is torch.int64 (4,); expected torch.float32 (4,)"),
    ({"losses": torch.tensor([1, 2, math.nan, 3])}, "losses[2] is nan; expected finite values"),
    ({"seconds": -1e-9}, "seconds is -1e-09; expected a finite number of at least 0"),
    ({"seconds": math.inf}, "seconds is inf; expected a finite number of at least 0"),
    ({"seconds": "1"}, "seconds is '1'; expected a finite number of at least 0"),
    ({"seconds": torch.tensor(1.0)}, "seconds is tensor(1.); expected a finite number"),
    ({"training_samples": 0}, "training_samples is 0; expected an integer of at least 1"),
    ({"training_samples": 7.0}, "training_samples is 7.0; expected an integer of at least 1"),
    ({"training_samples": True}, "training_samples is True; expected an integer of at least 1"),
    ({"metrics": [("one", 1.0)]}, "metrics is of type list; expected dict"),
    ({"metrics": {"one": math.nan}}, "metrics['one'] is nan; expected a finite number"),
    ({"metrics": {"two": None}}, "metrics['two'] is None; expected a finite number"),
    (
        {"metrics": {"three": 3.0}},
        "a key of metrics is 'three'; expected what the method declares: ",
    ),
    ({"snapshots": {}}, "snapshots is of steps none; expected those asked for: [0, 3]"),
    ({"snapshots": {"0": None}}, "snapshots is of steps ['0']; expected those asked for: [0, 3]"),
    ({"snapshots": None}, "snapshots is of type NoneType; expected dict"),
    ({"snapshots": {0: images(), 3: None}}, "snapshots[0] is of type Tensor; expected Snapshot"),
    (snapshot(images(5)), "snapshots[0].labels is torch.int64 (6,); expected torch.int64 (5,)"),
    (snapshot(with_value(2.0)), "snapshots[0].images is in [0, 2]; expected values in [0, 1]"),
    (snapshot(None, [0] * 6), "snapshots[0].labels is of type list; expected Tensor"),
]


@pytest.mark.parametrize(("changes", "message"), BAD, ids=[message for _, message in BAD])
def test_what_is_wrong_is_named_in_one_line(changes, message):
    with pytest.raises(MethodError, match="^method 'moving': " + re.escape(message)) as error:
        check(outcome(**changes))
    assert "\n" not in str(error.value)
    assert isinstance(error.value, InputError)


def test_what_is_no_outcome_is_named():
    with pytest.raises(MethodError, match=r"^method 'mine': what it returned is of type tuple"):
        check(dataclasses.astuple(outcome()), Moving(id="mine"))


def test_a_method_without_steps_has_no_losses_and_no_snapshots():
    with pytest.raises(MethodError, match=r"losses is torch.float32 \(4,\); expected .* \(0,\)"):
        check(outcome(), Still())
    with pytest.raises(MethodError, match=r"snapshots is of steps \[0, 3\]; .* asked for: none"):
        check(outcome(losses=torch.empty(0)), Still())


def test_a_method_that_declares_no_metrics_has_none():
    class Plain(Moving):
        metrics: ClassVar[tuple[str, ...]] = ()

    with pytest.raises(MethodError, match="is 'one'; expected what the method declares: none"):
        check(outcome(), Plain())
