"""Test accuracy of transfer learning by target, k and method, beside Table 2 of the paper.

A LeNet5 is trained on k labelled target images a class together with the flowed source images: mean
and standard deviation over all flows and trainings. "Means of flows" goes from the lowest to the
highest mean over one flow's trainings. Runs on the bundled images are tested on fewer images than
the paper's. "difference / s.e." is the distance to the published mean in units of the combined
standard error.
"""

from __future__ import annotations

import pandas as pd

from wowbench.results.comparison import difference_in_errors, readable_comparison
from wowbench.results.published import published
from wowbench.results.scores import summarise

READS = ("published/transfer_accuracy.csv",)


def make(scores: pd.DataFrame) -> pd.DataFrame:
    """Summarise the accuracies and put the published ones beside them.

    Parameters
    ----------
    scores : DataFrame
        Tidy scores.

    Returns
    -------
    DataFrame
        One row for each cell and method: mean, std, ``lowest_flow``, ``highest_flow``, flows,
        trainings, diverged, ``published_mean``, ``published_std`` (accuracies in [0, 1]; missing
        where none was published) and ``difference_se``, the difference in units of the combined
        standard error.
    """
    summary = summarise(scores[scores.task == "transfer"], "accuracy")
    summary = summary.sort_values(["source", "target", "k"], kind="stable")
    known = published("transfer_accuracy").rename(
        columns={
            "source_dataset": "source",
            "target_dataset": "target",
            "mean": "published_mean",
            "std": "published_std",
            "source": "provenance",
        }
    )
    columns = ["source", "target", "k", "method"]
    if known.empty:
        known = pd.DataFrame(columns=[*columns, "published_mean", "published_std"])
    known[["published_mean", "published_std"]] /= 100
    table = summary.merge(
        known[[*columns, "published_mean", "published_std"]], on=columns, how="left"
    )
    table["difference_se"] = difference_in_errors(table)
    return table


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """Format for people: accuracies in percent as "mean ± std"."""
    bundled = table.bundled.map({True: " (bundled)", False: ""})
    return pd.DataFrame(
        {
            "datasets": table.source + " to " + table.target + bundled,
            "k": table.k,
            "method": table.method,
            **readable_comparison(table, "published (%)"),
        }
    )
