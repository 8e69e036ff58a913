"""How far flows onto rings are from their target."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from wowbench.figures.panels import panel_grid
from wowbench.figures.rings_curves import colours_of, draw_panel_legend
from wowbench.results.kernels import panels, with_kernels
from wowbench.results.report import Figure
from wowbench.results.summary import summarise

if TYPE_CHECKING:
    import matplotlib.figure

    from wowbench.plan import Plan

LEAST = 1e-4
"""Distances below it are drawn there: the axis is logarithmic."""


class RingsDistance(Figure):
    """Exact WoW distance to the rings against the step.

    The distance is taken by exact transport between particles and between classes, with the weights
    of classes where a method moves these; no flow but those under "no MMD" sees it. One panel per
    kernel. A curve is the mean over flows, its band goes from the lowest to the highest flow.
    Distances below 1e-4 are drawn there.
    """

    def draw(self, scores: pd.DataFrame, plan: Plan) -> matplotlib.figure.Figure | None:
        """Draw the distances of all flows at all steps at which particles were kept."""
        scores = scores[scores.task == "rings"]
        if not (scores.metric == "wow_distance_at_step").any():
            return None
        table = with_kernels(summarise(scores, "wow_distance_at_step", by=("step",)))
        table = table.assign(panel=panels(table))
        figure, grid = panel_grid(table.panel)
        for panel, axis in grid.items():
            rows = table[table.panel == panel]
            colours = colours_of(rows)
            for name, colour in colours.items():
                curve = rows[rows.name == name].sort_values("step")
                steps = curve.step.astype(int)
                axis.plot(steps, curve["mean"].clip(LEAST), color=colour, lw=1)
                low, high = (curve[f"{end}_flow"].clip(LEAST) for end in ("lowest", "highest"))
                axis.fill_between(steps, low, high, color=colour, alpha=0.2, lw=0)
            axis.set(yscale="log", xlabel="step", ylabel="WoW distance")
            draw_panel_legend(axis, colours)
        return figure
