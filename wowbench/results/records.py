"""Records: one JSON file a job, from which everything is aggregated."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from wowbench.errors import InputError
from wowbench.files import atomic_path
from wowbench.provenance import peak_memory_bytes, provenance


@dataclass
class Record:
    """What a job reports of itself.

    Attributes
    ----------
    job : str
        Verb of the job.
    spec : dict
        All its parameters and seeds, and its axes under ``axes``.
    status : {"ok", "diverged"}
        A diverged flow is a result; a crash leaves no record.
    message : str
        Why the status is not "ok".
    measurements : list of dict
        Keys ``metric`` and ``value``, and ``training_seed`` where there are trainings.
    files : dict of str to str
        Files that belong to the result, relative to the record.
    """

    job: str
    spec: dict
    status: str = "ok"
    message: str = ""
    measurements: list[dict] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)


@contextmanager
def recorded(path: Path, job: str, spec: dict, device: str = "cpu") -> Iterator[Record]:
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

    Yields
    ------
    Record
        To be filled in by the body.
    """
    record = Record(job, spec)
    start = time.perf_counter()
    yield record
    written = vars(record) | {
        "seconds": round(time.perf_counter() - start, 3),
        "peak_memory_bytes": peak_memory_bytes(device),
        "provenance": provenance(device),
    }
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(written, indent=1) + "\n")


def read_record(path: Path) -> dict:
    """Read a record.

    Raises
    ------
    InputError
        If the file is absent or not a record.
    """
    try:
        record = json.loads(path.read_text())
        record["job"], record["spec"]["axes"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"record {path}: {error!r}; expected a record that a wowbench job wrote, run that "
            "job again"
        ) from None
    return record
