"""Run times of transfer flows beside the published ones."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pandas as pd

from wowbench.results.cells import (
    method_names,
    problem_columns,
    problem_names,
    row_tuples,
    sorted_by_problem,
)
from wowbench.results.published import published, published_heading
from wowbench.results.report import Table
from wowbench.results.scenarios import SCENARIO, with_scenario
from wowbench.results.summary import summarise

STEPS = 5000
REFERENCE = "mmdsw"
KNOWN = ["source", "target", "k", "algorithm", *SCENARIO]


class TransferRuntime(Table):
    """Seconds that a flow of 5,000 steps takes by method, beside Table 3 of the paper.

    Measured seconds per step times 5,000, the mean over flows, and the ratio to MMDSW on the same
    problem and device; extrapolated where flows took another number of steps. Methods that stop
    once they have converged are left out, and so are flows that ran at once in one process on a
    GPU, as their steps have no time of their own. Published seconds are second-hand and of the
    authors' machine. Flows ran side by side with other jobs of the workflow: ratios within a run
    mean more than the seconds.
    """

    reads: ClassVar[tuple[str, ...]] = ("published/transfer_runtime.csv",)

    def make(self, scores: pd.DataFrame) -> pd.DataFrame:
        """Scale the measured seconds per step to 5,000 steps.

        Returns
        -------
        DataFrame
            One row for each cell and device whose method takes a given number of steps: the
            columns of cells, ``device``, ``extrapolated_from`` (steps of the flows, as text; empty
            for 5,000), ``seconds_mean``, ``seconds_std`` and ``seconds_error``
            (over flows, missing for one), ``ratio`` to MMDSW of the same experiment, or else of
            the others where they agree on one, the published seconds and their ratio (on the
            authors' machine), and ``flows``.
        """
        scores = scores[scores.task == "transfer"]
        table = with_scenario(summarise(scores, "seconds_per_step", by=("device",)))
        if "method.until" in table:
            table = table[table["method.until"] == ""]
        steps = table.get("method.steps", pd.Series("", table.index))
        table["extrapolated_from"] = steps.where(steps != str(STEPS), "")
        for column in ("mean", "std", "error"):
            table[f"seconds_{column}"] = STEPS * table.pop(column)
        table = table.merge(_known(), on=KNOWN, how="left", validate="m:1")
        table["ratio"] = _ratio(table, "seconds_mean")
        table["published_ratio"] = _ratio(table, "published_seconds")
        table = table.drop(
            columns=["lowest_flow", "highest_flow", "trainings", "draws", "left_out"]
        )
        return sorted_by_problem(table, "k")

    def readable(self, table: pd.DataFrame) -> pd.DataFrame:
        """Format for people."""

        def digits(values: pd.Series, form: str) -> list[str]:
            return ["" if pd.isna(value) else format(value, form) for value in values]

        published_seconds = digits(table.published_seconds, ".1f")
        columns = pd.DataFrame(
            {
                "datasets": problem_names(table),
                "k": table.k,
                "method": method_names(table),
                f"seconds for {STEPS:,} steps": digits(table.seconds_mean, ".1f"),
                "extrapolated from": [f"{s} steps" if s else "" for s in table.extrapolated_from],
                "ratio to MMDSW": digits(table.ratio, ".1f"),
                f"{published_heading(table.published_source)} seconds": published_seconds,
                "published ratio": digits(table.published_ratio, ".1f"),
                "not as published": table.departures.where(table.published_seconds.notna(), ""),
                "device": table.device,
                "flows": table.flows,
            }
        )
        return columns.loc[:, (columns != "").any()]


def _known() -> pd.DataFrame:
    columns = [*KNOWN, "published_seconds", "published_source"]
    known = published("transfer_runtime")
    if known.empty:
        numbers = {"k": "int64", "published_seconds": float}
        return pd.DataFrame({c: pd.Series(dtype=numbers.get(c, str)) for c in columns})
    names = {"source": "published_source", "source_dataset": "source", "target_dataset": "target"}
    names |= {"method": "algorithm", "seconds_mean": "published_seconds"}
    return known.rename(columns=names).assign(augmentation="no", embedding="no")[columns]


def _ratio(table: pd.DataFrame, column: str) -> np.ndarray:
    places = row_tuples(table[[*problem_columns(table), "device"]])
    references = table[table.algorithm == REFERENCE].assign(place=places)
    references = references.drop_duplicates(["experiment", "place"])
    own = references.set_index(["experiment", "place"])[column].to_dict()
    others = references.groupby("place")[column].agg(["first", "nunique"])
    only = others["first"].where(others["nunique"] == 1).to_dict()
    known = [
        own.get((experiment, place), only.get(place, np.nan))
        for experiment, place in zip(table.experiment, places, strict=True)
    ]
    return table[column].to_numpy() / np.array(known, dtype=float)
