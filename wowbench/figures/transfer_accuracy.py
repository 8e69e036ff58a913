"""Accuracies of transfer as curves over k."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pandas as pd

from wowbench.figures.panels import draw_legend, draw_over_k, panel_grid, panel_names
from wowbench.figures.styles import curve_styles, point_styles
from wowbench.results.cells import method_names
from wowbench.results.report import Figure
from wowbench.results.tables.transfer_accuracy import TransferAccuracy as AccuracyTable

if TYPE_CHECKING:
    import matplotlib.figure

    from wowbench.plan import Plan


class TransferAccuracy(Figure):
    """Accuracy against the number of labelled target images per class, by method.

    The mean over flows, with its standard error clustered by flow: sd(means of flows) /
    sqrt(flows). A single flow has no error bar; crosses are the means of Table 2 of the paper, also
    beside runs whose parameters are not the paper's (the table says which these are).
    """

    reads: ClassVar[tuple[str, ...]] = AccuracyTable.reads

    def draw(self, scores: pd.DataFrame, plan: Plan) -> matplotlib.figure.Figure | None:
        """One panel per problem, one curve per method and its parameters."""
        table = AccuracyTable().make(scores).dropna(subset="mean")
        if table.empty:
            return None
        table = table.assign(curve=method_names(table), panel=panel_names(table))
        styles = curve_styles(table.curve, table.method, scores.method)
        if table.k.nunique() == 1:
            styles = point_styles(styles)
        figure, panels = panel_grid(table.panel)
        for name, axis in panels.items():
            rows = table[table.panel == name]
            draw_over_k(axis, rows, styles, "labelled target images per class (k)")
            axis.set_ylabel("test accuracy (%)")
        draw_legend(figure, styles, table.published_source)
        return figure
