"""Records: one JSON file per job, from which everything is aggregated."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from wowbench.errors import InputError
from wowbench.files import write_text
from wowbench.origin import Origin
from wowbench.plugins import load_plugin
from wowbench.provenance import peak_memory_bytes, provenance
from wowbench.values import explain

Status = Literal["ok", "diverged", "refused"]


class Measurement(BaseModel):
    """One number that a job reports; other columns of the scores may stand beside it.

    Attributes
    ----------
    metric : str
        What was measured.
    value : float or None
        Finite; None where it is missing.
    training_seed : int or None
        Number of the training, where there are several.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    metric: str
    value: float | None = Field(allow_inf_nan=False)
    training_seed: int | None = Field(None, ge=0)


class Record(BaseModel):
    """What a job reports of itself.

    Attributes
    ----------
    job : str
        Verb of the job.
    spec : dict
        All its parameters and seeds, its axes under ``axes``, and under ``inputs`` the specs of
        the jobs whose files it read.
    status : {"ok", "diverged", "refused"}
        A diverged flow or training is a result, and so is an outcome that no classifier can be
        trained on; a crash leaves no record.
    message : str
        Why the status is not "ok".
    measurements : list of Measurement
        What it measured.
    files : dict of str to str
        Files that belong to the result, relative to the record.
    inputs, outputs : dict of str to str
        SHA-256 of the contents of the files that it read and wrote.
    seconds : float
        Wall time of the job, without starting Python.
    peak_memory_bytes : int or None
        Most memory that its process had until then.
    together : int
        Jobs that its process ran, with it. Flows on a GPU ran at the same time, and have no
        measurement of their steps' seconds then.
    provenance : dict
        What it was computed with; see `wowbench.provenance.provenance`.
    """

    model_config = ConfigDict(extra="forbid")

    job: Literal["prepare", "draw", "train", "flow", "evaluate", "distance"]
    spec: dict[str, Any]
    status: Status = "ok"
    message: str = ""
    measurements: list[Measurement] = []
    files: dict[str, str] = {}
    inputs: dict[str, str] = {}
    outputs: dict[str, str] = {}
    seconds: float = Field(0.0, ge=0, allow_inf_nan=False)
    peak_memory_bytes: int | None = None
    together: int = Field(1, ge=1)
    provenance: dict[str, Any] = {}

    @field_validator("spec")
    @classmethod
    def _check_axes(cls, spec: dict) -> dict:
        if not isinstance(spec.get("axes"), dict):
            raise ValueError("a spec has a mapping under `axes`, this one has none")
        return spec

    @property
    def origin(self) -> Origin:
        """The job that wrote it."""
        return Origin(self.job, self.spec)

    def measure(self, metric: str, value: float, **columns: Any) -> None:
        """Add a measurement."""
        self.measurements.append(Measurement(metric=metric, value=value, **columns))


@contextmanager
def recorded(
    path: Path, job: str, spec: dict, device: str = "cpu", *, together: int = 1
) -> Iterator[Record]:
    """Write a job's record when its body has ended without an exception.

    Parameters
    ----------
    path : Path
        File of the record.
    job : str
        Verb of the job.
    spec : dict
        Its parameters.
    device : str
        Torch device that it computes on.
    together : int
        Jobs of its process.

    Yields
    ------
    Record
        To be filled in by the body.
    """
    record = Record(job=job, spec=spec, together=together)
    start = time.perf_counter()
    yield record
    record.seconds = round(time.perf_counter() - start, 3)
    record.peak_memory_bytes = peak_memory_bytes(device)
    record.provenance = provenance(device)
    write_text(path, json.dumps(record.model_dump(mode="json"), indent=1, allow_nan=False) + "\n")


def read_record(path: Path) -> Record:
    """Read a record, and see that it is one.

    Raises
    ------
    InputError
        If the file is absent, or not a record: no JSON, a key that is missing or unknown, a number
        that is not finite, an unknown status, or a metric that its job cannot report or that
        lies out of its range.
    """
    try:
        values = json.loads(path.read_bytes(), parse_constant=_refuse_constant)
        record = Record(**values)
        _check_complete(record)
        _check_measurements(record)
    except OSError as error:
        reason = error.strerror
    except ValidationError as error:
        reason = explain(error)
    except InputError as error:
        reason = str(error)
    except (ValueError, TypeError):
        reason = "not the JSON text of a record"
    else:
        return record
    raise InputError(
        f"record {path}: {reason}; expected a record that a wowbench job wrote, run that job again"
    )


def _refuse_constant(name: str) -> None:
    raise InputError(f"it holds the number {name}; a missing value is null")


def _check_complete(record: Record) -> None:
    """Refuse a record that lacks something which every job of its verb writes."""
    for field, names in (REQUIRED[record.job] | {"provenance": PROVENANCE}).items():
        for name in names:
            if name not in getattr(record, field):
                raise InputError(f"{field}.{name}: this key is required and missing")


def _check_measurements(record: Record) -> None:
    """Refuse what the record's job cannot report."""
    known = _ranges(record) if record.measurements else {}
    for entry in record.measurements:
        if entry.metric not in known:
            raise InputError(
                f"metric {entry.metric!r} is none of this {record.job} job's, which reports "
                f"{', '.join(known) or 'none'}"
            )
        low, high = known[entry.metric]
        if entry.value is not None and not low <= entry.value <= high:
            raise InputError(
                f"{entry.metric} is {entry.value:g}; expected a number from {low:g} to {high:g}"
            )


def _ranges(record: Record) -> dict[str, tuple[float, float]]:
    """Range of each metric that a job may report."""
    from wowbench.registry import DATASETS, EVALUATORS, METHODS

    for file in record.spec.get("plugins", ()):
        load_plugin(Path(file))
    anything = (float("-inf"), float("inf"))
    if record.job == "evaluate":
        names = map(_name, record.spec.get("evaluators") or [])
        return {m: r for name in names for m, r in EVALUATORS.get(name).metrics.items()}
    if record.job == "prepare":
        return DATASETS.get(_name(record.spec.get("dataset"))).metrics
    if record.job == "flow":
        metrics = METHODS.get(_name(record.spec.get("method"))).metrics
        return FLOW_METRICS | dict.fromkeys(metrics, anything)
    return DISTANCE_METRICS if record.job == "distance" else {}


def _name(entry: Any) -> str:
    """Name of a method or a dataset in a spec, which is one or a mapping that has one."""
    return str(entry.get("name") if isinstance(entry, dict) else entry)


REQUIRED: dict[str, dict[str, tuple[str, ...]]] = {
    "prepare": {"outputs": ("data",)},
    "draw": {"inputs": ("source", "target"), "outputs": ("draw",)},
    "train": {"inputs": ("target",), "outputs": ("classifier",)},
    "flow": {"inputs": ("draw",), "outputs": ("flow",), "files": ("draw", "flow")},
    "evaluate": {"inputs": ("draw", "flow")},
    "distance": {"inputs": ("source", "target")},
}
"""What a record of each verb names, by field."""

PROVENANCE = ("commit", "device", "written")
"""What is read of a record's provenance."""

FLOW_METRICS = {
    "flow_seconds": (0.0, float("inf")),
    "steps": (0.0, float("inf")),
    "seconds_per_step": (0.0, float("inf")),
    "final_loss": (float("-inf"), float("inf")),
}
"""Range of the metrics that flows report; a method may add its own."""

DISTANCE_METRICS = {
    "squared_distance": (float("-inf"), float("inf")),
    "distance_error": (0.0, float("inf")),
    "seconds": (0.0, float("inf")),
}
"""Range of the metrics of a distance; by chance its square may be negative."""

TIMES = ("flow_seconds", "seconds_per_step", "seconds")
"""Metrics that are the machine's as well as the job's, and differ from run to run."""
