"""Methods compared flow by flow: on the same draws, with the same initial weights."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from wowbench.results.comparison import readable_flows

CONFIDENCE = 0.95


def paired_differences(
    reference: pd.DataFrame, others: pd.DataFrame, key: list[str]
) -> pd.DataFrame:
    """Compare methods with a reference on the flows that both have.

    Flows are the independent units: the difference of two methods' mean accuracies over a flow's
    trainings is one observation, and the interval is Student's over flows.

    Parameters
    ----------
    reference, others : DataFrame
        Accuracies as tidy scores: of one method, and of those to compare with it.
    key : list of str
        Columns that tell the cells apart.

    Returns
    -------
    DataFrame
        One row for each cell and method of `others`: `key`, ``method``, ``difference`` (reference
        minus the method, accuracy in [0, 1]), ``low`` and ``high`` (missing for fewer than two
        flows), ``lowest_flow`` and ``highest_flow`` (differences of single flows), and ``flows``.
    """
    flow = [*key, "flow_seed"]
    pairs = _means(others, [*flow, "method"]).merge(
        _means(reference, flow), on=flow, suffixes=("", "_reference")
    )
    pairs["difference"] = pairs.value_reference - pairs.value
    groups = pairs.groupby([*key, "method"], sort=False).difference
    table = groups.agg(
        difference="mean", error="sem", lowest_flow="min", highest_flow="max", flows="count"
    ).reset_index()
    half = stats.t.ppf((1 + CONFIDENCE) / 2, (table.flows - 1).mask(table.flows < 2)) * table.error
    table["low"], table["high"] = table.difference - half, table.difference + half
    columns = ["method", "difference", "low", "high", "lowest_flow", "highest_flow", "flows"]
    return table[[*key, *columns]]


def readable_differences(table: pd.DataFrame) -> dict[str, list[str] | pd.Series]:
    """Last columns of a table for people: differences in percentage points.

    Parameters
    ----------
    table : DataFrame
        As from `paired_differences`.

    Returns
    -------
    dict of str to column
        The difference, its interval and the range over flows (empty for one flow), and the number
        of flows.
    """
    intervals = [
        "" if np.isnan(low) else f"[{100 * low:+.1f}, {100 * high:+.1f}]"
        for low, high in zip(table.low, table.high, strict=True)
    ]
    return {
        "difference (points)": [f"{100 * value:+.1f}" for value in table.difference],
        f"{CONFIDENCE:.0%} interval": intervals,
        "of single flows": readable_flows(table, "+.1f"),
        "flows": table.flows,
    }


def _means(accuracies: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    return accuracies.groupby(columns, sort=False)["value"].mean().reset_index()
