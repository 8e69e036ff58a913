"""The columns of cells: parameters as text, and departures from the published ones."""

import subprocess
import sys
from pathlib import Path

import pytest

from wowbench.parameters import FromRegistry
from wowbench.plan import Plan
from wowbench.registry import METHODS, TASKS
from wowbench.settings import as_text, bundled_suffix, flattened

ROOT = Path(__file__).parents[2]
DIGITS, CLOTHES = "MNIST", "FashionMNIST"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5000, "5000"),
        (1.0, "1.0"),
        (True, "True"),
        (None, ""),
        ("a b", "a b"),
        ([1.5, "x"], '[1.5, "x"]'),
    ],
)
def test_a_value_is_written_as_text(value, text):
    assert as_text(value) == text


def test_nested_values_have_dotted_names():
    values = {"n": 3, "training": {"epochs": 5, "deep": {"lr": 0.1}}}
    flat = {"task.n": "3", "task.training.epochs": "5", "task.training.deep.lr": "0.1"}
    assert flattened(values, "task.") == flat


def transfer(**changes):
    experiment = {"task": "transfer", "source": DIGITS, "targets": [CLOTHES], "shots": [5]}
    return experiment | {"methods": ["mmdsw"], "flows": 1} | changes


def columns(experiment):
    (job,) = Plan.load({"name": "test", "experiments": [experiment]}).jobs["evaluate"].values()
    (found,) = job.columns
    return found


def departures(**changes):
    return columns(transfer(**changes))["departures"]


def test_columns_hold_the_parameters_and_no_axis():
    method = {"name": "mmdsw", "id": "slow", "steps": 7}
    found = columns(transfer(methods=[method], images_per_class=9, training={"epochs": 2}))
    assert found["algorithm"] == "mmdsw"
    assert found["method.steps"] == "7"
    assert found["task.images_per_class"] == "9"
    assert found["task.training.epochs"] == "2"
    assert found["source.bundled"] == found["target.bundled"] == "False"
    for axis in ("method.id", "task.shots", "task.flows", "task.trainings", "source.name"):
        assert axis not in found


def test_columns_stand_beside_the_spec():
    plan = Plan.load({"name": "test", "experiments": [transfer()]})
    for verb in ("flow", "evaluate"):
        (job,) = plan.jobs[verb].values()
        assert not set(job.columns[0]) & (set(job.spec) | set(job.spec["axes"]))


def test_no_job_imports_what_makes_the_columns():
    code = (
        "import sys;"
        "from wowbench.jobs import distance, draw, evaluate, flow, prepare, train;"
        "from wowbench import registry as r;"
        "r.METHODS.names(), r.EVALUATORS.names(), r.DATASETS.names();"
        "assert 'wowbench.settings' not in sys.modules, 'an edit of it would rerun jobs';"
        "assert 'wowbench.tasks' not in sys.modules, 'an edit of a task would rerun jobs'"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, ""),
        ({"spread": "fixed", "flows": 1, "trainings": 2}, ""),
        (
            {"methods": [{"name": "mmdsw", "steps": 1500, "n_directions": 50}]},
            "steps 1500, not 5000; n_directions 50, not 500",
        ),
        ({"methods": [{"name": "mmdsw", "quantiles": "linear", "embedding": True}]}, ""),
        ({"methods": [{"name": "mmdsw", "augmentation": ["flip"]}]}, ""),
        ({"shots": [100]}, "steps 5000, not 20000"),
        ({"shots": [100], "methods": [{"name": "mmdsw", "steps": 20000}]}, ""),
        ({"shots": [100], "methods": ["otdd"]}, ""),
        ({"methods": [{"name": "mmd_product", "steps": 50}]}, "steps 50, not 20000"),
        ({"methods": [{"name": "mmd_product", "bandwidths": [100, 50, 1]}]},
         "bandwidths 100.0, 50.0, 1.0, not 100.0, 50.0, 1000.0"),
        ({"images_per_class": 100}, "images_per_class 100, not 200"),
        ({"training": {"epochs": 10}}, "training.epochs 10, not 50"),
        ({"source": {"name": DIGITS, "bundled": True}}, "source bundled"),
        ({"targets": [{"name": CLOTHES, "bundled": True}]}, "target bundled"),
        ({"methods": [{"name": "mmdsw", "kernel": {"name": "gaussian", "h": 0.1}}]},
         "kernel gaussian, not riesz"),
        ({"source": {"name": DIGITS, "image_size": 32},
          "targets": [{"name": CLOTHES, "image_size": 32}]},
         "source image_size 32, not none; target image_size 32, not none"),
        ({"targets": ["USPS"]}, ""),
        ({"methods": ["mmdsw_fast"]},
         "n_directions 50, not 500; directions orthogonal, not gaussian"),
        ({"methods": ["mmdsw_sprint"]},
         "scheme polyak, not momentum; steps 3000, not 5000; until 0.0001, not none; "
         "n_directions frame, not 500; directions frame, not gaussian; hull yes, not no"),
    ],
)  # fmt: skip
def test_what_is_not_as_published_is_said_in_words(changes, text):
    assert departures(**changes) == text


@pytest.mark.parametrize(
    ("sides", "text"),
    [
        (("True", "True"), "bundled"),
        (("True", "False"), "source bundled"),
        (("False", "True"), "target bundled"),
        (("False", "False"), ""),
    ],
)
def test_the_side_that_is_bundled_is_named(sides, text):
    assert bundled_suffix(*sides) == text


@pytest.mark.parametrize("name", ["paper", "distillation"])
def test_the_configs_of_the_paper_depart_from_nothing_published(name):
    plan = Plan.load(ROOT / "workflow" / "config" / f"{name}.yaml")
    found = [columns for job in plan.jobs["evaluate"].values() for columns in job.columns]
    found = [c for c in found if METHODS.get(c["algorithm"]).published_as is None]
    published = [c["departures"] for c in found if c.get("protocol", "paper") == "paper"]
    assert published
    assert not any(published)


POSED = {"transfer": "free", "distillation": "by_number"}
CASES = [
    (name, task)
    for name in METHODS.names()
    for task, pairing in POSED.items()
    if pairing in METHODS.get(name).pairings
]


@pytest.mark.parametrize(("name", "task"), CASES)
@pytest.mark.parametrize("k", [1, 100])
def test_published_settings_are_values_of_the_methods_fields(name, task, k):
    method = METHODS.get(name)
    settings = method.published_settings(task, k)
    assert settings.keys() <= method.model_fields.keys() - {"id"}
    built = FromRegistry(METHODS).build({"name": name, **settings})
    assert built.model_dump(mode="json").items() >= settings.items()


@pytest.mark.parametrize("name", TASKS.names())
def test_a_task_says_of_each_field_whether_it_is_an_axis(name):
    task = TASKS.get(name)
    assert task.axis_fields <= task.model_fields.keys()
    assert task.published_settings().keys() <= task.model_fields.keys() - task.axis_fields
