"""Run one method on one draw."""

from __future__ import annotations

import hashlib
import logging
import os
from pathlib import Path

from wowbench.canonical import canonical_json
from wowbench.errors import DivergedError
from wowbench.jobs.drawn import Drawn, read_draw
from wowbench.jobs.files import Flowed, write_flowed
from wowbench.jobs.machine import limit_threads, resolve_device
from wowbench.jobs.progress import Progress
from wowbench.jobs.specs import FlowSpec, ProblemSpec
from wowbench.methods.base import Method, Outcome, Problem, RunContext, Snapshot
from wowbench.methods.outcome import check_outcome
from wowbench.parameters import defining_modules
from wowbench.results.records import Record, recorded
from wowbench.sources import source_digest
from wowbench.space import Space

logger = logging.getLogger(__name__)


def run(
    values: dict, *, draw: Path, out: Path, record: Path, device: str, allow_divergence: bool
) -> None:
    """Run one method on a draw.

    A checkpoint is kept beside `out` until the outcome is written; it is used only by a run of
    the same spec on the same draw with the same sources.

    Parameters
    ----------
    values : dict
        See `wowbench.jobs.specs.FlowSpec`.
    draw : Path
        File of the draw.
    out, record : Path
        Files to write.
    device : str
        Torch device.
    allow_divergence : bool
        Whether a divergence is a result. It is recorded either way, with an outcome that has no
        images.

    Raises
    ------
    InputError
        For the file of another draw, or an outcome that is none.
    DivergedError
        If the flow diverges and `allow_divergence` is false.
    """
    from wowbench.flows.checkpoint import Checkpoint

    spec = FlowSpec.parse(values, "--spec")
    device = resolve_device(device)
    method, diverged = spec.method, None
    with limit_threads(spec.threads), recorded(record, "flow", values, device) as entry:
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
            outcome = method.run(problem, context)
        except DivergedError as error:
            diverged = error
            entry.status, entry.message = "diverged", str(error)
            flowed = _nothing(problem)
        else:
            check_outcome(method, outcome, problem, context)
            flowed = _flowed(outcome, drawn.space)
            _measure(entry, outcome)
        entry.outputs["flow"] = write_flowed(out, flowed, values)
    context.checkpoint.remove()
    if diverged is not None and not allow_divergence:
        raise diverged
    if diverged is not None:
        logger.warning("%s: %s", method.label, diverged)


def _problem(drawn: Drawn, spec: ProblemSpec, device: str) -> Problem:
    source, target = (
        space.standardise(space.natural(stored).to(device))
        for space, stored in (
            (drawn.source_space, drawn.source),
            (drawn.space, drawn.target),
        )
    )
    return Problem(source, target, standardised=drawn.chart is not None, **dict(spec))


def _nothing(problem: Problem) -> Flowed:
    """Return what a flow that diverged leaves."""
    import torch

    none = torch.empty(0)
    return Flowed(none.reshape(0, *problem.image_shape), none.long(), none, 0)


def _flowed(outcome: Outcome, space: Space) -> Flowed:
    """Bring an outcome to natural units."""
    snapshots = {
        step: Snapshot(space.leave(kept.images), kept.labels)
        for step, kept in outcome.snapshots.items()
    }
    return Flowed(
        space.leave(outcome.images),
        outcome.labels,
        outcome.losses,
        outcome.training_samples,
        snapshots,
    )


def _fingerprint(values: dict, method: Method, draw: Drawn, device: str) -> str:
    """Name all that a flow's result depends on."""
    sources = source_digest(__name__, *defining_modules(method))
    text = canonical_json([values, draw.digest, device, sources])
    return hashlib.sha256(text.encode()).hexdigest()


def _measure(entry: Record, outcome: Outcome) -> None:
    steps = len(outcome.losses)
    entry.measure("flow_seconds", outcome.seconds)
    entry.measure("steps", steps)
    if steps:
        entry.measure("seconds_per_step", outcome.seconds / steps)
        entry.measure("final_loss", float(outcome.losses[-1]))
    for metric, value in outcome.metrics.items():
        entry.measure(metric, value)
