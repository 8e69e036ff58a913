"""Every registered evaluator keeps to the contract, and the contract finds what breaks it."""

from typing import ClassVar

import pytest

from wowbench.contract.evaluators import evaluator_checks
from wowbench.evaluators.base import Evaluator
from wowbench.parameters import FromRegistry
from wowbench.registry import EVALUATORS

SHORT = {
    "few_shot": {"training": {"epochs": 1}},
    "few_shot_by_epoch": {"epochs": [1, 2], "images": "trajectory", "training": {"epochs": 2}},
    "distilled": {"training": {"name": "paper", "epochs": 1}},
}
"""Parameters by which evaluators that train do so in a moment, or that have no default."""

CHECKS = [
    pytest.param(check, id=f"{name}: {check.title}")
    for name in EVALUATORS.names()
    for check in evaluator_checks(
        FromRegistry(EVALUATORS).build({"name": name, **SHORT.get(name, {})})
    )
]


@pytest.mark.parametrize("check", CHECKS)
def test_it_keeps_to_the_contract(check):
    check.run()


class Good(Evaluator):
    """Count the moved particles."""

    name: ClassVar[str] = "good"
    summary: ClassVar[str] = "number of moved particles"
    metrics: ClassVar[dict[str, tuple[float, float]]] = {"moved": (0.0, float("inf"))}

    def score(self, evidence, seeds, device):
        return [{"metric": "moved", "value": float(len(evidence.trajectory.last.particles))}]


class Undeclared(Good):
    """Count under another name."""

    metrics: ClassVar[dict[str, tuple[float, float]]] = {"particles": (0.0, 1e9)}


class OutOfRange(Good):
    """Count more than may be."""

    metrics: ClassVar[dict[str, tuple[float, float]]] = {"moved": (0.0, 11.0)}


class NoRange(Good):
    """Count without a bound."""

    metrics: ClassVar[dict[str, tuple[float, float]]] = {"moved": (0.0,)}


class Reads(Good):
    """Read what no task gives."""

    reads: ClassVar[frozenset[str]] = frozenset({"tea leaves"})


class Column(Good):
    """Give a column of its own with each row."""

    def score(self, evidence, seeds, device):
        return [row | {"budget": "own"} for row in super().score(evidence, seeds, device)]


class Nothing(Good):
    """Measure nothing."""

    def score(self, evidence, seeds, device):
        return []


class OneSeed(Good):
    """Number one training of two."""

    def score(self, evidence, seeds, device):
        return [row | {"training_seed": 1} for row in super().score(evidence, seeds, device)]


calls = []


class Drifts(Good):
    """Count calls."""

    def score(self, evidence, seeds, device):
        calls.append(1)
        return [{"metric": "moved", "value": float(len(calls))}]


BROKEN = {
    Undeclared: {"measures what it declares": "it measures 'moved', and declares particles"},
    OutOfRange: {"measures what it declares": "moved is 12.0; expected a float from 0 to 11"},
    NoRange: {
        "names its metrics with their ranges": "the range of moved is (0.0,); expected (least, gre",
        "measures what it declares": "ValueError: not enough values to unpack",
    },
    Reads: {"reads what there is": "reads has tea leaves; expected among classifier, test"},
    Column: {"measures what it declares": "a row has budget; such columns belong to its `columns`"},
    Nothing: {"measures what it declares": "it measures nothing"},
    OneSeed: {"follows from the seeds": "it numbers trainings [1]; expected [0, 1], or none"},
    Drifts: {"follows from the seeds": "two evaluations with the same seeds measure other numbers"},
}


@pytest.mark.parametrize("cls", BROKEN, ids=lambda cls: cls.__name__)
def test_what_is_broken_is_found_and_nothing_else(cls):
    reasons = {check.title: check.reason() for check in evaluator_checks(cls())}
    found = {title: reason for title, reason in reasons.items() if reason is not None}
    assert found.keys() == BROKEN[cls].keys()
    for title, message in BROKEN[cls].items():
        assert found[title].startswith(message)


def test_one_that_keeps_to_it_passes():
    assert [check.reason() for check in evaluator_checks(Good()) if check.reason()] == []
