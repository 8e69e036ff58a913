"""What a parameter of a method does, as curves over its values."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pandas as pd

from wowbench.figures.panels import (
    draw_curve,
    draw_legend,
    name_of_k,
    panel_grid,
    panel_names,
)
from wowbench.figures.styles import method_styles
from wowbench.results.report import Figure
from wowbench.results.studies import as_numbers
from wowbench.results.tables.parameter_study import ParameterStudy as StudyTable

if TYPE_CHECKING:
    import matplotlib.figure
    from matplotlib.axes import Axes

    from wowbench.plan import Plan

DECADE = 10.0
"""Ratio of the largest value to the smallest from which on an axis is logarithmic."""


class ParameterStudy(Figure):
    """Test accuracy against the value of one parameter, all others being those of the reference.

    One panel per parameter that varies alone, one curve per k. The mean over flows, with its
    standard error clustered by flow: sd(means of flows) / sqrt(flows). A single flow has no error
    bar. The dotted line is the value of the reference, the first method of its algorithm in an
    experiment.
    """

    table: ClassVar[type[StudyTable]] = StudyTable
    """Table whose means are drawn; it says which metric they are of."""

    yscale: ClassVar[str] = "linear"
    """Scale of the vertical axis."""

    def draw(self, scores: pd.DataFrame, plan: Plan) -> matplotlib.figure.Figure | None:
        """One panel per problem, algorithm and parameter."""
        study = self.table()
        table = study.make(scores).dropna(subset="mean")
        if table.empty:
            return None
        curve = [name_of_k(*pair) for pair in zip(table.task, table.k, strict=True)]
        table = table.assign(curve=curve, panel=_panels(table))
        styles = method_styles(table.sort_values("k", kind="stable").curve)
        figure, panels = panel_grid(table.panel)
        for name, axis in panels.items():
            rows = table[table.panel == name]
            rows = rows.assign(place=_places(axis, rows))
            for position in rows.place[rows.is_reference].head(1):
                axis.axvline(position, color="0.6", ls=":", lw=1, zorder=0)
            for curve, points in rows.groupby("curve", sort=False):
                points = points.sort_values("place")
                draw_curve(axis, points.place, points, styles[curve], scale=study.scale)
            axis.set(xlabel=rows.parameter.iloc[0], ylabel=study.quantity, yscale=self.yscale)
        draw_legend(figure, styles)
        return figure


def _panels(table: pd.DataFrame) -> pd.Series:
    names = panel_names(table)
    if table.experiment.nunique() > 1:
        names = names + "; experiment " + table.experiment
    return names + "; " + table.algorithm + ": " + table.parameter


def _places(axis: Axes, rows: pd.DataFrame) -> list[float]:
    """Set up the horizontal axis for the values of a parameter, and place them on it."""
    numbers = as_numbers(rows.value)
    if numbers is None:
        values = list(dict.fromkeys(rows.value))
        axis.set_xticks(range(len(values)), values, rotation=0 if max(map(len, values)) < 9 else 20)
        axis.set_xlim(-0.5, len(values) - 0.5)
        return [values.index(value) for value in rows.value]
    if min(numbers) > 0 and max(numbers) / min(numbers) >= DECADE:
        axis.set_xscale("log")
    labels = dict(zip(numbers, rows.value, strict=True))
    axis.set_xticks(list(labels), labels.values())
    axis.minorticks_off()
    return numbers
