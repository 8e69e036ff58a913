"""Accuracies of transfer compared draw by draw."""

from __future__ import annotations

import pandas as pd

from wowbench.results.cells import problem_names, sorted_by_problem
from wowbench.results.paired import paired_differences, readable_differences
from wowbench.results.report import Table

REFERENCE = "mmdsw"


class TransferPaired(Table):
    """Methods compared with MMDSW on the same draws and the same initial weights.

    The mean over draws of the difference of accuracies in percentage points, and Student's 95 %
    confidence interval over draws: mean ± t sd(differences) / sqrt(draws). "Of single draws" goes
    from the lowest to the highest difference. Draws are the same where their images are, in
    whichever experiment; flows that share a draw count as one. Where MMDSW itself was not run, its
    preset that was run (`mmdsw_sprint`, `mmdsw_fast`) stands for it.
    """

    def make(self, scores: pd.DataFrame) -> pd.DataFrame:
        """Compare every method with MMDSW, draw by draw.

        Returns
        -------
        DataFrame
            One row for each comparison, as from `wowbench.results.paired`.
        """
        accuracies = scores[(scores.task == "transfer") & (scores.metric == "accuracy")]
        return sorted_by_problem(paired_differences(accuracies, REFERENCE), "k")

    def readable(self, table: pd.DataFrame) -> pd.DataFrame:
        """Format for people: differences in percentage points."""
        return pd.DataFrame(
            {"datasets": problem_names(table), "k": table.k, **readable_differences(table)}
        )
