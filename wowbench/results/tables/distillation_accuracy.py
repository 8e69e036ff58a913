"""Accuracies of distillation beside the published ones."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pandas as pd

from wowbench.results.cells import WHOLE, method_names, problem_names, sorted_by_problem
from wowbench.results.comparison import compare_with_published, readable_comparison
from wowbench.results.report import Table


class DistillationAccuracy(Table):
    """Test accuracy of classifiers trained on distilled images, beside Table 1 of the paper.

    A classifier, a ConvNet-3 unless its protocol has another network in parentheses, is trained on
    the distilled images alone, which MMDSW labels by the WoW coupling with the target's classes,
    since its functional does not tell classes apart; all other methods keep the classes that they
    started from. Images per class "all" is the whole training set.

    The mean is over flows; "±" is the standard deviation over all trainings, a spread. "s.e." is
    the standard error of the mean in points, clustered by flow: sd(means of flows) / sqrt(flows).
    "Means of flows" goes from the lowest to the highest. Of a single flow there is the mean alone.

    Published values are second-hand, from a summary of the paper, and were obtained by the protocol
    "paper". "difference / s.e." is (mean - published mean) / sqrt(s.e.^2 + V + s^2 / 15). s is the
    published standard deviation, over 3 flows x 5 trainings that share one draw of the starting
    images; V is the variance between draws, whose root is given with the runs that it is estimated
    from (0.0 where the trainings alone explain it); with fewer than 4 draws there is no score. Rows
    under "not as published" have other parameters than the paper's, and no such score. Flows take
    exact quantiles unless they say otherwise, the paper's are interpolated, and augmentations are
    not those of its code; neither counts as a departure.
    """

    reads: ClassVar[tuple[str, ...]] = (
        "published/distillation_accuracy.csv",
        "measured/between_draws.csv",
    )

    def make(self, scores: pd.DataFrame) -> pd.DataFrame:
        """Summarise the accuracies of each protocol and put the published ones beside them.

        Returns
        -------
        DataFrame
            One row for each cell, as from `compare_with_published`.
        """
        table = compare_with_published(scores, "distillation")
        table = table.assign(number=table.k.mask(table.k == WHOLE, np.inf))
        return sorted_by_problem(table, "number").drop(columns="number")

    def readable(self, table: pd.DataFrame) -> pd.DataFrame:
        """Format for people: accuracies in percent as "mean ± std"."""
        return pd.DataFrame(
            {
                "dataset": problem_names(table),
                "images per class": ["all" if k == WHOLE else str(k) for k in table.k],
                "method": method_names(table),
                "augmentation": table.augmentation,
                "embedding": table.embedding,
                "protocol": table.protocol,
                **readable_comparison(table),
            }
        )
