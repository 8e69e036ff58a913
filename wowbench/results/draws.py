"""The variance between draws: how far the choice of source images and shots moves a mean.

A published mean is over one draw, so that it has this variance in it whatever its number of
trainings; this suite's own runs say how large it is.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from wowbench.errors import InputError
from wowbench.files import atomic_path
from wowbench.results.cells import cell_columns, with_evaluation
from wowbench.results.published import RESULTS
from wowbench.results.scenarios import SCENARIO, with_scenario
from wowbench.results.scores import read_scores

MEASURED = RESULTS / "measured"
ESTIMATES = "between_draws.csv"
PROBLEM = ["task", "source", "target", "k", "protocol"]
KEY = [*PROBLEM, "algorithm", "budget", *SCENARIO]
"""What selects the estimate that belongs to a row."""
ESTIMATE = ["variance", "variance_of_means", "draws", "trainings"]

LENDER = ("train_on_target", "matched", "no", "no")
ENOUGH = 4
"""Fewest draws that say how far draws scatter: from fewer, the estimate is often cut at 0, and a
score that rests on it would look too sure."""

FEWER_STEPS = ("train_on_target", "own")
"""What takes far fewer optimiser steps than all else on its problem."""


def variance_between(groups: list[np.ndarray]) -> tuple[float, float]:
    """Variance of the groups' expectations, by a one-way analysis of variance, and of their means.

    They are ``max(0, (MSB - MSW) / T)`` and ``MSB / T`` with the mean squares between and within
    groups of T values; for unequal sizes T_i, N in all, T is ``(N - sum T_i^2 / N) / (groups - 1)``
    (Searle, Casella and McCulloch, "Variance components", 1992, section 3.6).

    Parameters
    ----------
    groups : list of ndarray
        At least two, of at least one value each, and one of several.

    Returns
    -------
    tuple of float
        Missing where they cannot be estimated.
    """
    sizes = np.array([len(group) for group in groups])
    n = sizes.sum()
    if len(sizes) < 2 or n == len(sizes):
        return float("nan"), float("nan")
    means = np.array([group.mean() for group in groups])
    grand = (sizes * means).sum() / n
    between = (sizes * (means - grand) ** 2).sum() / (len(sizes) - 1)
    within = sum(((group - group.mean()) ** 2).sum() for group in groups) / (n - len(sizes))
    size = (n - (sizes**2).sum() / n) / (len(sizes) - 1)
    return float(max(0.0, (between - within) / size)), float(between / size)


def cell_variances(accuracies: pd.DataFrame) -> pd.DataFrame:
    """Estimate the variance between the draws of each cell.

    Parameters
    ----------
    accuracies : DataFrame
        Tidy scores of one metric.

    Returns
    -------
    DataFrame
        The columns of cells, ``variance`` and ``variance_of_means`` (missing for fewer than two
        draws), ``draws`` and ``trainings`` (values behind them).
    """
    cell = cell_columns(accuracies)
    rows = []
    for values, scores in accuracies[accuracies.status == "ok"].groupby(cell, sort=False):
        groups = [group.to_numpy() for _, group in scores.groupby("draw", sort=False)["value"]]
        counts = (*variance_between(groups), len(groups), len(scores))
        rows.append((*values, *counts))
    table = pd.DataFrame(rows, columns=[*cell, *ESTIMATE])
    numbers = {"k": "int64", "variance": float, "variance_of_means": float}
    numbers |= {"draws": "int64", "trainings": "int64"}
    return table.astype({column: numbers.get(column, str) for column in table})


def estimate_archives(folder: Path) -> pd.DataFrame:
    """Estimate the variance between draws from archived runs of the published settings.

    Parameters
    ----------
    folder : Path
        Holds a folder per run, with ``scores.csv``.

    Returns
    -------
    DataFrame
        Columns `KEY`, `ESTIMATE` (of accuracies in [0, 1]) and ``run``: for each problem and
        method the estimate from the run with the most draws.

    Raises
    ------
    InputError
        If there is no archived run.
    """
    paths = sorted(folder.glob("*/scores.csv"))
    if not paths:
        raise InputError(f"archives {folder}: no */scores.csv; expected results/measured")
    tables = [_estimates(read_scores(path)).assign(run=path.parent.name) for path in paths]
    table = pd.concat(tables, ignore_index=True)
    table = table.sort_values("draws", ascending=False, kind="stable").drop_duplicates(KEY)
    return table.sort_values(KEY, kind="stable").reset_index(drop=True)


def _estimates(scores: pd.DataFrame) -> pd.DataFrame:
    scores = scores[(scores.metric == "accuracy") & (scores.departures == "")]
    table = with_scenario(cell_variances(with_evaluation(scores))).dropna(subset="variance")
    return table[[*KEY, *ESTIMATE]]


def write_estimates(archives: Path, out: Path) -> None:
    """Write what `estimate_archives` finds as CSV."""
    table = estimate_archives(archives)
    with atomic_path(out) as temporary:
        table.to_csv(temporary, index=False, float_format="%.6g")


def archived_estimates() -> pd.DataFrame:
    """Read the estimates of the repository; empty where the package runs without it."""
    path = MEASURED / ESTIMATES
    if not path.exists():
        return pd.DataFrame(columns=[*KEY, *ESTIMATE, "run"])
    text = dict.fromkeys((*KEY, "run"), str) | {"k": "int64"}
    return pd.read_csv(path, dtype=text, keep_default_na=False)


def best_estimates(cells: pd.DataFrame, own: pd.DataFrame) -> pd.DataFrame:
    """Choose for each cell the estimate from the most draws, and say where it is from.

    Candidates are, if they are from `ENOUGH` draws, and in this order where draws are equal: the
    archived estimate of the same method on the same problem; that of `LENDER` on it, since with as
    many optimiser steps the same shots carry the same luck (not for `FEWER_STEPS`); and that of
    the run itself.

    Parameters
    ----------
    cells : DataFrame
        Rows with the columns `KEY`.
    own : DataFrame
        ``variance``, ``variance_of_means`` and ``draws`` of the same cells in this run, row by
        row.

    Returns
    -------
    DataFrame
        ``draw_variance``, ``draw_variance_from``, for example "usps_draws, train_on_target,
        matched steps, 12 draws", the number of draws, ``draws_behind``, and
        ``variance_of_means``; missing and empty where there is none.
    """
    archived = {tuple(row[: len(KEY)]): row[len(KEY) :] for row in _rows(archived_estimates())}
    chosen = []
    for key, (variance, of_means, draws) in zip(_rows(cells[KEY]), _rows(own), strict=True):
        problem, method = key[: len(PROBLEM)], key[len(PROBLEM) :]
        found = []
        lender = (*problem, *LENDER)
        for other in dict.fromkeys((key, lender)):
            if other in archived and not (other == lender and method[:2] == FEWER_STEPS):
                value, means, count, _, run = archived[other]
                found.append((count, means, value, f"{run}, {_spoken(other)}, {count} draws"))
        if not np.isnan(variance):
            found.append((draws, of_means, variance, f"this run, {draws:.0f} draws"))
        found = [candidate for candidate in found if candidate[0] >= ENOUGH]
        nothing = (np.nan, np.nan, np.nan, "")
        chosen.append(max(found, key=lambda candidate: candidate[0], default=nothing))
    numbers = ["draws_behind", "variance_of_means", "draw_variance"]
    types = dict.fromkeys(numbers, float) | {"draw_variance_from": str}
    return pd.DataFrame(chosen, columns=[*types], index=cells.index).astype(types)


def _spoken(key: tuple) -> str:
    algorithm, budget = key[len(PROBLEM) : len(PROBLEM) + 2]
    return f"{algorithm}, matched steps" if budget == "matched" else algorithm


def _rows(table: pd.DataFrame) -> list[tuple]:
    return list(table.itertuples(index=False, name=None))
