"""Methods of distillation compared with MMDSW of the same scenario on the same draws.

The mean difference of accuracies in percentage points, and Student's 95 % confidence interval over
flows. "Of single flows" goes from the lowest to the highest difference. Methods without scenarios
are compared with MMDSW without augmentation and embedding.
"""

from __future__ import annotations

import pandas as pd

from wowbench.results.paired import paired_differences, readable_differences
from wowbench.results.scenarios import scenarios

REFERENCE = "mmdsw"
COMPARED = ["augmentation", "embedding"]
KEY = ["target", "bundled", "spread", "k", "protocol", *COMPARED]


def make(scores: pd.DataFrame) -> pd.DataFrame:
    """Compare every method with the first MMDSW of its scenario, flow by flow.

    Parameters
    ----------
    scores : DataFrame
        Tidy scores.

    Returns
    -------
    DataFrame
        One row for each cell, protocol and other method, as from `wowbench.results.paired`.
    """
    scores = scores[(scores.task == "distillation") & (scores.metric == "accuracy")]
    scores = scores.assign(protocol=scores.get("protocol"))  # none where all flows diverged
    known = scenarios(scores)
    references = known[known.algorithm == REFERENCE].drop_duplicates(COMPARED).method
    scores = scores.drop(columns=known.columns.drop("method"), errors="ignore")
    scores = scores.merge(known, on="method")
    is_reference = scores.method.isin(references)
    table = paired_differences(scores[is_reference], scores[~is_reference], KEY)
    return table.sort_values(["target", "bundled", "k"], kind="stable")


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """Format for people: differences in percentage points."""
    return pd.DataFrame(
        {
            "dataset": table.target + table.bundled.map({True: " (bundled)", False: ""}),
            "images per class": table.k,
            "augmentation": table.augmentation,
            "embedding": table.embedding,
            "protocol": table.protocol,
            "MMDSW minus": table.method,
            **readable_differences(table),
        }
    )
