"""Gains in transfer against distances between datasets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wowbench.figures.panels import draw_legend, panel_grid
from wowbench.figures.styles import method_styles
from wowbench.results.report import Figure
from wowbench.results.tables.distance_gain import DistanceGain as GainTable

if TYPE_CHECKING:
    import matplotlib.figure
    import pandas as pd

    from wowbench.plan import Plan

MOST_NAMED = 4
"""Pairs of datasets that have room for their names in a panel."""


class DistanceGain(Figure):
    """Gain in transfer against the squared distance of source and target, a panel a distance.

    A point is a pair of datasets, a method and a number k of labelled images per class, with the
    standard error over draws. Few pairs are written above it; of many, the legend has the target.
    The gain is over the target alone, trained for as many steps on the same draws.
    """

    def draw(self, scores: pd.DataFrame, plan: Plan) -> matplotlib.figure.Figure | None:
        """One panel per distance, a colour per method and k."""
        table = GainTable().make(scores)
        if table.empty:
            return None
        directed = [
            "" if count is None else f", {count:,} directions"
            for count in table.n_directions.astype(object).where(table.n_directions.notna(), None)
        ]
        crowded = len(table[["source", "target"]].drop_duplicates()) > MOST_NAMED
        table = table.assign(
            panel=table.distance + directed,
            curve=[
                f"to {target}: {method}, k = {k}" if crowded else f"{method}, k = {k}"
                for target, method, k in zip(table.target, table.method, table.k, strict=True)
            ],
        )
        styles = method_styles(table.curve)
        figure, panels = panel_grid(table.panel)
        for title, axis in panels.items():
            rows = table[table.panel == title]
            for name, own in rows.groupby("curve", sort=False):
                style = styles[name]
                axis.errorbar(
                    own.squared_distance,
                    100 * own.gain,
                    100 * own.gain_error,
                    fmt=style.marker,
                    color=style.colour,
                    ms=5,
                    capsize=2,
                    lw=1,
                )
            places = () if crowded else rows.groupby(["source", "target"], sort=False)
            for (source, target), own in places:
                axis.annotate(
                    f"{source} to {target}",
                    (own.squared_distance.iloc[0], 100 * own.gain.max()),
                    xytext=(0, 6),
                    textcoords="offset points",
                    ha="center",
                    fontsize="xx-small",
                )
            axis.margins(x=0.3, y=0.2)
            axis.axhline(0, color="0.5", lw=0.8)
            axis.set_xlabel("squared distance")
            axis.set_ylabel("gain (points)")
        draw_legend(figure, styles)
        return figure
