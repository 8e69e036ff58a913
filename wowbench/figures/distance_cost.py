"""What distances cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.axes import Axes

from wowbench.figures.panels import LONGEST, draw_legend, panel_grid
from wowbench.figures.styles import Style, method_styles
from wowbench.results.distances import (
    directions,
    distance_names,
    measured_distances,
    place_names,
)
from wowbench.results.report import Figure

if TYPE_CHECKING:
    import matplotlib.figure

    from wowbench.plan import Plan

BY_DIRECTIONS, BY_SIZE = "by number of directions", "by number of points"

LINE = 0.2
"""Inches of a line of a legend below the panels."""


class DistanceCost(Figure):
    """Seconds that a distance takes.

    By number of directions, where there are several: the mean over pairs, a level line where a
    distance draws none. By number of points of both subsets, where these have unlike sizes: each
    pair, at the largest number of directions.
    """

    def draw(self, scores: pd.DataFrame, plan: Plan) -> matplotlib.figure.Figure | None:
        """One panel for each two datasets, and for what seconds are shown against."""
        table = measured_distances(scores)
        table = table.assign(
            curve=distance_names(table),
            n_directions=directions(table),
            points=table.source_size + table.target_size,
        )
        groups = {}
        for place, rows in table.groupby(place_names(table), sort=False):
            if rows.groupby("curve").n_directions.nunique().max() > 1:
                groups[f"{place}: {BY_DIRECTIONS}"] = rows
            if rows.points.nunique() > 1:
                groups[f"{place}: {BY_SIZE}"] = rows
        if not groups:
            return None
        styles = method_styles(table.curve)
        figure, panels = panel_grid(groups)
        for title, axis in panels.items():
            draw = _draw_by_directions if title.endswith(BY_DIRECTIONS) else _draw_by_size
            draw(axis, groups[title], styles)
            axis.set(xscale="log", yscale="log")
            axis.set_ylabel("seconds of a pair")
        draw_legend(figure, styles)
        if max(map(len, styles)) > LONGEST:
            figure.set_figheight(figure.get_figheight() + LINE * len(styles))
        return figure


def _draw_by_directions(axis: Axes, rows: pd.DataFrame, styles: dict[str, Style]) -> None:
    for name, own in rows.groupby("curve", sort=False):
        style = styles[name]
        if own.n_directions.isna().all():
            axis.axhline(own.seconds.mean(), color=style.colour, ls="--", lw=1)
            continue
        means = own.groupby(own.n_directions.astype(int)).seconds.mean()
        axis.plot(means.index, means, color=style.colour, marker=style.marker, ms=5, lw=1)
    axis.set_xlabel("directions")


def _draw_by_size(axis: Axes, rows: pd.DataFrame, styles: dict[str, Style]) -> None:
    for name, own in rows.groupby("curve", sort=False):
        style = styles[name]
        most = (
            own[own.n_directions == own.n_directions.max()]
            if own.n_directions.notna().any()
            else own
        )
        axis.plot(most.points, most.seconds, style.marker, color=style.colour, ms=4)
    axis.set_xlabel("points of both subsets")
