"""Run one method on one draw."""

from __future__ import annotations

import hashlib
import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import Field

from wowbench.canonical import canonical_json
from wowbench.errors import DivergedError
from wowbench.jobs.drawn import Drawn, read_draw
from wowbench.jobs.flowed import write_flow
from wowbench.jobs.machine import explain_full_memory, limit_threads, resolve_device
from wowbench.jobs.progress import Progress
from wowbench.methods.base import Method, MethodEntry
from wowbench.methods.problem import Pairing, Problem, RunContext
from wowbench.methods.trajectory import Trajectory
from wowbench.methods.trajectory_check import check_trajectory
from wowbench.parameters import Count, Parameters, Seed, defining_modules
from wowbench.plugins import JobSpec
from wowbench.results.records import Record, recorded
from wowbench.sources import source_digest

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


def run(
    values: dict, *, draw: Path, out: Path, record: Path, device: str, allow_divergence: bool
) -> None:
    """Run one method on a draw.

    A checkpoint is kept beside `out` until the outcome is written; it is used only by a run of
    the same spec on the same draw with the same sources.

    Parameters
    ----------
    values : dict
        See `FlowSpec`.
    draw : Path
        File of the draw.
    out, record : Path
        Files to write.
    device : str
        Torch device.
    allow_divergence : bool
        Whether a divergence is a result. It is recorded either way, with a trajectory that has no
        frames.

    Raises
    ------
    InputError
        For the file of another draw, or a trajectory that is none.
    DivergedError
        If the flow diverges and `allow_divergence` is false.
    """
    from wowbench.flows.checkpoint import Checkpoint

    spec = FlowSpec.parse(values, "--spec")
    device = resolve_device(device)
    method, diverged = spec.method, None
    with (
        limit_threads(spec.threads),
        explain_full_memory(device),
        recorded(record, "flow", values, device) as entry,
    ):
        entry.files = {
            name: os.path.relpath(path, record.parent)
            for name, path in (("draw", draw), ("flow", out))
        }
        drawn = read_draw(draw, spec.inputs.draw)
        entry.inputs["draw"] = drawn.digest
        problem = _problem(drawn, spec.problem, device)
        method.check_sizes(**problem.sizes)
        fingerprint = _fingerprint(values, method, drawn, device)
        context = RunContext(
            seed=spec.seed,
            checkpoint=Checkpoint(out.with_suffix(".checkpoint"), fingerprint),
            progress=Progress(getattr(method, "steps", 0), out.stem),
            snapshots=tuple(spec.snapshots),
        )
        try:
            trajectory = method.run(problem, context)
        except DivergedError as error:
            diverged = error
            trajectory = _diverged(error)
        else:
            check_trajectory(method, trajectory, problem, context)
            _measure(entry, trajectory)
        entry.status, entry.message = trajectory.status, trajectory.message
        entry.outputs["flow"] = write_flow(out, trajectory.mapped(problem.space.leave), values)
    context.checkpoint.remove()
    if diverged is not None and not allow_divergence:
        raise diverged
    if diverged is not None:
        logger.warning("%s: %s", method.label, diverged)


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


def _measure(entry: Record, trajectory: Trajectory) -> None:
    steps = len(trajectory.losses)
    entry.measure("flow_seconds", trajectory.seconds)
    entry.measure("steps", steps)
    if steps:
        entry.measure("seconds_per_step", trajectory.seconds / steps)
        entry.measure("final_loss", float(trajectory.losses[-1]))
    for metric, value in trajectory.metrics.items():
        entry.measure(metric, value)
