"""Test accuracy of transfer learning by target, k and method, beside Table 2 of the paper.

A LeNet5 is trained on k labelled target images a class together with the flowed source images: mean
and standard deviation over all flows and trainings. Runs on the bundled images are tested on fewer
images than the paper's. "difference / s.e." is the distance to the published mean in units of the
combined standard error.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from wowbench.results.published import published
from wowbench.results.scores import summarise

PUBLISHED_RUNS = 15  # 3 flows x 5 trainings


def make(scores: pd.DataFrame) -> pd.DataFrame:
    """Summarise the accuracies and put the published ones beside them.

    Parameters
    ----------
    scores : DataFrame
        Tidy scores.

    Returns
    -------
    DataFrame
        One row for each cell and method: mean, std, flows, trainings, ``published_mean``,
        ``published_std`` (accuracies in [0, 1]; missing where none was published) and
        ``difference_se``, the difference in units of the combined standard error.
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
    runs = table.flows * table.trainings
    error = np.sqrt(table["std"] ** 2 / runs + table.published_std**2 / PUBLISHED_RUNS)
    table["difference_se"] = (table["mean"] - table.published_mean) / error
    return table


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """Format for people: accuracies in percent as "mean ± std"."""
    bundled = table.bundled.map({True: " (bundled)", False: ""})
    return pd.DataFrame(
        {
            "datasets": table.source + " to " + table.target + bundled,
            "k": table.k,
            "method": table.method,
            "accuracy (%)": percent(table["mean"], table["std"]),
            "published (%)": percent(table.published_mean, table.published_std),
            "difference / s.e.": ["" if pd.isna(d) else f"{d:+.1f}" for d in table.difference_se],
            "flows x trainings": [
                f"{f} x {t}" + (f" ({d} diverged)" if d else "")
                for f, t, d in zip(table.flows, table.trainings, table.diverged, strict=True)
            ],
        }
    )


def percent(means: pd.Series, stds: pd.Series) -> list[str]:
    """Format fractions as percentages with one decimal; empty where the mean is missing."""

    def cell(mean: float, std: float) -> str:
        if pd.isna(mean):
            return ""
        return f"{100 * mean:.1f}" + ("" if pd.isna(std) else f" ± {100 * std:.1f}")

    return [cell(*pair) for pair in zip(means, stds, strict=True)]
