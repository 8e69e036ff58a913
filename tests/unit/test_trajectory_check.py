"""What a method gives back is checked, field by field."""

import dataclasses
import math
import re
from typing import ClassVar

import pytest
import torch
from pydantic import Field

from wowbench.errors import InputError, MethodError
from wowbench.methods.base import Method
from wowbench.methods.problem import Problem, RunContext
from wowbench.methods.trajectory import Frame, Trajectory
from wowbench.methods.trajectory_check import check_trajectory
from wowbench.space import Space

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


def frame(particles_=None, labels_=None, weights=None):
    given = (
        images() if particles_ is None else particles_,
        labels() if labels_ is None else labels_,
    )
    return Frame(*given, weights)


def frames(last=None, first=None):
    return {0: first or frame(), 3: frame(), STEPS: last or frame()}


def trajectory(**changes):
    fields = {
        "frames": frames(),
        "losses": torch.ones(STEPS),
        "seconds": 0.5,
        "metrics": {"one": 1.0},
    }
    return Trajectory(**fields | changes)


def check(trajectory, method=None, snapshots=(0, 3, STEPS, 99), bounds=(0.0, 1.0)):
    source, target = torch.rand(3, 2, *SHAPE), torch.rand(CLASSES, 1, *SHAPE)
    problem = Problem(source, target, Space(SHAPE, bounds=bounds))
    check_trajectory(method or Moving(), trajectory, problem, RunContext(0, snapshots=snapshots))


def with_value(value, at=(2, 1, 3, 4)):
    changed = images()
    changed[at] = value
    return changed


def test_a_good_trajectory_passes():
    check(trajectory())
    check(trajectory(seconds=0, metrics={}))
    check(trajectory(frames=frames(frame(weights=torch.ones(3)))))


def test_no_particles_are_an_outcome_too():
    none = frame(images(0), labels(0))
    check(trajectory(frames={0: none}, losses=torch.empty(0)), Still())


def test_particles_may_exceed_their_bounds_by_rounding_or_where_there_are_none():
    check(trajectory(frames=frames(frame(with_value(1 + 5e-7)))))
    check(trajectory(frames=frames(frame(with_value(-3.0)))), bounds=None)


def last(*parts, **others):
    return {"frames": frames(frame(*parts, **others))}


BAD = [
    (
        {"frames": frames() | {4: Frame(None, labels())}},
        "frames[4].particles is of type NoneType; expected Tensor",
    ),
    (
        last(images().double()),
        "frames[4].particles is torch.float64 (6, 3, 4, 5); expected torch.float32",
    ),
    (
        last(images().flatten(1)),
        "frames[4].particles is torch.float32 (6, 60); expected torch.float32 (N",
    ),
    (
        last(images().mT),
        "frames[4].particles is torch.float32 (6, 3, 5, 4); expected torch.float32 (N, 3",
    ),
    (
        last(with_value(math.nan)),
        "frames[4].particles[2, 1, 3, 4] is nan; expected finite values",
    ),
    (
        last(with_value(-math.inf)),
        "frames[4].particles[2, 1, 3, 4] is -inf; expected finite values",
    ),
    (last(with_value(1.01)), "frames[4].particles is in [0, 1.01]; expected values in [0, 1]"),
    (last(with_value(-0.01)), "frames[4].particles is in [-0.01, 1]; expected values in [0, 1]"),
    (
        last(None, labels().int()),
        "frames[4].labels is torch.int32 (6,); expected torch.int64 (6,)",
    ),
    (last(None, labels(5)), "frames[4].labels is torch.int64 (5,); expected torch.int64 (6,)"),
    (
        last(None, labels()[:, None]),
        "frames[4].labels is torch.int64 (6, 1); expected torch.int64 (6,)",
    ),
    (last(None, labels() + 1), "frames[4].labels is in 1..2; expected target classes, 0..1"),
    (last(None, labels() - 1), "frames[4].labels is in -1..0; expected target classes, 0..1"),
    (last(None, [0] * 6), "frames[4].labels is of type list; expected Tensor"),
    (
        last(weights=torch.ones(2)),
        "frames[4].weights is torch.float32 (2,); expected torch.float32 (3,)",
    ),
    (last(weights=torch.tensor([1, math.nan, 0])), "frames[4].weights[1] is nan; expected finite"),
    (
        {"frames": frames(first=frame(with_value(2.0)))},
        "frames[0].particles is in [0, 2]; expected",
    ),
    ({"frames": {}}, "frames is of steps none; expected [0, 3, 4]: the snapshots asked for"),
    ({"frames": {"0": None}}, "frames is of steps ['0']; expected [0, 3, 4]: the snapshots"),
    (
        {"frames": dict(reversed(frames().items()))},
        "frames is of steps [4, 3, 0]; expected [0, 3, 4]",
    ),
    ({"frames": None}, "frames is of type NoneType; expected dict"),
    ({"frames": frames() | {0: images()}}, "frames[0] is of type Tensor; expected Frame"),
    ({"losses": [1.0] * 4}, "losses is of type list; expected Tensor"),
    ({"losses": torch.ones(3)}, "losses is torch.float32 (3,); expected torch.float32 (4,)"),
    ({"losses": torch.ones(4, 1)}, "losses is torch.float32 (4, 1); expected torch.float32 (4,)"),
    ({"losses": torch.ones(4).long()}, "losses is torch.int64 (4,); expected torch.float32 (4,)"),
    ({"losses": torch.tensor([1, 2, math.nan, 3])}, "losses[2] is nan; expected finite values"),
    ({"seconds": -1e-9}, "seconds is -1e-09; expected a finite number of at least 0"),
    ({"seconds": math.inf}, "seconds is inf; expected a finite number of at least 0"),
    ({"seconds": "1"}, "seconds is '1'; expected a finite number of at least 0"),
    ({"seconds": torch.tensor(1.0)}, "seconds is tensor(1.); expected a finite number"),
    ({"metrics": [("one", 1.0)]}, "metrics is of type list; expected dict"),
    ({"metrics": {"one": math.nan}}, "metrics['one'] is nan; expected a finite number"),
    ({"metrics": {"two": None}}, "metrics['two'] is None; expected a finite number"),
    (
        {"metrics": {"three": 3.0}},
        "a key of metrics is 'three'; expected what the method declares: ",
    ),
    ({"status": "diverged"}, "status is 'diverged'; expected 'ok'; raise a DivergedError"),
]


@pytest.mark.parametrize(("changes", "message"), BAD, ids=[message for _, message in BAD])
def test_what_is_wrong_is_named_in_one_line(changes, message):
    with pytest.raises(MethodError, match="^method 'moving': " + re.escape(message)) as error:
        check(trajectory(**changes))
    assert "\n" not in str(error.value)
    assert isinstance(error.value, InputError)


def test_what_is_no_trajectory_is_named():
    with pytest.raises(MethodError, match=r"^method 'mine': what it returned is of type tuple"):
        check(dataclasses.astuple(trajectory()), Moving(id="mine"))


def test_a_method_without_steps_has_no_losses_and_one_frame():
    with pytest.raises(MethodError, match=r"losses is torch.float32 \(4,\); expected .* \(0,\)"):
        check(trajectory(frames={0: frame()}), Still())
    with pytest.raises(MethodError, match=r"frames is of steps \[0, 3, 4\]; expected \[0\]"):
        check(trajectory(losses=torch.empty(0)), Still())


def test_a_method_that_declares_no_metrics_has_none():
    class Plain(Moving):
        metrics: ClassVar[tuple[str, ...]] = ()

    with pytest.raises(MethodError, match="is 'one'; expected what the method declares: none"):
        check(trajectory(), Plain())
