"""The four scenarios of distillation: with or without augmentation, and embedding."""

from __future__ import annotations

import pandas as pd

SCENARIO = ["algorithm", "augmentation", "embedding"]


def scenarios(scores: pd.DataFrame) -> pd.DataFrame:
    """Scenario of each method; one that has none neither augments nor embeds.

    Parameters
    ----------
    scores : DataFrame
        Tidy scores of distillation.

    Returns
    -------
    DataFrame
        One row a method, in the order of the scores: ``method`` and `SCENARIO`.
    """
    scores = scores.reindex(columns=["method", *SCENARIO]).astype(object).drop_duplicates("method")
    defaults = {"algorithm": scores.method, "augmentation": "no", "embedding": "no"}
    return scores.fillna(defaults)
