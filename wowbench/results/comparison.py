"""Measured accuracies beside published ones: their difference, and how both are written."""

from __future__ import annotations

import numpy as np
import pandas as pd

PUBLISHED_RUNS = 15
"""Trainings behind a published mean: 3 flows x 5."""


def difference_in_errors(table: pd.DataFrame) -> pd.Series:
    """Difference of measured and published means in units of the combined standard error.

    Parameters
    ----------
    table : DataFrame
        Columns mean, std, flows, trainings, ``published_mean`` and ``published_std``.

    Returns
    -------
    Series
        Missing where nothing was published. Trainings count as independent, which those of one
        flow are not quite: the error is a lower bound.
    """
    runs = table.flows * table.trainings
    error = np.sqrt(table["std"] ** 2 / runs + table.published_std**2 / PUBLISHED_RUNS)
    return (table["mean"] - table.published_mean) / error


def readable_comparison(table: pd.DataFrame, published: str) -> dict[str, list[str]]:
    """Last columns of a table of accuracies for people.

    Parameters
    ----------
    table : DataFrame
        Columns as for `difference_in_errors`, ``lowest_flow``, ``highest_flow``,
        ``difference_se`` and diverged.
    published : str
        Head of the column of published values.

    Returns
    -------
    dict of str to list of str
        Accuracies in percent as "mean ± std", the range of the flows' means (empty for one flow),
        the difference, and the numbers of runs.
    """
    return {
        "accuracy (%)": _percent(table["mean"], table["std"]),
        "means of flows": readable_flows(table, ".1f"),
        published: _percent(table.published_mean, table.published_std),
        "difference / s.e.": ["" if pd.isna(d) else f"{d:+.1f}" for d in table.difference_se],
        "flows x trainings": [
            f"{f} x {t}" + (f" ({d} diverged)" if d else "")
            for f, t, d in zip(table.flows, table.trainings, table.diverged, strict=True)
        ],
    }


def readable_flows(table: pd.DataFrame, form: str) -> list[str]:
    """Range over single flows for people.

    Parameters
    ----------
    table : DataFrame
        Columns ``lowest_flow``, ``highest_flow`` (fractions) and flows.
    form : str
        Format of a percentage.

    Returns
    -------
    list of str
        In percent as "lowest to highest"; empty for one flow.
    """
    ranges = zip(table.lowest_flow, table.highest_flow, table.flows, strict=True)
    return [
        f"{100 * low:{form}} to {100 * high:{form}}" if flows > 1 else ""
        for low, high, flows in ranges
    ]


def _percent(means: pd.Series, stds: pd.Series) -> list[str]:
    """Fractions as percentages with one decimal; empty where the mean is missing."""

    def cell(mean: float, std: float) -> str:
        if pd.isna(mean):
            return ""
        return f"{100 * mean:.1f}" + ("" if pd.isna(std) else f" ± {100 * std:.1f}")

    return [cell(*pair) for pair in zip(means, stds, strict=True)]
