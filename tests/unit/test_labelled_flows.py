"""Flows whose images are labelled after the last step, and on the way."""

import pytest
import torch

from wowbench.errors import InputError
from wowbench.flows import Checkpoint
from wowbench.methods.problem import Problem, RunContext
from wowbench.parameters import FromRegistry
from wowbench.registry import METHODS
from wowbench.space import Space

BUILD = FromRegistry(METHODS).build
GAUSSIAN = ("otdd", "mmd_product")


@pytest.fixture
def problem():
    generator = torch.Generator().manual_seed(0)
    source, target = (torch.rand(3, n, 1, 6, 5, generator=generator) for n in (4, 2))
    return Problem(source, target, Space(tuple(source.shape[2:]), bounds=(0.0, 1.0)))


@pytest.mark.parametrize("name", GAUSSIAN)
def test_a_snapshot_is_the_outcome_of_a_shorter_flow(problem, name):
    context = RunContext(1, snapshots=(0, 3, 5, 8))
    long = BUILD({"name": name, "steps": 5}).run(problem, context)
    short = BUILD({"name": name, "steps": 3}).run(problem, RunContext(1))
    assert list(long.frames) == [0, 3, 5]
    assert torch.equal(long.frames[0].particles, problem.source.flatten(0, 1))
    assert torch.equal(long.frames[3].particles, short.last.particles)
    assert torch.equal(long.frames[3].labels, short.last.labels)


@pytest.mark.parametrize("name", GAUSSIAN)
def test_standardised_images_are_not_clipped(problem, name):
    beyond = Problem(3 * problem.source - 1, 3 * problem.target - 1, Space(problem.shape))
    images = BUILD({"name": name, "steps": 1}).run(beyond, RunContext(1)).last.particles
    assert images.min() < -0.5
    assert images.max() > 1.5


@pytest.mark.parametrize("name", GAUSSIAN)
def test_classes_that_cannot_be_equally_frequent_are_refused_before_the_first_step(problem, name):
    method = BUILD({"name": name, "id": "mine", "steps": 2})
    odd = Problem(
        problem.source[:2], torch.cat([problem.target, problem.target[:2]]), problem.space
    )
    steps = []
    with pytest.raises(
        InputError, match=r"'mine': 4 images of each of 2 classes .* multiple of .* 5"
    ):
        method.run(odd, RunContext(1, progress=lambda *report: steps.append(report)))
    assert steps == []


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("otdd", "bures_program.label_by_bures_program"),
        ("mmd_product", "bures_program.label_by_bures_program"),
        ("mmdsw", "wow_coupling.label_by_wow_coupling"),
    ],
)
def test_a_label_rule_that_fails_does_not_repeat_the_flow(
    problem, name, rule, tmp_path, monkeypatch
):
    method = BUILD({"name": name, "steps": 3})
    expected = method.run(problem, RunContext(1, snapshots=(1,)))
    checkpoint, steps = Checkpoint(tmp_path / "flow", "print"), []
    context = RunContext(1, checkpoint, lambda done, _: steps.append(done), (1,))

    def fail(*_, **options):
        raise MemoryError("no room for the plan")

    with monkeypatch.context() as broken:
        broken.setattr(f"wowbench.labelling.{rule}", fail)
        with pytest.raises(MemoryError):
            method.run(problem, context)
    assert steps == [3]
    outcome = method.run(problem, context)
    assert steps == [3]
    assert torch.equal(outcome.last.particles, expected.last.particles)
    assert torch.equal(outcome.last.labels, expected.last.labels)
    assert torch.equal(outcome.losses, expected.losses)
    assert torch.equal(outcome.frames[1].particles, expected.frames[1].particles)
    assert outcome.metrics == expected.metrics
