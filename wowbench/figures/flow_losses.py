"""Losses of generation flows over their steps, beside the published ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from wowbench.figures.flows import flows_of, trajectory_of
from wowbench.figures.loss_curves import binned
from wowbench.figures.panels import panel_grid
from wowbench.figures.styles import curve_styles
from wowbench.results.published import published_heading
from wowbench.results.report import Figure
from wowbench.results.tables.flow_losses import FlowLosses as LossTable
from wowbench.results.tables.flow_losses import published_flow

if TYPE_CHECKING:
    import matplotlib.figure

    from wowbench.plan import Plan


class FlowLosses(Figure):
    """Loss of generation flows, 1/2 MMD^2 to the target, over their steps.

    One curve per flow, averaged over bins of equal width on the logarithmic axis, since each step
    draws its own directions. Crosses are the losses that the authors' notebooks show (read from
    plots, to 2 %): before the first step, and the range of the last ones, after as many steps as
    they took. They have the colour of the method that they are set beside, or are grey beside
    several, and are shown beside runs whose parameters are not the authors' too: the table says
    which these are. Methods may decrease different functionals, whose curves do not compare.
    """

    reads: ClassVar[tuple[str, ...]] = ("flow", *LossTable.reads)

    def draw(self, scores: pd.DataFrame, plan: Plan) -> matplotlib.figure.Figure | None:
        """One panel per source and target, one curve per flow."""
        flows = flows_of(plan, "generation")
        losses = {job: trajectory_of(plan, job).losses.numpy() for job in flows.job}
        shown = flows[flows.job.map(lambda job: len(losses[job]) > 0).astype(bool)]
        if shown.empty:
            return None
        styles = curve_styles(shown.name, shown.method, scores.method)
        figure, panels = panel_grid(shown.problem)
        sources = []
        for name, axis in panels.items():
            rows = shown[shown.problem == name]
            for flow in rows.itertuples():
                steps, means = binned(losses[flow.job])
                look = styles[flow.name]
                axis.plot(steps, means, color=look.colour, ls=look.line, lw=1, alpha=0.8)
            for known, names in _published(rows):
                colour = styles[names[0]].colour if len(names) == 1 else "0.3"
                _draw_published(axis, known, colour)
                sources.append(known["source"])
            axis.set(xlabel="step", ylabel="loss", xscale="log", yscale="log")
        handles = [
            Line2D([], [], color=style.colour, ls=style.line, label=name)
            for name, style in styles.items()
        ]
        if sources:
            label = f"{published_heading(pd.Series(sources))}, start and end"
            handles.append(Line2D([], [], ls="", marker="x", mew=1.5, color="0.3", label=label))
        columns = min(len(handles), 3 if len(panels) > 1 else 2)
        figure.legend(handles=handles, loc="outside lower center", ncols=columns, frameon=False)
        return figure


def _published(rows: pd.DataFrame) -> list[tuple[dict, list[str]]]:
    """List the published flows of a panel, each with the names of the methods set beside it."""
    found: dict[tuple, tuple[dict, list[str]]] = {}
    for row in rows.drop_duplicates("name").to_dict("records"):
        known = published_flow(row)
        if known is not None:
            found.setdefault(tuple(known.values()), (known, []))[1].append(row["name"])
    return list(found.values())


def _draw_published(axis: Axes, known: dict, colour) -> None:
    """Mark where a published flow starts and ends."""
    low, high = known["last_low"], known["last_high"]
    middle = np.sqrt(low * high)
    axis.errorbar(
        [1, known["steps"]],
        [known["start"], middle],
        [[0, middle - low], [0, high - middle]],
        color=colour,
        ls="",
        marker="x",
        ms=7,
        mew=1.5,
        zorder=3,
    )
