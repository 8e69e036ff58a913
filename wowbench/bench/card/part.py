"""One part of the measurements on a card, in a process of its own.

A part that crashes, hangs or breaks the driver's state takes nothing with it: its rows are in a
file as soon as they are measured.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from wowbench.errors import one_line
from wowbench.provenance import ROOT

POLL_SECONDS = 0.2
LOG_BYTES = 100_000
"""What is kept of the end of a part's output."""

START = f"import sys; from {__name__} import main; sys.exit(main(*sys.argv[1:]))"

Row = dict[str, object]
Rows = Iterator[tuple[str, Row]]
"""What a part yields: the name of a table, and a row of it."""


@dataclass(frozen=True)
class Part:
    """Something to measure.

    Attributes
    ----------
    name : str
        Name in the results.
    measure : str
        ``module:function`` of what takes a `Job` and yields `Rows`.
    seconds : float
        Longest time that it may take.
    """

    name: str
    measure: str
    seconds: float


@dataclass(frozen=True)
class Job:
    """Where to measure, and whether with tiny sizes, as a rehearsal."""

    device: str
    tiny: bool


@dataclass(frozen=True)
class Outcome:
    """How a part ended.

    Attributes
    ----------
    status : {"done", "failed", "overran", "skipped", "running"}
        Rows of a part that failed or overran are those measured before.
    reason : str
        Why, if it is not done.
    seconds : float
        Time of the process, start included.
    rows : list of (str, dict)
        Tables and rows.
    log : str
        The end of what the process wrote.
    """

    status: str
    reason: str = ""
    seconds: float = 0.0
    rows: tuple[tuple[str, Row], ...] = ()
    log: str = ""


class Skipped(Exception):  # noqa: N818
    """A part has nothing to measure here; the message says why."""


def run_part(
    part: Part, job: Job, seconds: float, folder: Path, report: Callable[[Outcome], None]
) -> Outcome:
    """Run a part for at most so many seconds.

    Parameters
    ----------
    part, job : Part and Job
        What is measured, and where.
    seconds : float
        Time after which the process is killed.
    folder : Path
        Where it writes while it runs.
    report : callable
        Called with the outcome so far, whenever there are more rows.

    Returns
    -------
    Outcome
    """
    rows, log = folder / "rows.jsonl", folder / "log.txt"
    rows.write_text("")
    start = time.monotonic()
    with log.open("wb") as output:
        process = _start(part, job, rows, output)
        try:
            seen = 0
            while process.poll() is None and time.monotonic() - start < seconds:
                time.sleep(POLL_SECONDS)
                found = _read(rows)
                if len(found) > seen:
                    seen = len(found)
                    so_far = [line["row"] for line in found if "row" in line]
                    report(_outcome("running", "not at its end yet", start, so_far, ""))
            overran = process.poll() is None
        finally:
            _end(process)
    return _judge(_read(rows), _tail(log), start, None if overran else process.returncode, seconds)


def _start(part: Part, job: Job, rows: Path, output) -> subprocess.Popen:
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return subprocess.Popen(
        [sys.executable, "-c", START, part.measure, json.dumps(asdict(job)), str(rows)],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONPATH": path, "PYTHONFAULTHANDLER": "1"},
        process_group=0,
    )


def _end(process: subprocess.Popen) -> None:
    """Kill the process, if it still runs, with all that it has started."""
    if process.poll() is None:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.wait()


def _judge(lines: list[dict], log: str, start: float, code: int | None, seconds: float) -> Outcome:
    """Say how a process ended, by what it wrote and its exit status: None if it was killed."""
    rows = [line["row"] for line in lines if "row" in line]
    told = {key: text for line in lines for key, text in line.items() if key != "row"}
    if code is None:
        return _outcome("overran", f"stopped after {seconds:.0f} s", start, rows, log)
    if "skipped" in told:
        return _outcome("skipped", told["skipped"], start, rows, log)
    if code != 0:
        reason = told.get("failed") or f"ended with status {code}: {one_line(log[-200:])}"
        return _outcome("failed", reason, start, rows, log)
    return _outcome("done", "", start, rows, log)


def _outcome(status: str, reason: str, start: float, rows: list, log: str) -> Outcome:
    rows = tuple((table, row) for table, row in rows)
    return Outcome(status, reason, time.monotonic() - start, rows, log)


def _read(path: Path) -> list[dict]:
    """Whole lines of a file that may still be written to."""
    text = path.read_text(encoding="utf-8")
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


def _tail(path: Path) -> str:
    return path.read_bytes()[-LOG_BYTES:].decode("utf-8", "replace")


def main(measure: str, job: str, rows: str) -> int:
    """Measure, in the process of a part: a line of JSON for each row, and for how it ended."""
    from wowbench.jobs.machine import resolve_device

    module, _, function = measure.partition(":")
    with open(rows, "a", encoding="utf-8") as file:

        def write(**line: object) -> None:
            file.write(json.dumps(_plain(line), allow_nan=False) + "\n")
            file.flush()

        try:
            given = Job(**json.loads(job))
            resolve_device(given.device)
            for table, row in getattr(importlib.import_module(module), function)(given):
                write(row=[table, row])
        except Skipped as reason:
            write(skipped=one_line(reason))
        except Exception as error:
            write(failed=one_line(f"{type(error).__name__}: {error}"))
            raise
    return 0


def _plain(value: object) -> object:
    """JSON types alone; numbers that are not finite become text."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
