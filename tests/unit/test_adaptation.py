"""Adaptation: its jobs, and the evaluation of its flows by a classifier of the target."""

import json
from pathlib import Path

import pytest
import torch

from wowbench.cli import BAD_INPUT
from wowbench.errors import InputError
from wowbench.evaluation.classifier import read_classifier
from wowbench.jobs.flowed import read_flow
from wowbench.plan import Plan
from wowbench.results.records import read_record

SMALL = {"network": "convnet", "steps": 2, "batch_size": 16}


def config(**changes):
    experiment = {
        "task": "adaptation",
        "sources": [{"name": "digits", "id": "one"}, {"name": "digits", "id": "two"}],
        "target": "digits",
        "images_per_class": 2,
        "snapshot_every": 4,
        "flows": 2,
        "methods": [{"name": "mmdsw", "steps": 10, "n_directions": 3}],
        "classifier": SMALL,
    }
    return {"name": "tiny", "experiments": [experiment | changes]}


def test_one_classifier_is_shared_by_all_sources_and_flows():
    jobs = Plan.load(config()).jobs
    (classifier,) = jobs["train"]
    draws, evaluations = (list(jobs[verb].values()) for verb in ("draw", "evaluate"))
    assert len(draws) == len(evaluations) == 4
    assert len({job.spec["source_seed"] for job in draws}) == 4
    assert {job.makers["classifier"] for job in evaluations} == {("train", classifier)}
    known = jobs["train"][classifier].spec
    for key in ("k", "target_seed", "units"):
        assert {job.spec[key] for job in draws} == {known[key]}


def test_snapshots_are_one_step_after_every_so_many_as_published():
    (job, *_) = Plan.load(config()).jobs["flow"].values()
    assert job.spec["snapshots"] == [0, 1, 5, 9]


def test_each_method_has_the_snapshots_before_its_last_step(run_of):
    methods = [
        {"name": "mmdsw", "id": name, "steps": steps, "n_directions": 3}
        for name, steps in (("short", 3), ("long", 6))
    ]
    run = run_of(config(sources=["digits"], flows=1, methods=methods))
    run.run("prepare", "draw", "flow")
    frames = {}
    for job in run.plan.jobs["flow"].values():
        frames[job.spec["axes"]["method"]] = list(read_flow(Path(job.outputs["flow"]))[0].frames)
    assert frames == {"short": [0, 1, 3], "long": [0, 1, 5, 6]}


def test_the_dataset_to_test_on_is_the_target_or_another():
    def tested(**changes):
        jobs = Plan.load(config(**changes)).jobs
        (job, *_) = jobs["evaluate"].values()
        (draw, *_) = jobs["draw"].values()
        return job.makers["test"].name, draw.makers.get("test", (None, None))[1]

    assert tested() == ("digits", None)
    assert tested(test={"name": "digits", "id": "other"}) == ("other", "other")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classifier": {"network": "lenet5"}}, "target digits has images of 8 x 8 .* 28 x 28"),
        ({"test": "MNIST"}, r"MNIST has particles of shape \(1, 28, 28\) and digits of shape"),
        ({"methods": ["train_on_target"]}, "it moves nothing, and there moved particles are score"),
    ],
)
def test_what_cannot_be_scored_is_refused(changes, message):
    with pytest.raises(InputError, match=message):
        Plan.load(config(**changes))


@pytest.fixture
def finished(run_of):
    run = run_of(config(sources=["digits"], flows=1))
    run.run()
    return run


def evaluation(run):
    (name,) = run.plan.jobs["evaluate"]
    return name, run.plan.job("evaluate", name)


def test_every_frame_is_classified_against_its_labels(finished):
    name, job = evaluation(finished)
    network = read_classifier(Path(job.inputs["classifier"])).network
    trajectory, _ = read_flow(Path(job.inputs["flow"]))
    record = read_record(Path(finished.plan.record("evaluate", name)))
    found = {row.step: row.value for row in record.measurements if row.metric == "accuracy_at_step"}
    expected = {}
    for step, frame in trajectory.frames.items():
        with torch.no_grad():
            right = network(frame.particles).argmax(1) == frame.labels
        expected[step] = right.double().mean().item()
    assert list(expected) == [0, 1, 5, 9, 10]
    assert found == expected
    metrics = [row.metric for row in record.measurements]
    assert metrics.count("accuracy") == metrics.count("test_accuracy") == 1
    assert record.inputs.keys() == {"draw", "flow", "test", "classifier"}


@pytest.mark.parametrize("option", ["test", "classifier"])
def test_what_an_evaluator_reads_has_to_be_given(finished, capsys, option):
    name, _ = evaluation(finished)
    arguments = finished.arguments("evaluate", name)
    del arguments[f"--{option}"]
    finished.arguments = lambda verb, name: arguments
    assert finished.job("evaluate", name, out="record.json") == BAD_INPUT
    (line,) = capsys.readouterr().err.strip().splitlines()[-1:]
    assert f"evaluator 'frozen_classifier' reads --{option}, and none is given" in line
    assert not Path("record.json").exists()


def test_the_classifier_of_another_job_is_refused(finished, capsys):
    name, job = evaluation(finished)
    (classifier,) = finished.plan.jobs["train"]
    spec = json.loads(finished.plan.spec("train", classifier)) | {"seed": 3}
    assert finished.job("train", classifier, spec=json.dumps(spec), record="other.json") == 0
    assert finished.job("evaluate", name, out="record.json") == BAD_INPUT
    assert f"{job.inputs['classifier']}: made with seed = 3, expected" in capsys.readouterr().err
