"""Methods compared with MMDSW on the same draws and the same initial weights.

The mean difference of accuracies in percentage points, and Student's 95 % confidence interval over
flows. "Of single flows" goes from the lowest to the highest difference.
"""

from __future__ import annotations

import pandas as pd

from wowbench.results.paired import paired_differences, readable_differences

REFERENCE = "mmdsw"
KEY = ["source", "target", "bundled", "spread", "k"]


def make(scores: pd.DataFrame) -> pd.DataFrame:
    """Compare every method with MMDSW, flow by flow.

    Parameters
    ----------
    scores : DataFrame
        Tidy scores.

    Returns
    -------
    DataFrame
        One row for each cell and other method, as from `wowbench.results.paired`.
    """
    accuracies = scores[(scores.task == "transfer") & (scores.metric == "accuracy")]
    is_reference = accuracies.method == REFERENCE
    table = paired_differences(accuracies[is_reference], accuracies[~is_reference], KEY)
    return table.sort_values(["target", "k"], kind="stable")


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """Format for people: differences in percentage points."""
    return pd.DataFrame(
        {
            "datasets": table.source + " to " + table.target,
            "k": table.k,
            "MMDSW minus": table.method,
            **readable_differences(table),
        }
    )
