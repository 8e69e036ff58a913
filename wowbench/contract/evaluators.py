"""What every evaluator keeps to."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from wowbench.contract import descriptions
from wowbench.contract.checks import Check, require
from wowbench.evaluators.base import EVIDENCE, REPEATS, Evaluator, Evidence

if TYPE_CHECKING:
    from wowbench.methods.trajectory import Frame

CLASSES, SHAPE = 3, (1, 28, 28)
SEEDS = [1, 2]

DESCRIPTIONS = (
    descriptions.has_a_summary,
    descriptions.documents_its_parameters,
    descriptions.keeps_its_parameters_through_json,
    descriptions.imports_no_torch,
)


def names_its_metrics_with_their_ranges(evaluator: Evaluator) -> None:
    """Require names in lower case, each with a lower and an upper bound."""
    require(evaluator.metrics, "metrics is empty; expected at least one name with its range")
    for name, bounds in evaluator.metrics.items():
        descriptions.require_metric_name(name)
        fits = isinstance(bounds, tuple) and len(bounds) == 2 and bounds[0] <= bounds[1]
        require(fits, f"the range of {name} is {bounds!r}; expected (least, greatest)")


def reads_what_there_is(evaluator: Evaluator) -> None:
    """Require that it asks for nothing that no task can give."""
    unknown = ", ".join(sorted(evaluator.reads - EVIDENCE))
    known = ", ".join(sorted(EVIDENCE))
    require(not unknown, f"reads has {unknown}; expected among {known}")


def measures_what_it_declares(evaluator: Evaluator) -> None:
    """Require numbers in the range of their metric, under keys that scores have."""
    rows = evaluator.score(small_evidence(), SEEDS, "cpu")
    require(rows, "it measures nothing")
    for row in rows:
        unknown = ", ".join(row.keys() - {"metric", "value", *REPEATS})
        require(not unknown, f"a row has {unknown}; such columns belong to its `columns`")
        name, value = row["metric"], row["value"]
        known = ", ".join(evaluator.metrics)
        require(name in evaluator.metrics, f"it measures {name!r}, and declares {known}")
        least, greatest = evaluator.metrics[name]
        fits = isinstance(value, float) and least <= value <= greatest
        require(fits, f"{name} is {value!r}; expected a float from {least:g} to {greatest:g}")


def follows_from_the_seeds(evaluator: Evaluator) -> None:
    """Require the same numbers of the same evidence and seeds, one set for each training."""
    first, again = (evaluator.score(small_evidence(), SEEDS, "cpu") for _ in range(2))
    require(first == again, "two evaluations with the same seeds measure other numbers")
    trainings = {row.get("training_seed") for row in first} - {None}
    expected = set(range(len(SEEDS)))
    require(
        trainings in (set(), expected),
        f"it numbers trainings {sorted(trainings)}; expected {sorted(expected)}, or none",
    )


CHECKS = (
    *DESCRIPTIONS,
    names_its_metrics_with_their_ranges,
    reads_what_there_is,
    measures_what_it_declares,
    follows_from_the_seeds,
)


def evaluator_checks(evaluator: Evaluator) -> list[Check]:
    """List all checks of an evaluator, which scores a small flow several times."""
    return [Check.of(function, partial(function, evaluator)) for function in CHECKS]


def small_evidence() -> Evidence:
    """Return a flow of few random images with one snapshot, a test split and a classifier."""
    import numpy as np
    import torch

    from wowbench.datasets.base import LabelledParticles
    from wowbench.evaluation.classifier import Classifier
    from wowbench.evaluation.networks import build_network
    from wowbench.jobs.drawn import Drawn
    from wowbench.methods.trajectory import Trajectory

    generator = torch.Generator().manual_seed(0)

    def stored(*sizes: int) -> torch.Tensor:
        return torch.randint(256, (*sizes, *SHAPE), dtype=torch.uint8, generator=generator)

    drawn = Drawn(stored(CLASSES, 4), stored(CLASSES, 2), classes=("a", "b", "c"))
    natural = drawn.space.natural(drawn.source).flatten(0, 1)
    frames = {0: _frame(natural), 2: _frame(natural.flip(0))}
    test = LabelledParticles(
        particles=stored(6).numpy(),
        labels=np.arange(6) % CLASSES,
        classes=drawn.classes,
        dataset="random",
        split="test",
    )
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        network = build_network("lenet5", SHAPE, CLASSES)
    classifier = Classifier(network, SHAPE)
    return Evidence(drawn, Trajectory(frames, torch.ones(2)), test, classifier)


def _frame(particles) -> Frame:
    import torch

    from wowbench.methods.trajectory import Frame

    return Frame(particles, torch.arange(CLASSES).repeat_interleave(len(particles) // CLASSES))
