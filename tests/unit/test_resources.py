"""What jobs ask a scheduler for, beside what measured ones took."""

import re
from pathlib import Path

import pandas as pd
import pytest

from wowbench.plan import Plan, one_of
from wowbench.resources import needs

MEASURED = Path(__file__).parents[2] / "results" / "measured"
KEY = ["experiment", "source", "target", "k", "method", "flow_seed"]
TRANSFER = {
    "task": "transfer",
    "source": {"name": "MNIST", "bundled": True},
    "targets": [{"name": "FashionMNIST", "bundled": True}],
    "shots": [1],
    "images_per_class": 200,
    "flows": 1,
    "trainings": 3,
}


def planned(method, **changes):
    """The flow and the evaluation of one method, by verb."""
    experiment = TRANSFER | changes | {"methods": [method]}
    plan = Plan.load({"name": "test", "experiments": [experiment]})
    return {verb: next(iter(plan.jobs[verb].values())).spec for verb in ("flow", "evaluate")}


def minutes(verb, method, *, gpus=0, **changes):
    return needs(verb, planned(method, **changes)[verb], gpus=gpus).minutes


@pytest.mark.parametrize(
    "archive", sorted(path.parent.name for path in MEASURED.glob("*/config.yaml"))
)
def test_flows_ask_for_more_time_than_measured_ones_took(archive):
    plan = Plan.load(MEASURED / archive / "config.yaml")
    scores = pd.read_csv(MEASURED / archive / "scores.csv", dtype=dict.fromkeys(KEY, str))
    seconds = scores[scores.metric == "flow_seconds"].set_index(KEY).value.to_dict()
    found = {}
    for name, job in plan.jobs["flow"].items():
        axes = tuple(str(job.spec["axes"][key]) for key in KEY)
        if axes in seconds:
            found[axes] = plan.needs("flow", name, attempt=1).minutes - seconds[axes] / 60
    assert len(found) == len(seconds)
    # Five minutes are left for its start and its files.
    assert all(left > 5 for left in found.values())


def test_distances_ask_for_more_time_than_measured_ones_took():
    plan = Plan.load(MEASURED / "distances_mnist" / "config.yaml")
    scores = pd.read_csv(MEASURED / "distances_mnist" / "scores.csv")
    seconds = scores[scores.metric == "seconds"]
    longest = seconds.groupby(["method", "experiment"]).value.sum().max() / 60
    least = min(plan.needs("distance", name, attempt=1).minutes for name in plan.jobs["distance"])
    assert least > longest


def test_a_second_attempt_has_twice_as_much():
    plan = Plan.load({"name": "test", "experiments": [TRANSFER | {"methods": ["mmdsw"]}]})
    (name,) = plan.jobs["flow"]
    first, second = (plan.needs("flow", name, attempt=attempt) for attempt in (1, 2))
    assert second == (2 * first.mem_mb, 2 * first.minutes)


def test_flows_ask_for_more_with_more_steps_directions_particles_and_networks():
    flow = {"name": "mmdsw", "steps": 5000, "n_directions": 500}
    base = minutes("flow", flow)
    assert minutes("flow", flow | {"steps": 50_000}) > 5 * base
    assert minutes("flow", flow | {"n_directions": 5000}) > 5 * base
    assert minutes("flow", flow, images_per_class=5000) > 5 * base
    assert minutes("flow", flow | {"embedding": True}) > 5 * base
    assert minutes("flow", flow, gpus=1) < base / 2
    assert minutes("flow", "train_on_target") < base


def test_evaluations_ask_for_more_with_more_trainings():
    assert minutes("evaluate", "mmdsw", trainings=30) > 3 * minutes("evaluate", "mmdsw")


def test_memory_grows_with_particles_and_their_snapshots():
    few, many = (planned("mmdsw", images_per_class=n) for n in (200, 20_000))
    for verb in ("flow", "evaluate"):
        assert needs(verb, many[verb]).mem_mb > 2 * needs(verb, few[verb]).mem_mb
    kept = few["flow"] | {"snapshots": list(range(1000))}
    # 1,000 snapshots of 200 images of 28 x 28 floats for each of 10 classes: 6 GB.
    more = needs("flow", kept).mem_mb - needs("flow", few["flow"]).mem_mb
    assert more > 1000 * 200 * 10 * 28 * 28 * 4 / 1e6


def test_wildcards_take_the_names_of_jobs_and_no_others():
    names = ["a/b.c/flow0", "a/b"]
    assert all(re.fullmatch(one_of(names), name) for name in names)
    assert not any(re.fullmatch(one_of(names), name) for name in ("a/bxc/flow0", "a", "", "a/b/"))
    assert not any(re.fullmatch(one_of([]), name) for name in ("", "a"))
