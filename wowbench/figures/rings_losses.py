"""Losses of flows onto rings."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd

from wowbench.figures.flows import flows_of, trajectory_of
from wowbench.figures.panels import panel_grid
from wowbench.figures.rings_curves import colours_of, draw_panel_legend
from wowbench.results.kernels import panels, with_kernels
from wowbench.results.report import Figure
from wowbench.results.tables.rings_loss import RingsLoss

if TYPE_CHECKING:
    import matplotlib.figure

    from wowbench.plan import Plan

LEAST = 1e-6
"""Losses below it are drawn there: the axis is logarithmic."""


class RingsLosses(Figure):
    """Loss of flows onto rings against the step: half the squared MMD.

    One panel per kernel, one colour per bandwidth or exponent, step size and momentum; one thin
    curve per flow. Each step draws its own directions, along which its loss is taken. A cross is a
    published loss at the end; those printed as 0.000 are left out. Losses below 1e-6 are drawn
    there. Those of different kernels are in different units.
    """

    reads: ClassVar[tuple[str, ...]] = ("flow", *RingsLoss.reads)

    def draw(self, scores: pd.DataFrame, plan: Plan) -> matplotlib.figure.Figure | None:
        """Draw the losses of all flows of an MMD."""
        flows = flows_of(plan, "rings")
        if not flows.empty:
            flows = with_kernels(flows)
            flows = flows[flows.algorithm.str.startswith("mmdsw")]
        losses = {job: trajectory_of(plan, job).losses.numpy() for job in flows.job}
        flows = flows[flows.job.map(lambda job: len(losses[job]) > 0).astype(bool)]
        if flows.empty:
            return None
        flows = flows.assign(panel=panels(flows))
        ends = RingsLoss().make(scores)
        ends = ends[ends.published_greatest >= LEAST].set_index(["experiment", "method"])
        figure, grid = panel_grid(flows.panel)
        for panel, axis in grid.items():
            rows = flows[flows.panel == panel]
            colours = colours_of(rows)
            for flow in rows.itertuples():
                steps = np.arange(1, len(losses[flow.job]) + 1)
                values = losses[flow.job].clip(LEAST)
                axis.plot(steps, values, color=colours[flow.name], lw=0.7)
                if (flow.experiment, flow.method) in ends.index:
                    end = ends.loc[(flow.experiment, flow.method)]
                    values = [end.published_least, end.published_greatest]
                    looks = {"color": colours[flow.name], "ms": 6, "mew": 1.5}
                    axis.plot(2 * [len(steps)], values, "x", clip_on=False, **looks)
            axis.set(xscale="log", yscale="log", xlabel="step", ylabel="loss")
            draw_panel_legend(axis, colours)
        return figure
