"""Score what a method made of a draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import Field

from wowbench.datasets.prepared import read_prepared
from wowbench.errors import InputError
from wowbench.evaluation.classifier import read_classifier
from wowbench.evaluators.base import EvaluatorEntry, Evidence
from wowbench.jobs.drawn import read_draw
from wowbench.jobs.flowed import read_flow
from wowbench.jobs.machine import limit_threads, resolve_device
from wowbench.jobs.together import parse_specs, run_jobs
from wowbench.parameters import Parameters, Seed
from wowbench.plugins import JobSpec
from wowbench.results.records import Measurement, recorded


class _EvaluateInputs(Parameters):
    draw: dict
    flow: dict
    test: dict | None = None
    classifier: dict | None = None


class EvaluateSpec(JobSpec):
    """Spec of ``wowbench evaluate``.

    Parameters
    ----------
    evaluators : list of evaluators
        What scores the flow: names, or mappings of the name and parameters.
    seeds : list of int
        Seeds of the trainings of those that train.
    threads : int
        CPU threads.
    axes : dict
        The columns of the scores that the job belongs to.
    inputs : dict
        Specs of the jobs that make ``draw``, ``flow`` and, where they are read, the prepared
        dataset to ``test`` on and the ``classifier``.
    """

    evaluators: list[EvaluatorEntry] = Field(min_length=1)
    seeds: list[Seed]
    threads: int = Field(gt=0, le=1024)
    axes: dict[str, Any]
    inputs: _EvaluateInputs


@dataclass(frozen=True)
class Job:
    """A flow to score.

    Attributes
    ----------
    values : dict
        See `EvaluateSpec`.
    draw, flow : Path
        Files of the draw and of the method's trajectory.
    out : Path
        File of the record, which holds the scores.
    test : Path, optional
        Prepared dataset whose test split the evaluators read.
    classifier : Path, optional
        Classifier that they read.
    """

    values: dict
    draw: Path
    flow: Path
    out: Path
    test: Path | None = None
    classifier: Path | None = None


def run(jobs: Sequence[Job], *, device: str) -> None:
    """Score flows by each evaluator, one after another.

    A training that diverges, or that cannot take what the flow made, is recorded as such.

    Parameters
    ----------
    jobs : sequence of Job
        At least one.
    device : str
        Torch device.

    Raises
    ------
    InputError
        For a bad spec, or a file that is missing, or not of the jobs that the spec names.
    JobsFailedError
        If one of several jobs failed, once all have ended.
    """
    specs = parse_specs(EvaluateSpec, [(str(job.out), job.values) for job in jobs])
    for job, spec in zip(jobs, specs.values(), strict=True):
        for evaluator in spec.evaluators:
            for option in sorted(evaluator.reads):
                if getattr(job, option) is None:
                    raise InputError(
                        f"evaluator {evaluator.name!r} reads --{option}, and none is given"
                    )
    device = resolve_device(device)
    with limit_threads(next(iter(specs.values())).threads):
        run_jobs(
            {
                name: partial(_run, job, spec, device, together=len(jobs))
                for job, (name, spec) in zip(jobs, specs.items(), strict=True)
            },
            device,
        )


def _run(job: Job, spec: EvaluateSpec, device: str, *, together: int) -> None:
    with recorded(job.out, "evaluate", job.values, device, together=together) as entry:
        trajectory, entry.inputs["flow"] = read_flow(job.flow, spec.inputs.flow)
        drawn = read_draw(job.draw, spec.inputs.draw)
        entry.inputs["draw"] = drawn.digest
        prepared = trained = None
        if job.test is not None:
            prepared = read_prepared(job.test, spec.inputs.test)
            entry.inputs["test"] = prepared.digest
        if job.classifier is not None:
            trained = read_classifier(job.classifier, spec.inputs.classifier)
            entry.inputs["classifier"] = trained.digest
        if trajectory.status != "ok":
            entry.status, entry.message = "diverged", "the flow diverged; nothing to evaluate"
            return
        evidence = Evidence(drawn, trajectory, prepared and prepared.test, trained)
        measurements = []
        try:
            for evaluator in spec.evaluators:
                rows = evaluator.score(evidence, spec.seeds, device)
                measurements += [Measurement(**evaluator.columns(), **row) for row in rows]
        except ArithmeticError as error:
            entry.status, entry.message = "diverged", str(error)
        except InputError as error:
            entry.status, entry.message = "refused", str(error)
        else:
            entry.measurements = measurements
