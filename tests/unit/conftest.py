"""A whole run of a few jobs, in this process."""

import json
import shutil

import pytest

from wowbench.cli import main
from wowbench.plan import Plan

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
    """Jobs of the config `TINY`, run by hand in the working directory."""

    config = TINY

    def __init__(self):
        self.plan = Plan.load(TINY)

    def arguments(self, verb, name):
        """Arguments of a job, as the workflow gives them."""
        job = self.plan.job(verb, name)
        arguments = {"--spec": json.dumps(job.spec), **{f"--{k}": v for k, v in job.inputs.items()}}
        if job.outputs:
            (out,) = job.outputs.values()
            arguments |= {"--out": out, "--record": self.plan.record(verb, name)}
        else:
            arguments["--out"] = self.plan.record(verb, name)
        if verb in ("flow", "evaluate"):
            arguments["--device"] = "cpu"
        return arguments

    def job(self, verb, name, **changes):
        """Run a job, with some of its arguments changed; its exit status."""
        arguments = self.arguments(verb, name) | {f"--{k}": v for k, v in changes.items()}
        return main([verb, *(str(text) for pair in arguments.items() for text in pair)])

    def run(self):
        """Run all jobs."""
        for verb, jobs in self.plan.jobs.items():
            for name in jobs:
                assert self.job(verb, name) == 0

    def name(self, verb, ending=""):
        """Name of the only job of a verb whose name has this in it."""
        (name,) = (name for name in self.plan.jobs[verb] if ending in name)
        return name


@pytest.fixture(scope="session")
def finished_tiny_run(tmp_path_factory):
    """Folder in which `TinyRun` has run; not to be changed."""
    folder = tmp_path_factory.mktemp("tiny")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        TinyRun().run()
    return folder


@pytest.fixture
def tiny_run(finished_tiny_run, tmp_path, monkeypatch):
    """A finished run in a working directory of its own."""
    shutil.copytree(finished_tiny_run, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return TinyRun()
