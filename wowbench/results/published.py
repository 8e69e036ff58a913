"""The paper's numbers."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

PUBLISHED = Path(__file__).resolve().parents[2] / "results" / "published"


def published(name: str) -> pd.DataFrame:
    """Read a table of published numbers, as they were published.

    Parameters
    ----------
    name : str
        Name of a CSV file in ``results/published``.

    Returns
    -------
    DataFrame
        Empty where the package runs without the repository.
    """
    path = PUBLISHED / f"{name}.csv"
    if not path.exists():
        return pd.DataFrame()
    return pd.read_csv(path)
