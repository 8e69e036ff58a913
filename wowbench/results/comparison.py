"""Measured accuracies beside published ones: their difference, and how both are written."""

from __future__ import annotations

import numpy as np
import pandas as pd

from wowbench.results.cells import cell_columns, with_evaluation
from wowbench.results.draws import PROBLEM, best_estimates, cell_variances
from wowbench.results.published import published_accuracies, published_as, published_heading
from wowbench.results.scenarios import SCENARIO, with_scenario
from wowbench.results.summary import summarise

PUBLISHED_RUNS = 15
"""Trainings behind a published mean: 3 flows x 5, all on one draw."""

PUBLISHED_DRAWS = 1

PUBLISHED_KEY = [*PROBLEM, "published_as", "budget", *SCENARIO]
"""What selects a published row."""

COMPARISON = [
    *("mean", "std", "error", "lowest_flow", "highest_flow"),
    *("flows", "draws", "trainings", "left_out"),
    *("published_mean", "published_std", "published_source"),
    *("draw_variance", "draw_variance_from", "difference_se"),
]
"""Columns of `compare_with_published` that follow those of the cell."""


def compare_with_published(scores: pd.DataFrame, task: str) -> pd.DataFrame:
    """Summarise the accuracies of a task and put the published ones beside them.

    Parameters
    ----------
    scores : DataFrame
        Tidy scores.
    task : {"transfer", "distillation"}
        Task whose accuracies are summarised.

    Returns
    -------
    DataFrame
        One row for each cell: its columns, `SCENARIO`, and `COMPARISON`. Those of
        `wowbench.results.summary.summarise`; ``published_mean``, ``published_std`` (accuracies in
        [0, 1]) and where they are from; ``draw_variance``, its source, and ``difference_se``,
        the score of `difference_in_errors`. All are missing where there is none. Published rows
        are those of the method that `published_as` says, whatever its label.
    """
    table = beside_published(scores, task)
    return table[[*cell_columns(table), *SCENARIO, *COMPARISON]]


def beside_published(scores: pd.DataFrame, task: str) -> pd.DataFrame:
    """`compare_with_published`, with the columns behind it.

    Returns
    -------
    DataFrame
        ``published_as``, by which published rows were chosen, and ``draws_behind`` and
        ``variance_of_means``, of the draws that ``draw_variance`` is from, are among its columns.
    """
    scores = with_evaluation(scores[scores.task == task])
    table = with_scenario(summarise(scores, "accuracy"))
    table["published_as"] = table.algorithm.map(published_as)
    table = table.merge(published_accuracies(task), on=PUBLISHED_KEY, how="left", validate="m:1")
    own = cell_variances(scores[scores.metric == "accuracy"])
    cell = cell_columns(table)
    own = table[cell].merge(own, on=cell, how="left")[["variance", "variance_of_means", "draws"]]
    table = table.join(best_estimates(table, own))
    table["difference_se"] = difference_in_errors(table)
    scored = table.difference_se.notna()
    table["draw_variance"] = table.draw_variance.where(scored)
    table["draw_variance_from"] = table.draw_variance_from.where(scored, "")
    return table


def difference_in_errors(table: pd.DataFrame) -> pd.Series:
    """Difference of measured and published means in units of its standard error.

    With e the clustered error of the measured mean, V the variance between draws, s the published
    standard deviation and D the number of draws of the run, the squared standard error is
    ``e^2 + V + s^2 / 15``: the published mean is over 3 flows x 5 trainings that share one draw.
    Where flows of the run share draws too (``spread: fixed``), e leaves out the draws' luck, and
    ``V / D`` is added.

    Parameters
    ----------
    table : DataFrame
        Columns mean, error, flows, draws, ``draw_variance``, ``published_mean``,
        ``published_std`` and departures.

    Returns
    -------
    Series
        Missing where nothing was published, with a single flow, without an estimate of V, and
        for a run whose parameters depart from the published ones.
    """
    error = np.sqrt(sum(variances_of_difference(table)))
    return ((table["mean"] - table.published_mean) / error).where(table.departures == "")


def variances_of_difference(table: pd.DataFrame) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Compute the three parts of the variance in `difference_in_errors`.

    Returns
    -------
    tuple of Series
        ``e^2``, ``V`` (and ``V / D`` where flows share draws), and ``s^2 / 15``.
    """
    shared = table.draw_variance.where(table.draws < table.flows, 0) / table.draws
    between = table.draw_variance / PUBLISHED_DRAWS + shared
    return table.error**2, between, table.published_std**2 / PUBLISHED_RUNS


def readable_comparison(table: pd.DataFrame) -> dict[str, list[str]]:
    """Last columns of a table of accuracies for people.

    Parameters
    ----------
    table : DataFrame
        As from `compare_with_published`.

    Returns
    -------
    dict of str to list of str
        Accuracies in percent as "mean ± std", the clustered standard error, the range of the
        flows' means, the published value, the difference, the standard deviation between draws
        and its source, departures where something was published, and the numbers of runs.
        Columns that would be empty are left out.
    """
    beside = table.published_mean.notna()
    columns = {
        "accuracy (%)": readable_percent(table["mean"], table["std"]),
        "s.e.": ["" if pd.isna(error) else f"{100 * error:.1f}" for error in table.error],
        "means of flows": readable_range(table.lowest_flow, table.highest_flow, ".1f"),
        f"{published_heading(table.published_source)} (%)": readable_percent(
            table.published_mean, table.published_std
        ),
        "difference / s.e.": ["" if pd.isna(d) else f"{d:+.1f}" for d in table.difference_se],
        "s.d. between draws": [
            f"{100 * variance**0.5:.1f} ({origin})" if origin else ""
            for variance, origin in zip(table.draw_variance, table.draw_variance_from, strict=True)
        ],
        "not as published": list(table.departures.where(beside, "")),
        "flows x trainings": readable_counts(table),
    }
    return {name: column for name, column in columns.items() if any(column)}


def readable_counts(table: pd.DataFrame) -> list[str]:
    """Numbers of flows and of trainings per flow, with what was left out."""
    trainings = [f" x {number}" for number in table.trainings]
    return _counts(table, trainings)


def readable_flows(table: pd.DataFrame) -> list[str]:
    """Numbers of flows whose evaluations train nothing, with what was left out."""
    return _counts(table, [""] * len(table))


def _counts(table: pd.DataFrame, trainings: list[str]) -> list[str]:
    return [
        f"{flows}{each}" + (f" ({left_out})" if left_out else "")
        for flows, each, left_out in zip(table.flows, trainings, table.left_out, strict=True)
    ]


def readable_range(lowest: pd.Series, highest: pd.Series, form: str) -> list[str]:
    """Fractions as a range in percent, "lowest to highest"; empty where they are missing."""
    return [
        "" if pd.isna(low) else f"{100 * low:{form}} to {100 * high:{form}}"
        for low, high in zip(lowest, highest, strict=True)
    ]


def readable_percent(means: pd.Series, stds: pd.Series) -> list[str]:
    """Fractions as percentages with one decimal; empty where the mean is missing."""

    def cell(mean: float, std: float) -> str:
        if pd.isna(mean):
            return ""
        return f"{100 * mean:.1f}" + ("" if pd.isna(std) else f" ± {100 * std:.1f}")

    return [cell(*pair) for pair in zip(means, stds, strict=True)]
