"""Scores of runs that never ran: gathered from records made up for them."""

import hashlib
import json

import pytest

from wowbench.plan import Plan
from wowbench.results import scores as module


def _digest(job):
    """Digest that two draws share if, and only if, their specs do."""
    spec = {key: value for key, value in job.spec.items() if key != "axes"}
    return hashlib.sha256(json.dumps([spec, job.inputs], sort_keys=True).encode()).hexdigest()


def _records(plan, value, status):
    draws = {
        plan.path("draws", f"{n}.safetensors"): _digest(j) for n, j in plan.jobs["draw"].items()
    }
    for verb in ("flow", "evaluate"):
        for name, job in plan.jobs[verb].items():
            measurements = [{"metric": "seconds_per_step", "value": 0.01}]
            if verb == "evaluate":
                measurements = list(_accuracies(job, value))
            state, message = status(job.spec["axes"])
            yield (
                plan.path("records", f"{verb}/{name}.json"),
                {
                    "job": verb,
                    "spec": job.spec,
                    "status": state,
                    "message": message,
                    "measurements": measurements if state == "ok" else [],
                    "inputs": {"draw": draws[job.inputs["draw"]]},
                    "provenance": {"device": "cpu", "commit": "0" * 40},
                },
            )


def _accuracies(job, value):
    for columns in job.columns:
        protocol = {key: columns[key] for key in ("protocol",) if key in columns}
        for training in range(len(job.spec["seeds"])):
            row = {**job.spec["axes"], **columns, "training_seed": training}
            number = float(value(row))
            yield {"training_seed": training, "metric": "accuracy", **protocol, "value": number}


@pytest.fixture
def scores_of(monkeypatch):
    """Return a function ``(*experiments, value, status)`` that gives the scores of a run.

    ``value(row)`` is the accuracy of one training, from the axes and columns of its row, and
    ``status(axes)`` a job's status and message.
    """

    def gather(*experiments, value=lambda row: 0.5, status=lambda axes: ("ok", "")):
        plan = Plan.load({"name": "made_up", "experiments": list(experiments)})
        records = dict(_records(plan, value, status))
        monkeypatch.setattr(module, "read_record", lambda path, *rest: records[str(path)])
        return module.gather_scores(plan)

    return gather
