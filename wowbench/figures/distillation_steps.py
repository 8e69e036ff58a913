"""Accuracies of distillation as curves over the steps of flows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from wowbench.figures.panels import draw_curve, draw_legend, panel_grid, panel_names, unbroken
from wowbench.figures.styles import curve_styles
from wowbench.results.cells import method_names
from wowbench.results.report import Figure
from wowbench.results.summary import summarise

if TYPE_CHECKING:
    import matplotlib.figure

    from wowbench.plan import Plan


class DistillationSteps(Figure):
    """Accuracy of classifiers trained on the images as they were after a number of flow steps.

    The mean over flows, with its standard error clustered by flow: sd(means of flows) /
    sqrt(flows). A single flow has no error bar. It shows whether stopping a flow early would have
    been better.
    """

    def draw(self, scores: pd.DataFrame, plan: Plan) -> matplotlib.figure.Figure | None:
        """One panel for each problem and number of images per class; step 0 is the start."""
        curves = scores[(scores.task == "distillation") & (scores.metric == "accuracy_at_step")]
        if curves.empty:
            return None
        table = summarise(curves, "accuracy_at_step", by=("step",))
        per_class = table.k.map(lambda k: unbroken(f"images per class: {k}"))
        panel = panel_names(table) + "; " + per_class
        table = table.assign(curve=method_names(table), panel=panel)
        styles = curve_styles(table.curve, table.method, scores.method)
        figure, panels = panel_grid(table.panel)
        first, last = table.step.min(), table.step.max()
        for name, axis in panels.items():
            rows = table[table.panel == name]
            for curve, points in rows.groupby("curve", sort=False):
                points = points.sort_values("step")
                draw_curve(axis, points.step.astype(int), points, styles[curve])
            if first == 0:
                # Step 0 on a logarithmic axis.
                axis.set_xscale("symlog")
                axis.set_xlim(-0.3, 1.3 * last)
            else:
                axis.set(xscale="log", xlim=(first / 1.3, 1.3 * last))
            axis.set(xlabel="flow step", ylabel="test accuracy (%)")
        draw_legend(figure, styles)
        return figure
