"""Figures, one module each with a function ``draw(scores, plan)`` that returns a figure."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from wowbench.errors import InputError
from wowbench.files import atomic_path

if TYPE_CHECKING:
    import pandas as pd

    from wowbench.plan import Plan


def write_figure(name: str, scores: pd.DataFrame, plan: Plan, folder: Path) -> None:
    """Draw a figure and write it as ``folder/name.png`` and ``.pdf``.

    Parameters
    ----------
    name : str
        Module of this package.
    scores : DataFrame
        Tidy scores.
    plan : Plan
        The run, for figures that show its images or loss curves.
    folder : Path
        Where the files go.

    Raises
    ------
    InputError
        If there is no such figure.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    import seaborn as sns

    try:
        module = importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError:
        raise InputError(f"unknown figure {name!r}; expected a module of {__name__}") from None
    sns.set_theme(context="paper", style="whitegrid", palette="colorblind")
    figure = module.draw(scores, plan)
    for suffix in ("png", "pdf"):
        with atomic_path(folder / f"{name}.{suffix}") as temporary:
            figure.savefig(temporary, format=suffix, dpi=200, bbox_inches="tight")
    plt.close(figure)
