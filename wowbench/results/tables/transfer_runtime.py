"""Seconds that a flow of 5,000 steps takes by method, beside Table 3 of the paper.

Measured seconds a step times 5,000, and the ratio to MMDSW in the same cell. Published seconds are
of the authors' machine. Flows ran side by side with other jobs of the workflow: ratios within a run
mean more than the seconds.
"""

from __future__ import annotations

import pandas as pd

from wowbench.results.published import published
from wowbench.results.scores import summarise

READS = ("published/transfer_runtime.csv",)

STEPS = 5000
REFERENCE = "mmdsw"


def make(scores: pd.DataFrame) -> pd.DataFrame:
    """Scale the measured seconds per step to 5,000 steps.

    Parameters
    ----------
    scores : DataFrame
        Tidy scores.

    Returns
    -------
    DataFrame
        One row for each cell and method that steps: ``seconds_mean`` and ``seconds_std`` (over
        flows), ``ratio`` to MMDSW in the same cell, the published seconds and their ratio (on
        the authors' machine), ``device`` and ``flows``.
    """
    steps = scores[(scores.task == "transfer") & (scores.metric == "seconds_per_step")]
    table = summarise(steps, "seconds_per_step")
    table["seconds_mean"] = STEPS * table.pop("mean")
    table["seconds_std"] = STEPS * table.pop("std")
    devices = steps.groupby(["target", "k", "method"]).device.first().rename("device")
    table = table.merge(devices.reset_index(), on=["target", "k", "method"], how="left")
    known = published("transfer_runtime").rename(
        columns={
            "source_dataset": "source",
            "target_dataset": "target",
            "seconds_mean": "published_seconds",
            "source": "provenance",
        }
    )
    columns = ["source", "target", "k", "method"]
    if known.empty:
        known = pd.DataFrame(columns=[*columns, "published_seconds"])
    table = table.merge(known[[*columns, "published_seconds"]], on=columns, how="left")
    table["ratio"] = _ratio(table, "seconds_mean")
    table["published_ratio"] = _ratio(table, "published_seconds")
    return table.drop(columns=["lowest_flow", "highest_flow", "trainings", "diverged"])


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """Format for people."""

    def digits(values: pd.Series, form: str) -> list[str]:
        return ["" if pd.isna(value) else format(value, form) for value in values]

    return pd.DataFrame(
        {
            "datasets": table.source + " to " + table.target,
            "k": table.k,
            "method": table.method,
            f"seconds for {STEPS:,} steps": digits(table.seconds_mean, ".1f"),
            "ratio to MMDSW": digits(table.ratio, ".1f"),
            "published seconds": digits(table.published_seconds, ".1f"),
            "published ratio": digits(table.published_ratio, ".1f"),
            "device": table.device,
            "flows": table.flows,
        }
    )


def _ratio(table: pd.DataFrame, column: str) -> pd.Series:
    cell = ["source", "target", "k"]
    reference = table[table.method == REFERENCE].set_index(cell)[column].groupby(cell).first()
    return table[column] / table[cell].apply(tuple, axis=1).map(reference)
