"""The four scenarios of distillation: with or without augmentation, and embedding."""

from __future__ import annotations

import pandas as pd

SCENARIO = ["augmentation", "embedding"]


def with_scenario(table: pd.DataFrame) -> pd.DataFrame:
    """Add whether the method of each row augments and embeds.

    A method without such a parameter does not.

    Parameters
    ----------
    table : DataFrame
        Rows with the columns of cells.

    Returns
    -------
    DataFrame
        With the columns `SCENARIO`: "yes" or "no".
    """
    nothing = pd.Series("", index=table.index)
    augmentation = table.get("method.augmentation", nothing)
    embedding = table.get("method.embedding", nothing)
    return table.assign(
        augmentation=augmentation.isin(["", "[]"]).map({True: "no", False: "yes"}),
        embedding=(embedding == "True").map({True: "yes", False: "no"}),
    )
