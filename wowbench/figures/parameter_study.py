"""What a parameter of a method does, as curves over its values."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd

from wowbench.figures.panels import (
    draw_curve,
    draw_legend,
    name_of_k,
    panel_grid,
    panel_names,
)
from wowbench.figures.styles import Style, method_styles
from wowbench.results.report import Figure
from wowbench.results.studies import as_numbers
from wowbench.results.tables.parameter_study import ParameterStudy as StudyTable

if TYPE_CHECKING:
    import matplotlib.figure
    from matplotlib.axes import Axes

    from wowbench.plan import Plan

DECADE = 10.0
"""Ratio of the largest value to the smallest from which on an axis is logarithmic."""

APART = 0.12
"""Distance of the markers of neighbouring k at one value, of the distance between values."""

LONGEST = 8
"""Letters of a value from which on values are turned to stand side by side."""


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

    least: ClassVar[float] = -np.inf
    """Means below it, in units of the scores, are drawn there."""

    def draw(self, scores: pd.DataFrame, plan: Plan) -> matplotlib.figure.Figure | None:
        """One panel per problem, algorithm and parameter."""
        study = self.table()
        table = study.make(scores).dropna(subset="mean")
        if table.empty:
            return None
        table = table.assign(mean=table["mean"].clip(self.least))
        curve = [name_of_k(*pair) for pair in zip(table.task, table.k, strict=True)]
        table = table.assign(curve=curve, panel=_panels(table))
        styles = method_styles(table.sort_values("k", kind="stable").curve)
        figure, panels = panel_grid(table.panel)
        for name, axis in panels.items():
            self._draw_panel(axis, table[table.panel == name], styles)
            axis.set(ylabel=study.quantity, yscale=self.yscale)
        # Alike in all panels, so that what parameters do compares at a glance.
        limits = [axis.get_ylim() for axis in panels.values()]
        for axis in panels.values():
            axis.set_ylim(min(low for low, _ in limits), max(high for _, high in limits))
        draw_legend(figure, styles)
        return figure

    def _draw_panel(self, axis: Axes, rows: pd.DataFrame, styles: dict[str, Style]) -> None:
        numbers = as_numbers(rows.value)
        places = _text_axis(axis, rows.value) if numbers is None else _number_axis(axis, numbers)
        rows = rows.assign(place=places)
        for place in rows.place[rows.is_reference].head(1):
            axis.axvline(place, color="0.4", ls=":", lw=1.2, zorder=0)
        curves = [curve for curve in styles if curve in set(rows.curve)]
        for i, curve in enumerate(curves):
            points, style = rows[rows.curve == curve].sort_values("place"), styles[curve]
            if numbers is None:  # names have no order that a line could follow
                points = points.assign(place=points.place + APART * (i - (len(curves) - 1) / 2))
                style = style._replace(line="")
            draw_curve(axis, points.place, points, style, scale=self.table.scale)
        axis.grid(False, axis="x")
        axis.set_xlabel(rows.parameter.iloc[0])


def _panels(table: pd.DataFrame) -> pd.Series:
    names = panel_names(table)
    if table.experiment.nunique() > 1:
        names = names + "; experiment " + table.experiment
    return names + "; " + table.algorithm + ": " + table.parameter


def _text_axis(axis: Axes, values: pd.Series) -> list[float]:
    """Set up a horizontal axis of values side by side, and place each of them on it."""
    names = list(dict.fromkeys(values))
    turned = 20 if max(map(len, names)) > LONGEST else 0
    axis.set_xticks(range(len(names)), names, rotation=turned)
    axis.set_xlim(-0.5, len(names) - 0.5)
    return [names.index(value) for value in values]


def _number_axis(axis: Axes, numbers: list[float]) -> list[float]:
    """Set up a horizontal axis of numbers with a tick at each; logarithmic over a decade."""
    if min(numbers) > 0 and max(numbers) / min(numbers) >= DECADE:
        axis.set_xscale("log")
    ticks = sorted(set(numbers))
    axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.minorticks_off()
    return numbers
