"""Panels of curves with error bars and published values, one panel per problem."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from wowbench.figures.styles import Style
from wowbench.results.cells import problem_names
from wowbench.results.published import published_heading

COLUMNS = 3
LONGEST = 28
"""Characters of a name in a legend that stands beside the panels."""

LINE, CHARACTER, KEY = 0.2, 0.08, 0.6
"""Inches that a line, a character, and the marker with its margins take in a legend."""

DODGE = 1.06
"""Most that the horizontal places of two neighbouring methods differ, as a ratio."""

SINGLE = 1.2
"""The same ratio where there is a single k."""


def panel_names(table: pd.DataFrame) -> pd.Series:
    """Name the problem of each row, with the protocol where the table has several."""
    names = problem_names(table)
    if "protocol" in table and table.protocol.nunique() > 1:
        return names + "; protocol " + table.protocol
    return names


def panel_grid(names: Iterable[str]) -> tuple[Figure, dict[str, Axes]]:
    """Make a figure with a panel for each different name, its title; at most `COLUMNS` a row."""
    names = list(dict.fromkeys(names))
    rows = -(-len(names) // COLUMNS)
    columns = -(-len(names) // rows)
    figure, grid = plt.subplots(
        rows,
        columns,
        figsize=(3.6 * columns + 1.4, 3.2 * rows),
        squeeze=False,
        layout="constrained",
    )
    for axis in grid.flat[len(names) :]:
        axis.set_axis_off()
    panels = dict(zip(names, grid.flat[: len(names)], strict=True))
    for name, axis in panels.items():
        set_title(axis, name)
    return figure, panels


def set_title(axis: Axes, title: str, characters: int = 42) -> None:
    """Give a panel a title, in lines of at most so many characters."""
    axis.set_title(fill(title, characters, break_on_hyphens=False), fontsize="medium")


def unbroken(text: str) -> str:
    """Keep a text on one line of a title."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def name_of_k(task: str, k: int) -> str:
    """Say what k is in a task, as "k = 5" or "images per class: 10"."""
    if task == "transfer":
        return f"k = {k}"
    return f"{'points' if task == 'rings' else 'images'} per class: {k}"


def draw_over_k(axis: Axes, rows: pd.DataFrame, styles: Mapping[str, Style], label: str) -> None:
    """Draw accuracies of methods against k, and published means as crosses.

    Methods stand side by side at each k, closer to it than to the next k; a single k has the whole
    panel, and points without lines.

    Parameters
    ----------
    axis : Axes
        Panel to draw in.
    rows : DataFrame
        Columns ``curve`` (a key of `styles`), k, mean, error and ``published_mean``; one row a
        curve and k.
    styles : mapping of str to Style
        Of all curves of the figure.
    label : str
        What k is.
    """
    counts = np.array(sorted(rows.k.unique()))
    curves = [name for name in styles if name in set(rows.curve)]
    single = len(counts) == 1
    gap = np.diff(np.log(counts)).min(initial=np.inf)
    step = np.log(SINGLE) if single else min(np.log(DODGE), 0.6 * gap / len(curves))
    for i, name in enumerate(curves):
        curve, style = rows[rows.curve == name].sort_values("k"), styles[name]
        places = curve.k * np.exp(step * (i - (len(curves) - 1) / 2))
        draw_curve(axis, places, curve, style)
        axis.plot(places, 100 * curve.published_mean, "x", color=style.colour, ms=7, mew=1.5)
    axis.set(xscale="log", xticks=counts, xticklabels=map(str, counts), xlabel=label)
    axis.minorticks_off()
    margin = SINGLE ** (len(curves) / 2 + 0.5) if single else 1.35
    axis.set_xlim(counts[0] / margin, counts[-1] * margin)


def draw_curve(
    axis: Axes, places: pd.Series, curve: pd.DataFrame, style: Style, *, scale: float = 100
) -> None:
    """Draw means with their standard errors, no bar where there is no error.

    Both are multiplied by `scale`, which by default makes fractions percentages.
    """
    axis.errorbar(
        places,
        scale * curve["mean"],
        scale * curve.error,
        color=style.colour,
        marker=style.marker,
        ls=style.line,
        ms=5,
        lw=1,
        capsize=2,
    )


def draw_legend(
    figure: Figure, styles: Mapping[str, Style], sources: pd.Series | None = None
) -> None:
    """Put a legend of all curves beside the panels, or below them where names are long.

    Parameters
    ----------
    figure : Figure
        Figure of the panels.
    styles : mapping of str to Style
        By name of a curve.
    sources : Series, optional
        Where published values are from, missing where there is none; crosses stand for them.
    """
    handles = [
        Line2D([], [], color=style.colour, marker=style.marker, ls=style.line, label=name)
        for name, style in styles.items()
    ]
    if sources is not None and sources.notna().any():
        label = published_heading(sources)
        handles.append(Line2D([], [], ls="", marker="x", color="0.3", label=label))
    longest = max(map(len, styles))
    column = CHARACTER * longest + KEY
    width, height = figure.get_size_inches()
    if longest <= LONGEST:
        place, columns = "outside right center", math.ceil(LINE * len(handles) / height)
        figure.set_figwidth(width + column * (columns - 1))
    else:
        place, columns = "outside lower center", max(1, int(width / column))
        figure.set_figheight(height + LINE * math.ceil(len(handles) / columns))
    figure.legend(handles=handles, loc=place, ncols=columns, frameon=False)
