"""Figures, one module each with a function ``draw(scores, plan)``.

It returns a figure, or None where the run has nothing to show, as when every flow diverged.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from wowbench.errors import InputError
from wowbench.files import atomic_path

if TYPE_CHECKING:
    import pandas as pd

    from wowbench.plan import Plan


def write_figure(name: str, scores: pd.DataFrame, plan: Plan, out: Path) -> None:
    """Draw a figure and write it as PNG and PDF.

    Parameters
    ----------
    name : str
        Module of this package.
    scores : DataFrame
        Tidy scores.
    plan : Plan
        The run, for figures that show its images or loss curves.
    out : Path
        The PNG file; the other has its name and ``.pdf``.

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
    figure = module.draw(scores, plan) or _nothing_to_show()
    for suffix in ("png", "pdf"):
        with atomic_path(out.with_suffix(f".{suffix}")) as temporary:
            figure.savefig(temporary, format=suffix, dpi=200, bbox_inches="tight")
    plt.close(figure)


def _nothing_to_show():
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(3, 1))
    figure.text(0.5, 0.5, "this run left nothing to draw here", ha="center", va="center")
    return figure
