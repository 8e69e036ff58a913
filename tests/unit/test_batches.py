"""Which jobs share a process: those that are alike, and no more than are allowed."""

import json
import re

import jsonschema
import pytest

from wowbench import batches as module
from wowbench.config import config_schema
from wowbench.errors import InputError
from wowbench.plan import Plan

EXPERIMENT = {
    "task": "transfer",
    "source": "MNIST",
    "targets": ["FashionMNIST", "KMNIST"],
    "shots": [1, 5],
    "images_per_class": 10,
    "flows": 5,
    "trainings": 1,
    "methods": ["train_on_target", {"name": "mmdsw", "steps": 20}],
}
DISTANCES = {
    "task": "distance",
    "mode": "between",
    "datasets": ["MNIST", "FashionMNIST", "KMNIST"],
    "per_class": 50,
    "pairs": 2,
    "diagonal": True,
    "distances": ["sotdd", "wow", "energy", "mmdsw"],
}


def plan_of(together, **changes):
    experiments = [EXPERIMENT, EXPERIMENT | {"id": "again"} | changes]
    experiments += [DISTANCES, DISTANCES | {"id": "far"}]
    return Plan.load({"name": "made_up", "experiments": experiments, "together": together})


def values(plan, verb, names, *path):
    """Different values of a key of the specs of a batch."""
    found = set()
    for name in names:
        value = plan.job(verb, name).spec
        for key in path:
            value = value[key]
        found.add(json.dumps(value))
    return found


def test_by_default_every_job_has_a_process_of_its_own():
    plan = plan_of({})
    for verb in plan.jobs:
        assert plan.batches(verb) == [(name,) for name in plan.jobs[verb]]
        assert plan.shared(verb) == []
        assert plan.alone(verb) == ".+"


def test_each_job_is_in_one_batch_and_none_is_another_job():
    plan, alone = plan_of({"flow": 4, "evaluate": 3, "distance": 2}), plan_of({})
    assert plan.jobs == alone.jobs
    assert plan.config_json == alone.config_json
    for verb, jobs in plan.jobs.items():
        found = [name for names in plan.batches(verb) for name in names]
        assert sorted(found) == sorted(jobs)


def test_flows_of_a_process_differ_by_draw_and_k_alone():
    plan = plan_of({"flow": 64})
    batches = plan.batches("flow")
    # 2 experiments, 2 targets and 2 methods, each with 2 k of 5 flows.
    assert [len(names) for names in batches] == [10] * 8
    for names in batches:
        assert len(values(plan, "flow", names, "method")) == 1
        assert len(values(plan, "flow", names, "axes", "target")) == 1
        assert len(values(plan, "flow", names, "axes", "experiment")) == 1
        assert values(plan, "flow", names, "axes", "k") == {"1", "5"}


def test_evaluations_of_a_process_are_of_one_cell():
    plan = plan_of({"evaluate": 64})
    batches = plan.batches("evaluate")
    assert [len(names) for names in batches] == [5] * 16
    for names in batches:
        for axis in ("method", "target", "experiment", "k"):
            assert len(values(plan, "evaluate", names, "axes", axis)) == 1


def test_distances_of_a_process_are_between_the_same_two_datasets():
    plan = plan_of({"distance": 64})
    batches = plan.batches("distance")
    # 2 experiments, each with 3 pairs of datasets and 3 of one and itself, and the reference.
    assert [len(names) for names in batches] == [5] * 12
    for names in batches:
        assert len(plan.reads_of("distance", *names)) <= 2
        for axis in ("source", "target", "experiment"):
            assert len(values(plan, "distance", names, "axes", axis)) == 1
        assert len(values(plan, "distance", names, "subsets")) == 1
        assert len(values(plan, "distance", names, "distance")) == 5


def test_jobs_that_follow_one_another_ask_for_the_room_of_the_largest():
    plan = plan_of({"flow": 64, "evaluate": 64, "distance": 64})
    for verb, room in (("flow", sum), ("evaluate", max), ("distance", max)):
        names = plan.shared(verb)[0]
        each = [plan.needs(verb, name, attempt=1) for name in names]
        found = plan.needs(verb, *names, attempt=1)
        assert found == (room(one.mem_mb for one in each), sum(one.minutes for one in each))


@pytest.mark.parametrize(("most", "sizes"), [(2, [1, 2, 2]), (3, [2, 3]), (4, [2, 3]), (5, [5])])
def test_jobs_are_shared_evenly(most, sizes):
    plan = plan_of({"evaluate": most})
    found = [len(names) for names in plan.batches("evaluate")]
    assert found == sizes * 16
    plan = plan_of({"distance": most})
    assert [len(names) for names in plan.batches("distance")] == sizes * 12


def test_specs_that_are_too_long_for_a_command_are_split(monkeypatch):
    plan = plan_of({"flow": 64})
    longest = max(len(plan.spec("flow", name)) for name in plan.jobs["flow"])
    monkeypatch.setattr(module, "COMMAND_LENGTH", 5 * longest)
    for names in plan.batches("flow"):
        assert 1 < len(names) <= 5
        assert sum(len(plan.spec("flow", name)) for name in names) <= 5 * longest
    monkeypatch.setattr(module, "COMMAND_LENGTH", 1)
    assert sorted(plan.batches("flow")) == sorted(plan_of({}).batches("flow"))


def test_the_rule_of_single_jobs_takes_those_alone():
    plan = plan_of({"flow": 4, "evaluate": 2, "distance": 4})
    for verb in ("flow", "evaluate", "distance"):
        single = re.compile(f"(?:{plan.alone(verb)})$")
        for names in plan.batches(verb):
            assert [bool(single.match(name)) for name in names] == [len(names) == 1] * len(names)
    plan = plan_of({"flow": 64})
    assert not any(re.match(f"(?:{plan.alone('flow')})$", name) for name in plan.jobs["flow"])


@pytest.mark.parametrize("verb", ["flow", "evaluate", "distance"])
def test_a_command_has_the_options_of_each_job_in_turn(verb):
    plan = plan_of({verb: 2})
    names = plan.shared(verb)[0]
    arguments = plan.arguments(verb, *names)
    assert arguments == [text for name in names for text in plan.arguments(verb, name)]
    files = [text for text in arguments if text.startswith("results/")]
    assert set(files) == {*plan.reads_of(verb, *names), *plan.writes(verb, *names)}
    assert len(plan.reads_of(verb, *names)) == len(set(plan.reads_of(verb, *names)))
    assert plan.writes(verb, *names) == [
        path
        for name in names
        for path in (*plan.job(verb, name).outputs.values(), plan.record(verb, name))
    ]
    assert plan.log(verb, names) == plan.path("logs", f"{verb}/{names[0]}.log")


def test_what_salvages_knows_the_batches():
    plan = plan_of({"flow": 3})
    again = Plan.load(plan.config_json_with_batches)
    assert again.batches("flow") == plan.batches("flow")


@pytest.mark.parametrize(
    ("together", "message"),
    [
        ({"draw": 3}, "together: unknown key 'draw'; expected one of distance, evaluate, flow"),
        ({"flows": 3}, "together: unknown key 'flows'; did you mean 'flow'?"),
        ({"flow": 0}, "together.flow: got 0 (int); Input should be greater than or equal to 1"),
        ({"distance": 0}, "together.distance: got 0 (int); Input should be greater than or equal"),
        ({"evaluate": 65}, "together.evaluate: got 65 (int); Input should be less than or equal"),
        ({"flow": "all"}, "together.flow: got 'all' (str); Input should be a valid integer"),
        ({"flow": True}, "flow: got True; expected a number, not true or false"),
        (8, "together: got 8 (int)"),
    ],
)
def test_a_bad_count_is_one_line(together, message):
    with pytest.raises(InputError) as caught:
        plan_of(together)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    config = {"name": "made_up", "experiments": [EXPERIMENT], "together": together}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(config, config_schema())
