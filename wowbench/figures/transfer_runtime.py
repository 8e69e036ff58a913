"""Run times of transfer flows as points over k."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd
from matplotlib.ticker import LogFormatter

from wowbench.figures.panels import draw_legend, panel_grid, panel_names
from wowbench.figures.styles import Style, curve_styles, point_styles
from wowbench.results.cells import method_names
from wowbench.results.report import Figure
from wowbench.results.tables.transfer_runtime import STEPS
from wowbench.results.tables.transfer_runtime import TransferRuntime as RuntimeTable

if TYPE_CHECKING:
    import matplotlib.figure

    from wowbench.plan import Plan

WIDTH = 0.6
"""Part of the way from one k to the next over which methods are spread."""


class TransferRuntime(Figure):
    """Seconds that a flow of 5,000 steps takes, by method and k.

    The mean over flows of seconds per step times 5,000, with its standard error: sd / sqrt(flows).
    A single flow has no error bar. Open markers are extrapolated from flows of fewer or more steps.
    """

    reads: ClassVar[tuple[str, ...]] = RuntimeTable.reads

    def draw(self, scores: pd.DataFrame, plan: Plan) -> matplotlib.figure.Figure | None:
        """One panel per problem and, where there are several, device; a point per method and k."""
        table = RuntimeTable().make(scores)
        if table.empty:
            return None
        panel = panel_names(table)
        if table.device.nunique() > 1:
            panel = panel + "; on " + table.device
        table = table.assign(curve=method_names(table), panel=panel)
        styles = point_styles(curve_styles(table.curve, table.method, scores.method))
        figure, panels = panel_grid(table.panel)
        for name, axis in panels.items():
            rows = table[table.panel == name]
            curves = [curve for curve in styles if curve in set(rows.curve)]
            shifts = dict(zip(curves, np.linspace(-0.5, 0.5, len(curves) + 2)[1:-1], strict=True))
            counts = sorted(rows.k.unique())
            for row in rows.itertuples():
                axis.errorbar(
                    counts.index(row.k) + WIDTH * shifts[row.curve],
                    row.seconds_mean,
                    row.seconds_error,
                    color=styles[row.curve].colour,
                    marker=styles[row.curve].marker,
                    mfc="white" if row.extrapolated_from else styles[row.curve].colour,
                    capsize=2,
                )
            axis.set_xticks(range(len(counts)), [str(k) for k in counts])
            axis.set_xlim(-0.5, len(counts) - 0.5)
            if len(styles) > 1:
                axis.set_yscale("log")
                axis.yaxis.set_major_formatter(LogFormatter())
                axis.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(2, 0.5)))
            axis.set_xlabel("labelled target images per class (k)")
            axis.set_ylabel(f"seconds for {STEPS:,} steps")
        draw_legend(figure, styles | _extrapolated(table))
        return figure


def _extrapolated(table: pd.DataFrame) -> dict[str, Style]:
    """Entry of the legend for open markers, where there are any."""
    return (
        {"open: extrapolated": Style((0.3, 0.3, 0.3), "", "")}
        if any(table.extrapolated_from)
        else {}
    )
