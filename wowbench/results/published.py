"""The paper's numbers."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from wowbench.registry import METHODS
from wowbench.results.cells import WHOLE

RESULTS = Path(__file__).resolve().parents[2] / "results"
PUBLISHED = RESULTS / "published"


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


def published_accuracies(task: str) -> pd.DataFrame:
    """Read published accuracies of a task, under the names that the scores have.

    Parameters
    ----------
    task : {"transfer", "distillation"}
        Of Table 2, or of Table 1.

    Returns
    -------
    DataFrame
        Columns task, source, target, k, protocol, budget, ``published_as`` (the method),
        augmentation, embedding, ``published_mean`` and ``published_std`` (accuracies in [0, 1])
        and ``published_source``.
    """
    columns = ["task", "source", "target", "k", "protocol", "budget", "published_as"]
    columns += ["augmentation", "embedding", "published_mean", "published_std", "published_source"]
    known = published(f"{task}_accuracy")
    if known.empty:
        numbers = {"k": "int64", "published_mean": float, "published_std": float}
        return pd.DataFrame({c: pd.Series(dtype=numbers.get(c, str)) for c in columns})
    known = known.rename(columns={"source": "published_source", "method": "published_as"})
    known = known.assign(
        task=task, published_mean=known["mean"] / 100, published_std=known["std"] / 100
    )
    if task == "transfer":
        names = {"source_dataset": "source", "target_dataset": "target"}
        known = known.rename(columns=names)
        return known.assign(protocol="", budget="own", augmentation="no", embedding="no")[columns]
    counts = known.images_per_class.replace({"all": WHOLE}).astype("int64")
    known = known.assign(source=known.dataset, target=known.dataset, k=counts)
    known = known.assign(protocol="paper", budget="")
    return known[columns]


def published_as(algorithm: str) -> str:
    """Name the method whose published results stand beside those of an algorithm.

    It is the algorithm itself where that says nothing else, or is not installed here.
    """
    if algorithm not in METHODS.names():
        return algorithm
    return METHODS.get(algorithm).published_as or algorithm


def published_heading(sources: pd.Series) -> str:
    """Name published values of the given sources, as second-hand where they are."""
    second_hand = any("second-hand" in source for source in sources.dropna())
    return "published, second-hand" if second_hand else "published"
