"""Looks that the curves of flows onto rings share."""

from __future__ import annotations

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.lines import Line2D


def colours_of(rows: pd.DataFrame) -> dict[str, tuple]:
    """Colours of the curves of one panel, by name: a scale for one kernel's parameter.

    Parameters
    ----------
    rows : DataFrame
        As from `wowbench.results.kernels.with_kernels`.
    """
    ordered = rows.sort_values("setting", kind="stable").name.drop_duplicates()
    if rows.family.nunique() == 1:
        palette = sns.color_palette("viridis_r", len(ordered) + 1)[1:]
    else:
        palette = sns.color_palette(n_colors=len(ordered))
    return dict(zip(ordered, palette, strict=True))


def draw_panel_legend(axis: Axes, colours: dict[str, tuple]) -> None:
    """Name the curves of a panel below it."""
    handles = [Line2D([], [], color=colour, label=name) for name, colour in colours.items()]
    axis.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.2),
        ncols=1 if max(map(len, colours)) > 20 else 2,
        fontsize="x-small",
        frameon=False,
    )
