"""What the jobs of a run measured, each number with a link to its record."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import fmean

import pandas as pd

from wowbench.plan import Plan
from wowbench.results.cells import EVALUATION
from wowbench.results.records import Measurement, Record
from wowbench.results.run import Records
from wowbench.results.scores import SCORED
from wowbench.site.page import relative
from wowbench.site.tables import Link

COLUMNS = ["experiment", "datasets", "k", "method", "flow", "evaluation", "metric", "value"]
COLUMNS += ["of"]


def measured(plan: Plan, records: Records, out: Path) -> pd.DataFrame:
    """List what each flow, evaluation and distance measured.

    Parameters
    ----------
    plan : Plan
        The run.
    records : dict of (str, str) to Record
        Those that are there.
    out : Path
        The page, from which links lead to records.

    Returns
    -------
    DataFrame
        One row for each metric of a record: its axes, the value as a link to the record, and what
        it stands for where the record has several: their mean over trainings, or the last of a
        curve. A job that ended without a result has its status for a value.
    """
    rows = []
    for (verb, name), record in records.items():
        if verb in SCORED:
            link = relative(plan.record(verb, name), out)
            rows += [[*_axes(record), *row] for row in _values(verb, record, link)]
    table = pd.DataFrame(rows, columns=COLUMNS)
    empty = [column for column in table if not table[column].astype(str).str.strip().any()]
    return table.drop(columns=empty) if rows else table


def _axes(record: Record) -> list:
    axes = record.spec["axes"]
    source, target = axes.get("source"), axes.get("target")
    datasets = source if source == target else f"{source} to {target}"
    flow = axes.get("flow_seed", "")
    return [axes.get("experiment"), datasets, axes.get("k", ""), axes.get("method", ""), flow]


def _values(verb: str, record: Record, link: str) -> Iterator[list]:
    if record.status != "ok":
        yield ["", verb, Link(record.status, link), record.message]
    groups: dict[tuple, list[Measurement]] = {}
    for entry in record.measurements:
        extra = entry.model_extra or {}
        evaluation = " ".join(filter(None, (extra.get(column) for column in EVALUATION)))
        groups.setdefault((evaluation, entry.metric), []).append(entry)
    for (evaluation, metric), entries in groups.items():
        number, how = _one(entries)
        shown = "missing" if number is None else f"{number:.4g}"
        yield [evaluation, metric, Link(shown, link), how]


def _one(entries: list[Measurement]) -> tuple[float | None, str]:
    """One number for several of a metric, and what it is of them."""
    present = [entry.value for entry in entries if entry.value is not None]
    if not present:
        return None, ""
    if len(entries) == 1:
        return present[0], ""
    if all(entry.training_seed is not None for entry in entries) and not _along(entries):
        return fmean(present), f"mean of {len(present)} trainings"
    return present[-1], f"last of {len(entries)} on a curve"


def _along(entries: list[Measurement]) -> bool:
    """Whether they are of several steps or epochs."""
    extras = [entry.model_extra or {} for entry in entries]
    return any(len({extra.get(along) for extra in extras}) > 1 for along in ("step", "epoch"))
