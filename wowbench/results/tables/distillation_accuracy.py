"""Test accuracy of a ConvNet-3 trained on distilled images, beside Table 1 of the paper.

Mean and standard deviation over all flows and trainings; "means of flows" goes from the lowest to
the highest mean over one flow's trainings. A classifier is trained on the distilled images alone,
which MMDSW labels by the WoW coupling with the target's classes, since its functional does not tell
classes apart; all other methods keep the classes that they started from. Images per class "all" is
the whole training set. The published values are second-hand, from a summary of the paper, and were
obtained by the protocol "paper". Runs on the bundled images are distilled from and tested on fewer
images than the paper's. "difference / s.e." is the distance to the published mean in units of the
combined standard error.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from wowbench.results.comparison import difference_in_errors, readable_comparison
from wowbench.results.published import published
from wowbench.results.scenarios import SCENARIO, scenarios
from wowbench.results.scores import summarise

READS = ("published/distillation_accuracy.csv",)

WHOLE = 0
"""Number of images a class that stands for the whole training set."""


def make(scores: pd.DataFrame) -> pd.DataFrame:
    """Summarise the accuracies of each protocol and put the published ones beside them.

    Parameters
    ----------
    scores : DataFrame
        Tidy scores.

    Returns
    -------
    DataFrame
        One row for each dataset, number of images a class, method and protocol: the scenario
        (``algorithm``, ``augmentation``, ``embedding``), mean, std, ``lowest_flow``,
        ``highest_flow``, flows, trainings, diverged, ``published_mean``, ``published_std``
        (accuracies in [0, 1]; missing where none was published) and ``difference_se``, the
        difference in units of the combined standard error.
    """
    scores = scores[scores.task == "distillation"]
    scores = scores.assign(protocol=scores.get("protocol"))  # none where all flows diverged
    table = pd.concat(
        summarise(
            scores[(scores.protocol == protocol) | (scores.status != "ok")], "accuracy"
        ).assign(protocol=protocol)
        for protocol in list(dict.fromkeys(scores.protocol.dropna())) or [""]
    )
    table = table.merge(scenarios(scores), on="method", how="left")
    table = table.merge(_known(), on=["target", "k", "protocol", *SCENARIO], how="left")
    table["difference_se"] = difference_in_errors(table)
    table["order"] = table.k.mask(table.k == WHOLE, np.inf)
    table = table.sort_values(["target", "bundled", "order"], kind="stable").drop(columns="order")
    columns = ["target", "bundled", "k", "method", *SCENARIO, "protocol", "mean", "std"]
    columns += ["lowest_flow", "highest_flow", "flows", "trainings", "diverged"]
    columns += ["published_mean", "published_std", "difference_se"]
    return table[columns].reset_index(drop=True)


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """Format for people: accuracies in percent as "mean ± std"."""
    return pd.DataFrame(
        {
            "dataset": table.target + table.bundled.map({True: " (bundled)", False: ""}),
            "images per class": ["all" if k == WHOLE else str(k) for k in table.k],
            "method": table.method,
            "augmentation": table.augmentation,
            "embedding": table.embedding,
            "protocol": table.protocol,
            **readable_comparison(table, "published, second-hand (%)"),
        }
    )


def _known() -> pd.DataFrame:
    columns = ["target", "k", "protocol", *SCENARIO, "published_mean", "published_std"]
    known = published("distillation_accuracy")
    if known.empty:
        return pd.DataFrame(columns=columns)
    known = known.rename(
        columns={
            "dataset": "target",
            "method": "algorithm",
            "mean": "published_mean",
            "std": "published_std",
        }
    ).assign(protocol="paper")
    known["k"] = known.images_per_class.replace({"all": WHOLE}).astype(int)
    known[["published_mean", "published_std"]] /= 100
    return known[columns]
