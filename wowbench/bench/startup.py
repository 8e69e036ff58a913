"""Seconds that jobs take to start, beside those of their work, for a run that is there."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wowbench.plan import Plan

REPEATS = 3

LIGHT = ("prepare", "draw")
"""Verbs whose jobs load no torch; all others load it before their work begins."""


def add_parser(subparsers) -> None:
    """Add ``startup`` to the benchmarks of the command line."""
    parser = subparsers.add_parser(
        "startup", help="time the start of a run's jobs", description=__doc__
    )
    parser.add_argument("config", help="config file of a run, all of whose records are there")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Print, by verb, the seconds of starting Python and its imports, and their share.

    A workflow's jobs have a process each, or as many as the config's `together` says have one.
    Starting one is timed here, as the least of `REPEATS` processes that import what the verb's jobs
    do when they start; what a job imports later, as POT for exact transport, is part of its work.
    The work is what the records say.

    Raises
    ------
    InputError
        If a record is missing.
    """
    import pandas as pd

    from wowbench.plan import Plan

    plan = Plan.load(options.config)
    table = pd.DataFrame([_row(plan, verb) for verb, jobs in plan.jobs.items() if jobs])
    total = table[["jobs", "processes", "started (s)", "work (s)"]].sum()
    table = pd.concat([table, pd.DataFrame([{"verb": "all", **total}])], ignore_index=True)
    table["share (%)"] = 100 * table["started (s)"] / (table["started (s)"] + table["work (s)"])
    table = table.astype({"jobs": int, "processes": int})
    print(table.fillna("").to_markdown(index=False, floatfmt=".1f"))


def _row(plan: Plan, verb: str) -> dict[str, object]:
    from wowbench.results.records import read_record

    jobs = plan.jobs[verb].values()
    modules = {f"wowbench.jobs.{verb}"}.union(*(job.modules for job in jobs))
    if verb not in LIGHT:
        modules.add("torch")
    start = min(_time_import(modules) for _ in range(REPEATS))
    processes = len(plan.batches(verb))
    work = sum(read_record(Path(path)).seconds for path in plan.records(verb))
    return {
        "verb": verb,
        "jobs": len(jobs),
        "processes": processes,
        "a start (s)": start,
        "started (s)": start * processes,
        "work (s)": work,
    }


def _time_import(modules: Iterable[str]) -> float:
    """Seconds of a process that imports modules."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", f"import {', '.join(sorted(modules))}"], check=True)
    return time.perf_counter() - start
