"""Accuracies of distillation as curves over the number of images."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pandas as pd

from wowbench.figures.panels import draw_legend, draw_over_k, panel_grid, panel_names
from wowbench.figures.styles import curve_styles, point_styles
from wowbench.results.cells import WHOLE, method_names
from wowbench.results.report import Figure
from wowbench.results.tables.distillation_accuracy import DistillationAccuracy as AccuracyTable

if TYPE_CHECKING:
    import matplotlib.figure

    from wowbench.plan import Plan


class DistillationAccuracy(Figure):
    """Accuracy of classifiers trained on distilled images, against the number of images per class.

    The mean over flows, with its standard error clustered by flow: sd(means of flows) /
    sqrt(flows). A single flow has no error bar; crosses are the published means of Table 1
    (second-hand), also beside runs whose parameters are not the paper's (the table says which these
    are). The dashed line is the whole training set.
    """

    reads: ClassVar[tuple[str, ...]] = AccuracyTable.reads

    def draw(self, scores: pd.DataFrame, plan: Plan) -> matplotlib.figure.Figure | None:
        """One panel per dataset, with its parameters and protocol; one curve per method."""
        table = AccuracyTable().make(scores).dropna(subset="mean")
        table = table.assign(curve=method_names(table), panel=panel_names(table))
        moved = table[table.k != WHOLE]
        if moved.empty:
            return None
        styles = curve_styles(moved.curve, moved.method, scores.method)
        if moved.k.nunique() == 1:
            styles = point_styles(styles)
        figure, panels = panel_grid(moved.panel)
        for name, axis in panels.items():
            draw_over_k(axis, moved[moved.panel == name], styles, "images per class")
            for mean in table["mean"][(table.panel == name) & (table.k == WHOLE)]:
                axis.axhline(100 * mean, color="0.4", ls="--", lw=1)
            axis.set_ylabel("test accuracy (%)")
        draw_legend(figure, styles, moved.published_source)
        return figure
