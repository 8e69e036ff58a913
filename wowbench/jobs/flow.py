"""Run a method on a draw."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from wowbench.canonical import canonical_json
from wowbench.errors import DivergedError
from wowbench.jobs.drawn import Drawn, read_draw
from wowbench.jobs.flowed import write_flow
from wowbench.jobs.machine import limit_threads, resolve_device
from wowbench.jobs.progress import Progress
from wowbench.jobs.together import parse_specs, run_jobs
from wowbench.methods.base import Method, MethodEntry
from wowbench.methods.problem import Pairing, Problem, RunContext
from wowbench.methods.trajectory import Trajectory
from wowbench.methods.trajectory_check import check_trajectory
from wowbench.parameters import Count, Parameters, Seed, defining_modules
from wowbench.plugins import JobSpec
from wowbench.results.records import Record, recorded
from wowbench.sources import source_digest

if TYPE_CHECKING:
    from wowbench.flows import Checkpoint

logger = logging.getLogger(__name__)


class ProblemSpec(Parameters):
    """What a task says of its problems.

    Parameters
    ----------
    pairing, batch_size
        See `wowbench.methods.problem.Problem`.
    clip : bool
        Whether moved particles are clipped to [0, 1] before they are labelled.
    """

    pairing: Pairing
    batch_size: Count | None = None
    clip: bool = False


class _FlowInputs(Parameters):
    draw: dict


class FlowSpec(JobSpec):
    """Spec of ``wowbench flow``.

    Parameters
    ----------
    method : method
        A name, or a mapping of the name and parameters.
    seed : int
        Seed of everything random in the flow.
    problem : mapping
        See `ProblemSpec`.
    snapshots : list of int
        Numbers of steps after which particles and labels are kept.
    threads : int
        CPU threads; sums of floats depend on it.
    axes : dict
        The columns of the scores that the job belongs to.
    inputs : dict
        Spec of the job that makes the ``draw``.
    """

    method: MethodEntry
    seed: Seed
    problem: ProblemSpec
    snapshots: list[int]
    threads: int = Field(gt=0, le=1024)
    axes: dict[str, Any]
    inputs: _FlowInputs


@dataclass(frozen=True)
class Job:
    """A flow to run.

    Attributes
    ----------
    values : dict
        See `FlowSpec`.
    draw : Path
        File of the draw.
    out, record : Path
        Files to write.
    """

    values: dict
    draw: Path
    out: Path
    record: Path


def run(jobs: Sequence[Job], *, device: str, allow_divergence: bool) -> None:
    """Run flows, each a method on a draw.

    On a CPU they follow one another. On a GPU they run at once, each in a thread and on a stream of
    its own, and with a generator and a captured step of its own: it launches the kernels that it
    launches alone, so that its bits are those that it has alone. Their steps have no time of their
    own then, and none is recorded.

    A checkpoint is kept beside `out`, and used only by a run of the same spec on the same draw with
    the same sources. It stays until all flows have ended well, so that one that fails costs the
    others no step when they run again.

    Parameters
    ----------
    jobs : sequence of Job
        At least one.
    device : str
        Torch device.
    allow_divergence : bool
        Whether a divergence is a result. It is recorded either way, with a trajectory that has no
        frames.

    Raises
    ------
    InputError
        For a bad spec, the file of another draw, or a trajectory that is none.
    DivergedError
        If the flow diverges and `allow_divergence` is false.
    JobsFailedError
        If one of several flows failed, once all have ended.
    """
    specs = parse_specs(FlowSpec, [(str(job.record), job.values) for job in jobs])
    device = resolve_device(device)
    at_once = _run_at_once(device, specs.values())
    with limit_threads(next(iter(specs.values())).threads):
        checkpoints = run_jobs(
            {
                name: partial(
                    _run,
                    job,
                    spec,
                    device,
                    allow_divergence=allow_divergence,
                    together=len(jobs),
                    timed=not at_once,
                )
                for job, (name, spec) in zip(jobs, specs.items(), strict=True)
            },
            device,
            at_once=at_once,
        )
    for checkpoint in checkpoints:
        checkpoint.remove()


def _run_at_once(device: str, specs: Collection[FlowSpec]) -> bool:
    """Whether flows run at the same time."""
    able = all(spec.method.concurrent for spec in specs)
    return device.startswith("cuda") and len(specs) > 1 and able


def _run(
    job: Job,
    spec: FlowSpec,
    device: str,
    *,
    allow_divergence: bool,
    together: int,
    timed: bool,
) -> Checkpoint:
    """Run a flow, and return its checkpoint, which holds its end."""
    from wowbench.flows import Checkpoint

    method, diverged = spec.method, None
    with recorded(job.record, "flow", job.values, device, together=together) as entry:
        entry.files = {
            name: os.path.relpath(path, job.record.parent)
            for name, path in (("draw", job.draw), ("flow", job.out))
        }
        drawn = read_draw(job.draw, spec.inputs.draw)
        entry.inputs["draw"] = drawn.digest
        problem = _problem(drawn, spec.problem, device)
        method.check_sizes(**problem.sizes)
        fingerprint = _fingerprint(job.values, method, drawn, device)
        context = RunContext(
            seed=spec.seed,
            checkpoint=Checkpoint(job.out.with_suffix(".checkpoint"), fingerprint),
            progress=Progress(getattr(method, "steps", 0), job.out.stem),
            snapshots=tuple(spec.snapshots),
        )
        try:
            trajectory = method.run(problem, context)
        except DivergedError as error:
            diverged = error
            trajectory = _diverged(error)
        else:
            check_trajectory(method, trajectory, problem, context)
            _measure(entry, trajectory, timed=timed)
        entry.status, entry.message = trajectory.status, trajectory.message
        moved = trajectory.mapped(problem.space.leave)
        entry.outputs["flow"] = write_flow(job.out, moved, job.values)
    if diverged is not None and not allow_divergence:
        context.checkpoint.remove()
        raise diverged
    if diverged is not None:
        logger.warning("%s: %s", method.label, diverged)
    return context.checkpoint


def _problem(drawn: Drawn, spec: ProblemSpec, device: str) -> Problem:
    source = drawn.source_space.enter(drawn.source.to(device))
    target = drawn.space.enter(drawn.target.to(device))
    space = replace(drawn.space, bounds=(0.0, 1.0) if spec.clip else None)
    return Problem(source, target, space, spec.pairing, spec.batch_size)


def _diverged(error: DivergedError) -> Trajectory:
    import torch

    return Trajectory({}, torch.empty(0), status="diverged", message=str(error))


def _fingerprint(values: dict, method: Method, draw: Drawn, device: str) -> str:
    """Name all that a flow's result depends on."""
    sources = source_digest(__name__, *defining_modules(method))
    kind, _, _ = device.partition(":")  # of several GPUs, any may go on
    text = canonical_json([values, draw.digest, kind, sources])
    return hashlib.sha256(text.encode()).hexdigest()


def _measure(entry: Record, trajectory: Trajectory, *, timed: bool) -> None:
    steps = len(trajectory.losses)
    if timed:
        entry.measure("flow_seconds", trajectory.seconds)
    entry.measure("steps", steps)
    if timed and steps:
        entry.measure("seconds_per_step", trajectory.seconds / steps)
    if steps:
        entry.measure("final_loss", float(trajectory.losses[-1]))
    for metric, value in trajectory.metrics.items():
        entry.measure(metric, value)
