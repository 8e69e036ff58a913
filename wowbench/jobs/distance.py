"""Measure one distance between pairs of subsets of labelled datasets."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from wowbench.canonical import canonical_json
from wowbench.datasets.prepared import Prepared, read_prepared
from wowbench.datasets.subsets import Subsets
from wowbench.distances.base import Distance, DistanceEntry
from wowbench.errors import InputError
from wowbench.jobs.machine import limit_threads, resolve_device
from wowbench.jobs.together import parse_specs, run_jobs
from wowbench.parameters import Parameters, Seed
from wowbench.plugins import JobSpec
from wowbench.results.records import recorded
from wowbench.seeding import derive_seed
from wowbench.space import Chart, Space

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from wowbench.datasets.base import LabelledParticles

logger = logging.getLogger(__name__)

TRIAL = 4
"""Points of a class, at most, of which the distance is measured once before any is timed."""

Members = list["np.ndarray"]

Read = Callable[[Path, dict], Prepared]


class _DistanceInputs(Parameters):
    source: dict
    target: dict


class DistanceSpec(JobSpec):
    """Spec of ``wowbench distance``.

    Parameters
    ----------
    distance : distance
        What is measured: a name, or a mapping of the name and parameters.
    subsets : mapping
        Which pairs of subsets: see `wowbench.datasets.subsets.Subsets`.
    units : {"natural", "own"}
        Whether it is measured in natural values, or in values that are standardised by each side's
        own training particles.
    seed : int
        Seed of all that the distance draws; each pair has one of its own, derived from it.
    threads : int
        CPU threads.
    axes : dict
        The columns of the scores that the job belongs to.
    inputs : dict
        Specs of the jobs that prepare ``source`` and ``target``. Where they are one and the same,
        subsets of a pair are disjoint.
    """

    distance: DistanceEntry
    subsets: Subsets
    units: Literal["natural", "own"]
    seed: Seed
    threads: int = Field(gt=0, le=1024)
    axes: dict[str, Any]
    inputs: _DistanceInputs


@dataclass(frozen=True)
class Job:
    """A distance to measure.

    Attributes
    ----------
    values : dict
        See `DistanceSpec`.
    source, target : Path
        Prepared datasets.
    out : Path
        File of the record, which holds the distances.
    """

    values: dict
    source: Path
    target: Path
    out: Path


def run(jobs: Sequence[Job], *, device: str) -> None:
    """Measure distances between training particles of two datasets, or of one, in turn.

    Each pair has its ``squared_distance``, its ``distance_error`` where the distance draws, and the
    ``seconds`` that it took, beside the number of the ``pair``, the number of particles on both
    sides, and the digest ``draw`` of these, which is the same for all distances.

    Parameters
    ----------
    jobs : sequence of Job
        At least one. A file that several of them read is read once.
    device : str
        Torch device.

    Raises
    ------
    InputError
        For a bad spec, a file of another job, too few particles, or subsets that the distance is
        not defined for; all of a job's subsets are checked before the first is measured.
    JobsFailedError
        If one of several jobs failed, once all have ended.
    """
    specs = parse_specs(DistanceSpec, [(str(job.out), job.values) for job in jobs])
    device = resolve_device(device)
    read = _reading_once()
    with limit_threads(next(iter(specs.values())).threads):
        run_jobs(
            {
                name: partial(_run, job, spec, device, read, together=len(jobs))
                for job, (name, spec) in zip(jobs, specs.items(), strict=True)
            },
            device,
        )


def _reading_once() -> Read:
    """Return what reads prepared datasets, and keeps them for those who ask again."""
    kept: dict[tuple[Path, str], Prepared] = {}

    def read(path: Path, spec: dict) -> Prepared:
        key = path, canonical_json(spec)
        if key not in kept:
            kept[key] = read_prepared(path, spec)
        return kept[key]

    return read


def _run(job: Job, spec: DistanceSpec, device: str, read: Read, *, together: int) -> None:
    with recorded(job.out, "distance", job.values, device, together=together) as entry:
        sides = []
        for role in ("source", "target"):
            prepared = read(getattr(job, role), getattr(spec.inputs, role))
            entry.inputs[role] = prepared.digest
            sides.append(prepared.train)
        disjoint = spec.inputs.source == spec.inputs.target
        pairs = [
            spec.subsets.members(pair, *sides, disjoint=disjoint)
            for pair in range(spec.subsets.pairs)
        ]
        for number, pair in enumerate(pairs):
            _check(spec.distance, number, sides, pair)
        spaces = [_space(spec.units, side) for side in sides]
        for number, pair in enumerate(pairs):
            stored = [
                [side.particles[members] for members in classes]
                for side, classes in zip(sides, pair, strict=True)
            ]
            a, b = (
                [space.enter(points).flatten(1).to(device) for points in classes]
                for space, classes in zip(spaces, stored, strict=True)
            )
            if number == 0:
                _try_out(spec.distance, a, b, device)
            columns = {
                "pair": number,
                "source_size": sum(map(len, a)),
                "target_size": sum(map(len, b)),
                "draw": _digest(stored),
            }
            seed = derive_seed(spec.seed, number)
            found = _measure(spec.distance, a, b, seed, device)
            for metric, value in found.items():
                entry.measure(metric, value, **columns)
            logger.info(
                "pair %d of %d: %.6g in %.3g s",
                number + 1,
                len(pairs),
                found["squared_distance"],
                found["seconds"],
            )


def _check(
    distance: Distance, number: int, sides: Sequence[LabelledParticles], pair: Sequence[Members]
) -> None:
    """Refuse a pair that the distance is not defined for."""
    names = " and ".join(dict.fromkeys(map(str, sides)))
    try:
        distance.check(
            *([len(members) for members in classes] for classes in pair),
            *(side.shape for side in sides),
        )
    except InputError as error:
        raise InputError(f"pair {number} of {names}: {error}") from None


def _space(units: str, side: LabelledParticles) -> Space:
    return Space(side.shape, None if units == "natural" else Chart.of(side.particles))


def _try_out(distance: Distance, a: list[Tensor], b: list[Tensor], device: str) -> None:
    """Measure once between few points, so that no time has the loading of libraries in it."""
    least = max(TRIAL, distance.minimum_per_class)
    few = [[points[:least] for points in classes] for classes in (a, b)]
    # What is refused of few points may well be defined for all.
    with contextlib.suppress(InputError):
        _measure(distance, *few, seed=0, device=device)


def _measure(
    distance: Distance, a: list[Tensor], b: list[Tensor], seed: int, device: str
) -> dict[str, float]:
    """Return what is reported of one pair."""
    import torch

    generator = torch.Generator(device).manual_seed(seed)
    _wait(device)
    start = time.perf_counter()
    estimate = distance.measure(a, b, generator)
    _wait(device)
    found = {"squared_distance": estimate.value, "seconds": time.perf_counter() - start}
    if estimate.error is not None:
        found["distance_error"] = estimate.error
    return found


def _wait(device: str) -> None:
    """Wait until a GPU has done what it was given."""
    import torch

    if device.startswith("cuda"):
        torch.cuda.synchronize(device)


def _digest(stored: Sequence[Sequence[np.ndarray]]) -> str:
    """Digest of the particles of both sides, class by class."""
    digest = hashlib.sha256()
    for classes in stored:
        for particles in classes:
            digest.update(f"{particles.dtype} {particles.shape}".encode())
            digest.update(particles.tobytes())
    return digest.hexdigest()[:16]
