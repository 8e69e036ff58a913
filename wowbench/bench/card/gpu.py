"""Everything worth measuring on a card, in one go: results, tables and what went wrong.

Parts run one after the other, the most telling ones first, in processes of their own. Results are
written as they come, so that a run that is cut short keeps what it has.
"""

from __future__ import annotations

import argparse
import math
import os
import tempfile
import time
from pathlib import Path

from wowbench.bench.card.part import Job, Outcome, Part, run_part
from wowbench.bench.card.report import READABLE, readable, write_results
from wowbench.cards import ask_driver
from wowbench.errors import InputError, one_line

MINUTES = 9.0

PARTS = (
    Part("agreement", "wowbench.bench.card.agreement:agreement", 60),
    Part("steps", "wowbench.bench.card.times:steps", 90),
    Part("flows", "wowbench.bench.card.flows:first_flows", 200),
    Part("together", "wowbench.bench.card.together:together", 90),
    Part("tests", "wowbench.bench.card.tests:tests", 120),
    Part("distillation", "wowbench.bench.card.times:distillation", 45),
    Part("tf32", "wowbench.bench.card.times:tf32", 45),
    Part("more_flows", "wowbench.bench.card.flows:more_flows", 60 * MINUTES),
)
"""By value; together they may take longer than `MINUTES`, and hardly do."""

LEAST_SECONDS = 10.0
"""Time left with which a part is started: torch alone takes some seconds."""

QUERY = ("--query-gpu=name,driver_version,memory.total", "--format=csv,noheader")


def add_parser(subparsers) -> None:
    """Add ``gpu`` to the benchmarks of the command line."""
    parser = subparsers.add_parser(
        "gpu", help="measure all that a CUDA card is asked for", description=__doc__
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the results")
    parser.add_argument("--device", default="cuda", help="(default: cuda)")
    parser.add_argument(
        "--minutes", type=float, default=MINUTES, help=f"time for all of it (default: {MINUTES:g})"
    )
    parser.add_argument(
        "--tiny", action="store_true", help="rehearse with tiny sizes, as with --device cpu"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Measure all parts, write the results, and print the tables.

    Returns
    -------
    int
        1 if a part failed; one that was stopped or skipped is no failure.

    Raises
    ------
    InputError
        Without such a device, for a folder that is a file, or no time.
    """
    deadline = time.monotonic() + 60 * _check(options)
    job = Job(options.device, options.tiny)
    options.out.mkdir(parents=True, exist_ok=True)
    head = _head(options)
    outcomes: dict[str, Outcome] = {}
    for part in PARTS:
        outcomes[part.name] = _run(part, job, deadline, options, head, outcomes)
        write_results(options.out, head, outcomes)
        outcome = outcomes[part.name]
        told = f" ({outcome.reason})" if outcome.reason else ""
        print(f"{part.name}: {outcome.status}, {outcome.seconds:.0f} s{told}", flush=True)
    print(f"\n{readable(head, outcomes)}\nresults: {options.out / READABLE} and beside it")
    return int(any(outcome.status == "failed" for outcome in outcomes.values()))


def _run(
    part: Part,
    job: Job,
    deadline: float,
    options: argparse.Namespace,
    head: dict,
    outcomes: dict[str, Outcome],
) -> Outcome:
    """Run a part for as long as it may and there is time; an error of this process is its own."""

    def report(so_far: Outcome) -> None:
        write_results(options.out, head, {**outcomes, part.name: so_far})

    left = deadline - time.monotonic()
    if left < LEAST_SECONDS:
        return Outcome("skipped", f"the {options.minutes:g} minutes are spent")
    try:
        with tempfile.TemporaryDirectory() as folder:
            return run_part(part, job, min(part.seconds, left), Path(folder), report)
    except (OSError, ValueError) as error:
        return Outcome("failed", one_line(f"{type(error).__name__}: {error}"))


def _check(options: argparse.Namespace) -> float:
    """Check the options, and return the minutes."""
    from wowbench.jobs.machine import resolve_device

    if not 0 < options.minutes < math.inf:
        raise InputError(f"--minutes is {options.minutes:g}; expected a number above 0")
    if options.out.exists() and not options.out.is_dir():
        raise InputError(f"--out {options.out} is a file; expected a folder")
    try:
        options.device = resolve_device(options.device)
    except InputError as error:
        raise InputError(
            f"{error}; run this where there is a card, or rehearse it with '--device cpu --tiny'"
        ) from None
    return options.minutes


def _head(options: argparse.Namespace) -> dict:
    """Return settings and provenance."""
    from wowbench.provenance import provenance

    return {
        "settings": {"device": options.device, "tiny": options.tiny, "minutes": options.minutes},
        "provenance": provenance(options.device),
        "card": _card() if options.device.startswith("cuda") else "no card",
        "visible": os.environ.get("CUDA_VISIBLE_DEVICES"),
    }


def _card() -> str:
    """Name, driver and memory as the driver's own tool tells them, a card a line."""
    return "; ".join(ask_driver(*QUERY)) or "nvidia-smi does not answer"
