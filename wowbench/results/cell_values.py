"""The values behind each cell: one for each flow, by the digest of its draw."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from wowbench.results.cells import AXES, EVALUATION, settings_columns, with_evaluation
from wowbench.results.records import TIMES

POINTS = ("step", "epoch")
NAME = [*AXES, *EVALUATION, *POINTS, "metric"]
"""What a cell is called: its parameters come to it."""

UNITS = ["draw", "flow_seed", "pair"]
"""What tells the repetitions of a cell apart: flows, or pairs of subsets for distances."""

NO_RESULTS = frozenset(
    {
        *TIMES,
        *("steps", "first_loss", "last_loss_low", "last_loss_high", "distance_error"),
        *("raised", "sinkhorn_error", "sinkhorn_failures", "source_classes"),
    }
)
"""Metrics that two runs need not agree in: times, what a flow started from, and how it went."""

ON_THE_WAY = "_at_step"
"""End of the names of metrics whose last point is a result of its own name."""

BETTER = {
    **dict.fromkeys(("accuracy", "accuracy_at_epoch", "purity", "whole_classes"), 1),
    **dict.fromkeys(("final_loss", "held_out_loss", "wow_distance"), -1),
}
"""Whether more of a metric is better, or less; of others neither is."""


@dataclass(frozen=True)
class Cell:
    """One metric of one cell of the scores.

    Attributes
    ----------
    name : tuple of str
        Values of the columns `NAME`.
    algorithm : str
        Registered name of the method; empty where it is not known.
    settings : dict of str to str
        All parameters that are not empty, under their dotted names.
    values : Series
        The mean over trainings of each flow, by the digest of its draw. Empty where no job has a
        result.
    mean : float
        Mean over flows; missing where no job has a result.
    left_out : str
        Jobs without a result, by status.
    tolerance : float or None
        Largest difference from it that counts as none, where it says so itself.
    """

    name: tuple[str, ...]
    algorithm: str
    settings: dict[str, str]
    values: pd.Series
    mean: float
    left_out: str = ""
    tolerance: float | None = None

    @property
    def metric(self) -> str:
        """What was measured."""
        return self.name[-1]

    @property
    def is_empty(self) -> bool:
        """Whether no job of it has a result."""
        return bool(pd.isna(self.mean))

    @property
    def flows(self) -> int:
        """Number of flows with a result."""
        return len(self.values)

    @property
    def draws(self) -> int:
        """Number of different draws that they start from."""
        return self.values.index.nunique()

    @property
    def error(self) -> float:
        """Standard error of the mean, clustered by flow; missing for a single one."""
        return self.values.sem()

    @property
    def columns(self) -> dict[str, str]:
        """Its columns in a table."""
        named = dict(zip(NAME, self.name, strict=True))
        return {**named, "algorithm": self.algorithm, **self.settings}


def cells_of(scores: pd.DataFrame) -> list[Cell]:
    """Gather the results of a run by cell.

    Parameters
    ----------
    scores : DataFrame
        Tidy scores.

    Returns
    -------
    list of Cell
        In the order of the scores. A cell of which no job has a result has the verb of its job in
        place of a metric, and no values.
    """
    wanted = ~scores.metric.isin(NO_RESULTS) & ~scores.metric.str.endswith(ON_THE_WAY)
    scores = with_evaluation(scores[wanted]).reset_index(drop=True)
    dotted = settings_columns(scores)
    absent = [column for column in (*POINTS, *UNITS) if column not in scores]
    scores = scores.assign(**dict.fromkeys(absent, ""))
    key = [*NAME, "algorithm", *dotted]
    text = {column: scores[column].astype("string").fillna("") for column in (*key, *UNITS)}
    scores = scores.assign(**text)
    done = scores[scores.status == "ok"]
    means = done.groupby([*key, *UNITS], sort=False)["value"].mean().reset_index()
    values = {
        cell: rows.set_index("draw")["value"] for cell, rows in means.groupby(key, sort=False)
    }
    failed = _failed(scores[scores.status != "ok"], key)
    has_values = {_without_metric(cell) for cell in values}
    empty = {c: pd.Series(dtype=float) for c in failed if _without_metric(c) not in has_values}
    missing = {_without_metric(cell): text for cell, text in failed.items()}
    found = []
    for cell, flows in (values | empty).items():
        settings = {
            column: value
            for column, value in zip(dotted, cell[len(NAME) + 1 :], strict=True)
            if value
        }
        left_out = missing.get(_without_metric(cell), "")
        name, algorithm = cell[: len(NAME)], cell[len(NAME)]
        found.append(Cell(name, algorithm, settings, flows, flows.mean(), left_out))
    return found


def _failed(rows: pd.DataFrame, key: list[str]) -> dict[tuple, str]:
    """Count what is missing of each cell, by status: "2 diverged"."""
    counts = rows.groupby([*key, "status"], sort=False).size()
    failed: dict[tuple, list[str]] = {}
    for (*cell, status), count in counts.items():
        failed.setdefault(tuple(cell), []).append(f"{count} {status}")
    return {cell: ", ".join(texts) for cell, texts in failed.items()}


def _without_metric(cell: tuple) -> tuple:
    return (*cell[: len(NAME) - 1], *cell[len(NAME) :])
