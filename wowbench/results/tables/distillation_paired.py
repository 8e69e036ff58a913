"""Accuracies of distillation compared draw by draw."""

from __future__ import annotations

import pandas as pd

from wowbench.results.cells import problem_names, sorted_by_problem
from wowbench.results.paired import paired_differences, readable_differences
from wowbench.results.report import Table
from wowbench.results.scenarios import SCENARIO, with_scenario

REFERENCE = "mmdsw"


class DistillationPaired(Table):
    """Methods of distillation compared with MMDSW of the same scenario on the same draws.

    The mean over draws of the difference of accuracies in percentage points, and Student's 95 %
    confidence interval over draws: mean ± t sd(differences) / sqrt(draws). "Of single draws" goes
    from the lowest to the highest difference. Draws are the same where their images are, in
    whichever experiment. Methods without scenarios are compared with MMDSW without augmentation and
    embedding.
    """

    def make(self, scores: pd.DataFrame) -> pd.DataFrame:
        """Compare every method with the first MMDSW of its scenario, draw by draw.

        Returns
        -------
        DataFrame
            One row for each comparison, as from `wowbench.results.paired`.
        """
        scores = scores[(scores.task == "distillation") & (scores.metric == "accuracy")]
        table = paired_differences(with_scenario(scores), REFERENCE, tuple(SCENARIO))
        return sorted_by_problem(table, "k")

    def readable(self, table: pd.DataFrame) -> pd.DataFrame:
        """Format for people: differences in percentage points."""
        return pd.DataFrame(
            {
                "dataset": problem_names(table),
                "images per class": table.k,
                "augmentation": table.augmentation,
                "embedding": table.embedding,
                "protocol": table.get("protocol", ""),
                **readable_differences(table, tuple(SCENARIO)),
            }
        )
