"""Methods compared with MMDSW on the same draws and the same initial weights.

The mean difference of accuracies in percentage points, and Student's 95 % confidence interval over
flows.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

REFERENCE = "mmdsw"
CONFIDENCE = 0.95
KEY = ["source", "target", "bundled", "spread", "k"]


def make(scores: pd.DataFrame) -> pd.DataFrame:
    """Compare every method with MMDSW, flow by flow.

    Flows are the independent units: the difference of two methods' mean accuracies over a flow's
    trainings is one observation, and the interval is Student's over flows.

    Parameters
    ----------
    scores : DataFrame
        Tidy scores.

    Returns
    -------
    DataFrame
        One row for each cell and other method: ``difference`` (MMDSW minus the method, accuracy
        in [0, 1]), ``low`` and ``high`` (missing for fewer than two flows), and ``flows``.
    """
    accuracies = scores[(scores.task == "transfer") & (scores.metric == "accuracy")]
    by_flow = accuracies.pivot_table(
        index=[*KEY, "flow_seed"], columns="method", values="value", aggfunc="mean", sort=False
    )
    rows = []
    if REFERENCE in by_flow:
        for method in by_flow.columns.drop(REFERENCE):
            difference = (by_flow[REFERENCE] - by_flow[method]).dropna()
            for key, values in difference.groupby(KEY, sort=False):
                rows.append(dict(zip(KEY, key, strict=True)) | _interval(method, values))
    return pd.DataFrame(
        rows, columns=[*KEY, "method", "difference", "low", "high", "flows"]
    ).sort_values(["target", "k"], kind="stable")


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """Format for people: differences in percentage points."""
    interval = [
        "" if pd.isna(low) else f"[{100 * low:+.1f}, {100 * high:+.1f}]"
        for low, high in zip(table.low, table.high, strict=True)
    ]
    return pd.DataFrame(
        {
            "datasets": table.source + " to " + table.target,
            "k": table.k,
            "MMDSW minus": table.method,
            "difference (points)": [f"{100 * value:+.1f}" for value in table.difference],
            f"{CONFIDENCE:.0%} interval": interval,
            "flows": table.flows,
        }
    )


def _interval(method: str, values: pd.Series) -> dict:
    low = high = np.nan
    if len(values) > 1:
        half = stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1) * values.sem()
        low, high = values.mean() - half, values.mean() + half
    return {
        "method": method,
        "difference": values.mean(),
        "low": low,
        "high": high,
        "flows": len(values),
    }
