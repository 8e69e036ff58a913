"""Tidy scores: one row a measurement, gathered from records."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from wowbench.errors import InputError
from wowbench.files import atomic_path
from wowbench.plan import Plan
from wowbench.results.records import read_record

FIRST_COLUMNS = (
    "task",
    "source",
    "target",
    "method",
    "k",
    "flow_seed",
    "training_seed",
    "metric",
    "value",
)
CELL = ["task", "source", "target", "bundled", "spread", "k", "method"]


def gather_scores(
    plan: Plan, failures: Mapping[tuple[str, str], str] | None = None
) -> pd.DataFrame:
    """Gather the measurements of all flows and evaluations of a run.

    Parameters
    ----------
    plan : Plan
        Says which records belong to the run; others are left alone.
    failures : mapping of (str, str) to str, optional
        Jobs that left no record, by verb and name, with the reason.

    Returns
    -------
    DataFrame
        Columns `FIRST_COLUMNS`, then the remaining axes, ``status``, ``device`` and ``commit``.
        A job that diverged or failed has one row: its verb as metric, no value, and a message.

    Raises
    ------
    InputError
        If a record is absent or unreadable.
    """
    rows = []
    for path in plan.without(failures or {}).records("flow", "evaluate"):
        record = read_record(Path(path))
        shared = {
            **record["spec"]["axes"],
            "status": record["status"],
            "message": record["message"],
            "device": record["provenance"]["device"],
            "commit": record["provenance"]["commit"],
        }
        measurements = record["measurements"]
        if record["status"] != "ok":
            measurements = [{"metric": record["job"], "value": float("nan")}]
        rows += [{**shared, **measurement} for measurement in measurements]
    for (verb, name), message in (failures or {}).items():
        axes = plan.job(verb, name).spec["axes"]
        failed = {"metric": verb, "value": float("nan"), "status": "failed", "message": message}
        rows.append({**axes, **failed})
    scores = pd.DataFrame(rows)
    scores["training_seed"] = scores["training_seed"].astype("Int64")
    return scores[[*FIRST_COLUMNS, *(c for c in scores.columns if c not in FIRST_COLUMNS)]]


def write_scores(scores: pd.DataFrame, path: Path) -> None:
    """Write scores as CSV."""
    with atomic_path(path) as temporary:
        scores.to_csv(temporary, index=False)


def read_scores(path: Path) -> pd.DataFrame:
    """Read scores.

    Raises
    ------
    InputError
        If the file is absent or has not the columns of scores.
    """
    try:
        scores = pd.read_csv(path, dtype={"training_seed": "Int64"})
    except (OSError, ValueError) as error:
        raise InputError(f"scores {path}: {error}; expected the output of aggregate") from None
    missing = [column for column in FIRST_COLUMNS if column not in scores]
    if missing:
        raise InputError(f"scores {path}: the columns {', '.join(missing)} are missing")
    return scores


def summarise(scores: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Mean and standard deviation of a metric for each method of each cell.

    Parameters
    ----------
    scores : DataFrame
        Tidy scores.
    metric : str
        Metric to summarise.

    Returns
    -------
    DataFrame
        Columns `CELL`, then ``mean``, ``std`` (over all flows and trainings together, with
        n - 1), ``flows``, ``trainings`` (a flow), ``lowest_flow`` and ``highest_flow`` (of the
        flows' own means) and ``diverged`` (flows left out for it).
    """
    cells = scores[(scores.metric == metric) | (scores.status != "ok")]
    groups = cells.groupby(CELL, sort=False, dropna=False)
    summary = groups.agg(
        mean=("value", "mean"),
        std=("value", "std"),
        flows=("flow_seed", "nunique"),
        trainings=("training_seed", "nunique"),
    )
    flow_means = cells.groupby([*CELL, "flow_seed"], dropna=False)["value"].mean().reset_index()
    by_cell = flow_means.groupby(CELL, dropna=False)["value"]
    summary["lowest_flow"], summary["highest_flow"] = by_cell.min(), by_cell.max()
    diverged = cells[cells.status != "ok"].groupby(CELL)["flow_seed"].nunique()
    summary["diverged"] = diverged.reindex(summary.index).fillna(0).astype(int)
    summary["flows"] -= summary["diverged"]
    return summary.reset_index()
