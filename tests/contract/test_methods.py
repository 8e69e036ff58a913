"""What every registered method keeps to."""

import contextlib
import inspect
import subprocess
import sys

import pytest
import torch

from wowbench.flows import Checkpoint
from wowbench.methods.base import Problem, RunContext
from wowbench.parameters import FromRegistry
from wowbench.registry import METHODS, TASKS

ENTRY = FromRegistry(METHODS)
CLASSES, SHAPE = 3, (1, 28, 28)
SIZES = {"transfer": (6, 2), "distillation": (2, 9)}
"""Source and target images a class, by task."""

CASES = [(name, task) for name in METHODS.names() for task in sorted(METHODS.get(name).tasks)]


def quick(name):
    """Build a method with as few steps and directions as it takes."""
    fields = METHODS.get(name).model_fields
    few = {"steps": 4, "n_directions": 8}
    return ENTRY.build({"name": name} | {k: v for k, v in few.items() if k in fields})


@pytest.fixture
def problem(task):
    generator = torch.Generator().manual_seed(0)
    source, target = (torch.rand(CLASSES, n, *SHAPE, generator=generator) for n in SIZES[task])
    if task == "distillation":
        return Problem(source, target, standardised=True, same_classes=True, batch_size=4)
    return Problem(source, target)


@pytest.mark.parametrize("name", METHODS.names())
def test_its_parameters_survive_the_way_through_json(name):
    method = quick(name)
    assert ENTRY.build(ENTRY.dump(method)) == method


@pytest.mark.parametrize("name", METHODS.names())
def test_it_says_what_it_is(name):
    method = METHODS.get(name)
    assert method.tasks <= set(TASKS.names())
    assert method.tasks
    assert method.summary
    assert method.label_rule
    assert "Bonet" in inspect.getdoc(method) or "et al" in inspect.getdoc(method)


@pytest.mark.parametrize(("name", "task"), CASES)
def test_it_gives_finite_labelled_images(name, task, problem):
    outcome = quick(name).run(problem, RunContext(seed=1))
    assert outcome.images.shape[1:] == SHAPE
    assert outcome.labels.shape == outcome.images.shape[:1]
    assert outcome.labels.dtype == torch.int64
    assert outcome.images.isfinite().all()
    assert set(outcome.labels.tolist()) <= set(range(CLASSES))
    assert outcome.training_samples > 0
    assert outcome.losses.isfinite().all()


@pytest.mark.parametrize(("name", "task"), CASES)
def test_it_leaves_the_problem_as_it_was(name, task, problem):
    source, target = problem.source.clone(), problem.target.clone()
    quick(name).run(problem, RunContext(seed=1))
    assert torch.equal(problem.source, source)
    assert torch.equal(problem.target, target)


@pytest.mark.parametrize(("name", "task"), CASES)
def test_its_outcome_follows_from_the_seed(name, task, problem):
    first, second = (quick(name).run(problem, RunContext(seed=1)) for _ in range(2))
    assert torch.equal(first.images, second.images)
    assert torch.equal(first.labels, second.labels)


@pytest.mark.parametrize(("name", "task"), CASES)
def test_it_ignores_the_global_random_state(name, task, problem):
    torch.manual_seed(0)
    first = quick(name).run(problem, RunContext(seed=1))
    torch.manual_seed(1)
    second = quick(name).run(problem, RunContext(seed=1))
    assert torch.equal(first.images, second.images)


@pytest.mark.parametrize(("name", "task"), CASES)
def test_it_resumes_to_the_same_bits(name, task, problem, tmp_path):
    class InterruptionError(Exception):
        pass

    def interrupt(step, loss):
        raise InterruptionError

    method = quick(name)
    whole = method.run(problem, RunContext(seed=1))
    path = tmp_path / "checkpoint"
    with contextlib.suppress(InterruptionError):
        method.run(problem, RunContext(1, Checkpoint(path, "same", every_seconds=0), interrupt))
    resumed = method.run(problem, RunContext(1, Checkpoint(path, "same")))
    assert torch.equal(whole.images, resumed.images)
    assert torch.equal(whole.losses, resumed.losses)
    assert not path.exists()


def test_listing_methods_imports_no_torch():
    code = (
        "import sys; from wowbench.registry import METHODS, TASKS; METHODS.names(); TASKS.names();"
        "assert 'torch' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
