"""A whole run of a few jobs, in this process, and scores of runs that never ran."""

import hashlib
import json
import shutil

import pytest

from wowbench.cli import main
from wowbench.plan import Plan
from wowbench.results import scores
from wowbench.results.cells import EVALUATION
from wowbench.results.records import Record

TINY = {
    "name": "tiny",
    "experiments": [
        {
            "task": "transfer",
            "source": {"name": "digits", "image_size": 28},
            "targets": [{"name": "digits", "id": "others", "image_size": 28}],
            "shots": [1],
            "images_per_class": 2,
            "flows": 1,
            "trainings": 2,
            "methods": ["train_on_target", {"name": "mmdsw", "steps": 2, "n_directions": 3}],
            "training": {"epochs": 1},
        }
    ],
}


class TinyRun:
    """Jobs of a config, run by hand in the working directory."""

    def __init__(self, config):
        self.config = config
        self.plan = Plan.load(config)

    def arguments(self, verb, name):
        """Arguments of a job, as the workflow gives them."""
        job = self.plan.job(verb, name)
        arguments = {"--spec": json.dumps(job.spec), **{f"--{k}": v for k, v in job.inputs.items()}}
        if job.outputs:
            (out,) = job.outputs.values()
            arguments |= {"--out": out, "--record": self.plan.record(verb, name)}
        else:
            arguments["--out"] = self.plan.record(verb, name)
        if verb in ("train", "flow", "evaluate", "distance"):
            arguments["--device"] = "cpu"
        return arguments

    def job(self, verb, name, **changes):
        """Run a job, with some of its arguments changed; its exit status."""
        arguments = self.arguments(verb, name) | {f"--{k}": v for k, v in changes.items()}
        return main([verb, *(str(text) for pair in arguments.items() for text in pair)])

    def run(self, *verbs):
        """Run all jobs, or those of some verbs."""
        for verb in verbs or self.plan.jobs:
            for name in self.plan.jobs[verb]:
                assert self.job(verb, name) == 0

    def name(self, verb, ending=""):
        """Name of the only job of a verb whose name has this in it."""
        (name,) = (name for name in self.plan.jobs[verb] if ending in name)
        return name


@pytest.fixture(scope="session")
def run_by_hand():
    """The class `TinyRun`, for fixtures of longer life than a test."""
    return TinyRun


@pytest.fixture(scope="session")
def tiny_config():
    """The config `TINY`."""
    return TINY


@pytest.fixture(scope="session")
def finished_tiny_run(tmp_path_factory):
    """Folder in which `TINY` has run; not to be changed."""
    folder = tmp_path_factory.mktemp("tiny")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        TinyRun(TINY).run()
    return folder


@pytest.fixture
def tiny_run(finished_tiny_run, tmp_path, monkeypatch):
    """A finished run in a working directory of its own."""
    shutil.copytree(finished_tiny_run, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return TinyRun(TINY)


@pytest.fixture
def run_of(tmp_path, monkeypatch):
    """Return a function that gives the run of a config, in a working directory of its own."""
    monkeypatch.chdir(tmp_path)
    return TinyRun


def _digest(job):
    """Digest that two draws share if, and only if, their specs do."""
    spec = {key: value for key, value in job.spec.items() if key != "axes"}
    return hashlib.sha256(json.dumps([spec, job.makers], sort_keys=True).encode()).hexdigest()


def _records(plan, value, status):
    draws = {name: _digest(job) for name, job in plan.jobs["draw"].items()}
    for verb in ("flow", "evaluate"):
        for name, job in plan.jobs[verb].items():
            measurements = [{"metric": "seconds_per_step", "value": 0.01}]
            if verb == "evaluate":
                measurements = list(_accuracies(job, value))
            state, message = status(job.spec["axes"])
            if state == "failed":
                continue
            _, drawn = job.makers["draw"]
            yield (
                (verb, name),
                Record(
                    job=verb,
                    spec=job.spec,
                    status=state,
                    message=message,
                    measurements=measurements if state == "ok" else [],
                    inputs={"draw": draws[drawn]},
                    provenance={"device": "cpu", "commit": "0" * 40},
                ),
            )


def _accuracies(job, value):
    for columns in job.columns:
        evaluation = {key: columns[key] for key in EVALUATION if key in columns}
        for training in range(len(job.spec["seeds"])):
            row = {**job.spec["axes"], **columns, "training_seed": training}
            number = float(value(row))
            yield {"training_seed": training, "metric": "accuracy", **evaluation, "value": number}


@pytest.fixture
def scores_of(monkeypatch):
    """Return a function ``(*experiments, value, status)`` that gives the scores of a run.

    ``value(row)`` is the accuracy of one training, from the axes and columns of its row, and
    ``status(axes)`` a job's status and message.
    """

    def gather(*experiments, value=lambda row: 0.5, status=lambda axes: ("ok", "")):
        plan = Plan.load({"name": "made_up", "experiments": list(experiments)})
        records = dict(_records(plan, value, status))
        monkeypatch.setattr(scores, "read_run", lambda plan, *, partial=False: records)
        failures = {
            (verb, name): status(job.spec["axes"])[1]
            for verb in ("flow", "evaluate")
            for name, job in plan.jobs[verb].items()
            if (verb, name) not in records
        }
        return scores.gather_scores(plan, failures)

    return gather
