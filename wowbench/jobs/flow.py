"""Run one method on one draw."""

from __future__ import annotations

import hashlib
import logging
import os
from pathlib import Path

from wowbench.datasets.normalisation import Normalisation
from wowbench.datasets.splits import to_unit_interval
from wowbench.errors import DivergedError
from wowbench.jobs.device import resolve_device
from wowbench.jobs.files import DrawnImages, Flowed, read_draw, write_flowed
from wowbench.jobs.progress import Progress
from wowbench.methods.base import Outcome, Problem, RunContext, Snapshot
from wowbench.parameters import FromRegistry
from wowbench.registry import METHODS
from wowbench.results.records import Record, recorded

logger = logging.getLogger(__name__)


def run(
    spec: dict, *, draw: Path, out: Path, record: Path, device: str, allow_divergence: bool
) -> None:
    """Run ``spec["method"]`` with ``spec["seed"]`` on a draw.

    A checkpoint is kept beside `out` and removed at the end; it is used only by a run of the
    same spec on the same draw with the same sources.

    Raises
    ------
    DivergedError
        If a value is no longer finite and `allow_divergence` is false. The divergence is
        recorded either way, with an outcome that has no images.
    """
    import torch

    from wowbench.flows import Checkpoint

    device = resolve_device(device)
    method = FromRegistry(METHODS).build(spec["method"])
    with recorded(record, "flow", spec, device) as entry:
        entry.files = {
            name: os.path.relpath(path, record.parent)
            for name, path in (("draw", draw), ("flow", out))
        }
        images = read_draw(draw)
        problem = _problem(images, spec["problem"], device)
        context = RunContext(
            seed=spec["seed"],
            checkpoint=Checkpoint(out.with_suffix(".checkpoint"), _fingerprint(spec, draw, device)),
            progress=Progress(getattr(method, "steps", 0), out.stem),
            snapshots=tuple(spec["snapshots"]),
        )
        try:
            outcome = method.run(problem, context)
        except DivergedError as error:
            entry.status, entry.message = "diverged", str(error)
            none = torch.empty(0)
            shape = (0, *problem.image_shape)
            write_flowed(out, Flowed(none.reshape(shape), none.long(), none, 0))
            diverged = error
        else:
            diverged = None
            write_flowed(out, _flowed(outcome, images.normalisation))
            _measure(entry, outcome)
    if diverged is not None and not allow_divergence:
        raise diverged
    if diverged is not None:
        logger.warning("%s: %s", method.label, diverged)


def _problem(images: DrawnImages, spec: dict, device: str) -> Problem:
    source, target = (to_unit_interval(t).to(device) for t in (images.source, images.target))
    normalisation = images.normalisation
    if normalisation is not None:
        source, target = normalisation.standardise(source), normalisation.standardise(target)
    return Problem(source, target, standardised=normalisation is not None, **spec)


def _flowed(outcome: Outcome, normalisation: Normalisation | None) -> Flowed:
    """Bring an outcome to units where 0 is black and 1 is white."""
    images, snapshots = outcome.images, outcome.snapshots
    if normalisation is not None:
        images = normalisation.restore(images)
        snapshots = {
            step: Snapshot(normalisation.restore(kept.images), kept.labels)
            for step, kept in snapshots.items()
        }
    return Flowed(images, outcome.labels, outcome.losses, outcome.training_samples, snapshots)


def _fingerprint(spec: dict, draw: Path, device: str) -> str:
    from wowbench import sources
    from wowbench.canonical import canonical_json

    method = METHODS.get(spec["method"]["name"]).__module__
    digest = hashlib.sha256(draw.read_bytes())
    digest.update(canonical_json([spec, device, sources.source_digest(__name__, method)]).encode())
    return digest.hexdigest()


def _measure(entry: Record, outcome: Outcome) -> None:
    values = {"flow_seconds": outcome.seconds, "steps": float(len(outcome.losses))}
    if len(outcome.losses):
        values["seconds_per_step"] = outcome.seconds / len(outcome.losses)
        values["final_loss"] = float(outcome.losses[-1])
    values |= outcome.metrics
    entry.measurements = [{"metric": key, "value": value} for key, value in values.items()]
