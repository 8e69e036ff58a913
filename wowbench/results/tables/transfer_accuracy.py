"""Accuracies of transfer beside the published ones."""

from __future__ import annotations

from typing import ClassVar

import pandas as pd

from wowbench.results.cells import method_names, problem_names, sorted_by_problem
from wowbench.results.comparison import compare_with_published, readable_comparison
from wowbench.results.report import Table


class TransferAccuracy(Table):
    """Test accuracy of transfer learning by target, k and method, beside Table 2 of the paper.

    A LeNet5 is trained on k labelled target images per class together with the flowed source
    images. The mean is over flows; "±" is the standard deviation over all trainings, a spread.
    "s.e." is the standard error of the mean in points, clustered by flow: sd(means of flows) /
    sqrt(flows). "Means of flows" goes from the lowest to the highest. Of a single flow there is the
    mean alone.

    "difference / s.e." is (mean - published mean) / sqrt(s.e.^2 + V + s^2 / 15). s is the published
    standard deviation, over 3 flows x 5 trainings that share one draw of source images and shots; V
    is the variance between draws, whose root is given with the runs that it is estimated from (0.0
    where the trainings alone explain it); with fewer than 4 draws there is no score. Where flows
    here share a draw too, V is added once more. Rows under "not as published" have other parameters
    than the paper's, and no such score. Flows take exact quantiles unless they say otherwise, the
    paper's are interpolated; this counts as no departure.
    """

    reads: ClassVar[tuple[str, ...]] = (
        "published/transfer_accuracy.csv",
        "measured/between_draws.csv",
    )

    def make(self, scores: pd.DataFrame) -> pd.DataFrame:
        """Summarise the accuracies and put the published ones beside them.

        Returns
        -------
        DataFrame
            One row for each cell, as from `compare_with_published`.
        """
        return sorted_by_problem(compare_with_published(scores, "transfer"), "k")

    def readable(self, table: pd.DataFrame) -> pd.DataFrame:
        """Format for people: accuracies in percent as "mean ± std"."""
        return pd.DataFrame(
            {
                "datasets": problem_names(table),
                "k": table.k,
                "method": method_names(table),
                **readable_comparison(table),
            }
        )
