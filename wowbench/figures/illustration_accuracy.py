"""Accuracies of the illustration of transfer as curves over the epochs of a training."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pandas as pd

from wowbench.figures.panels import draw_curve, draw_legend, panel_grid, unbroken
from wowbench.figures.styles import method_styles
from wowbench.results.cells import method_names, problem_names
from wowbench.results.report import Figure
from wowbench.results.tables.illustration_accuracy import IllustrationAccuracy as AccuracyTable

if TYPE_CHECKING:
    import matplotlib.figure

    from wowbench.plan import Plan

APART = 0.008
"""Distance of the markers of neighbouring curves at one number of epochs, of the largest one."""


class IllustrationAccuracy(Figure):
    """Test accuracy against the epochs of the training, by what is trained on.

    Bars are the standard deviation over the trainings on one flow, as published: a spread, no
    error. Crosses, beside the curves, are the published means, of one draw and with five other
    trainings for each number of epochs.
    """

    reads: ClassVar[tuple[str, ...]] = AccuracyTable.reads

    def draw(self, scores: pd.DataFrame, plan: Plan) -> matplotlib.figure.Figure | None:
        """One panel per problem and k, one curve for each kind of images."""
        table = AccuracyTable().make(scores).dropna(subset="mean")
        if table.empty:
            return None
        table = table.assign(
            curve=_curves(table),
            panel=problem_names(table) + "; " + table.k.map(lambda k: unbroken(f"k = {k}")),
            error=table.std_of_trainings,
        )
        styles = method_styles(table.curve)
        figure, panels = panel_grid(table.panel)
        # Ten numbers of epochs, and a legend below.
        figure.set_size_inches(1.4 * figure.get_figwidth(), figure.get_figheight() + 1.6)
        for name, axis in panels.items():
            rows = table[table.panel == name]
            for i, (curve, style) in enumerate(styles.items()):
                points = rows[rows.curve == curve].sort_values("epoch")
                shift = APART * rows.epoch.max() * (i - (len(styles) - 1) / 2)
                places = points.epoch.astype(float) + shift
                draw_curve(axis, places, points, style)
                marks = {"color": style.colour, "ms": 7, "mew": 1.5}
                axis.plot(places, 100 * points.published_mean, "x", **marks)
            epochs = sorted(rows.epoch.unique())
            axis.set_xticks(epochs, map(str, epochs))
            axis.grid(False, axis="x")
            axis.set(xlabel="epochs", ylabel="test accuracy (%)")
        draw_legend(figure, styles, table.published_source)
        return figure


def _curves(table: pd.DataFrame) -> pd.Series:
    """Name what is trained on, with the method where several move images."""
    names = method_names(table)
    flows = table.protocol != "none"
    if names[flows].nunique() < 2:
        return table.images
    return table.images.where(~flows, table.images + ": " + names)
