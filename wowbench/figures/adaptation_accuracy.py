"""Accuracies of domain adaptation as curves over the steps of a flow."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from wowbench.figures.panels import panel_grid, panel_names
from wowbench.figures.styles import Style, curve_styles
from wowbench.results.cells import method_names
from wowbench.results.report import Figure
from wowbench.results.summary import summarise
from wowbench.results.tables.adaptation_accuracy import AdaptationAccuracy as AccuracyTable
from wowbench.results.tables.adaptation_accuracy import accuracy_curves, published_curves

if TYPE_CHECKING:
    import matplotlib.figure

    from wowbench.plan import Plan

REFERENCES = {
    "published mmdsw": {"color": "0.45", "ls": "--", "marker": "x", "ms": 5, "lw": 1},
    "published otdd, at the end": {"color": "0.45", "ls": "-.", "lw": 1},
    "target's test set": {"color": "0.1", "ls": ":", "lw": 1.2},
    "unflowed source": {"color": "0.6", "ls": ":", "lw": 1.2},
}
"""Looks of all that is no curve of this run."""


class AdaptationAccuracy(Figure):
    """Accuracy of a frozen classifier on flowed source particles over the steps of the flow.

    A classifier is trained on target particles, and tested on the moved source particles against
    the labels that they have by then, by default those of the target classes that the WoW coupling
    aligns theirs with. Curves are means over flows; bands are two standard errors to either side,
    2 sd / sqrt(flows) with the standard deviation of n - 1; a single flow has no band. A flow that
    ends before the others goes on as a thin level line. In grey what the paper's Figure 3 shows as
    far as the run goes, with bands by the same formula (3 flows; 1.22 times as wide as printed),
    also beside runs whose parameters are not the paper's: the table says which these are. Dotted
    are the classifier's accuracy on the target's own test set, which no flow can be expected to
    pass but by collapsing on what the classifier was trained on, and that on the unflowed source,
    with the labels of the panel's first method.
    """

    reads: ClassVar[tuple[str, ...]] = AccuracyTable.reads

    def draw(self, scores: pd.DataFrame, plan: Plan) -> matplotlib.figure.Figure | None:
        """One panel per source and target, one curve per method and its parameters."""
        table = accuracy_curves(scores).dropna(subset="mean")
        if table.empty:
            return None
        table = table.assign(curve=method_names(table), panel=panel_names(table))
        tested = summarise(scores[scores.task == "adaptation"], "test_accuracy")
        tested = tested.assign(panel=panel_names(tested)).groupby("panel")["mean"].mean()
        styles = curve_styles(table.curve, table.method, scores.method)
        figure, panels = panel_grid(table.panel)
        drawn: set[str] = set()
        for name, axis in panels.items():
            rows = table[table.panel == name]
            end = int(rows.step.max())
            for curve, at_steps in rows.groupby("curve", sort=False):
                _draw_curve(axis, at_steps.sort_values("step"), styles[curve], end)
            drawn |= _draw_published(axis, rows, end)
            drawn |= _draw_level(axis, "target's test set", tested[name])
            unflowed = rows[rows.step == 0]
            if not unflowed.empty:
                drawn |= _draw_level(axis, "unflowed source", unflowed["mean"].iloc[0])
            axis.set(xlim=(-0.02 * end, 1.02 * end), ylim=(0, 102), xlabel="step")
            axis.set_ylabel("accuracy (%)")
            axis.xaxis.set_major_locator(MaxNLocator(4))
            axis.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        handles = [
            Line2D([], [], color=style.colour, marker=style.marker, ls=style.line, ms=4, label=name)
            for name, style in styles.items()
        ]
        handles += [
            Line2D([], [], **looks, label=name)
            for name, looks in REFERENCES.items()
            if name in drawn
        ]
        columns = min(len(handles), 3 if len(panels) > 1 else 2)
        figure.legend(handles=handles, loc="outside lower center", ncols=columns, frameon=False)
        return figure


def _draw_curve(axis: Axes, curve: pd.DataFrame, style: Style, end: int) -> None:
    """Draw means with their band, and the last one as a level up to step `end`."""
    steps, means = curve.step.astype(float), 100 * curve["mean"]
    looks = {"color": style.colour, "ls": style.line}
    axis.plot(steps, means, marker=style.marker, ms=3, lw=1.2, **looks)
    _draw_band(axis, steps, means, 100 * curve.error, style.colour)
    if steps.iloc[-1] < end:
        axis.plot([steps.iloc[-1], end], [means.iloc[-1]] * 2, lw=0.7, **looks)


def _draw_band(axis: Axes, steps, means, errors, colour) -> None:
    axis.fill_between(steps, means - 2 * errors, means + 2 * errors, color=colour, alpha=0.2, lw=0)


def _draw_published(axis: Axes, rows: pd.DataFrame, end: int) -> set[str]:
    """Draw what was published of a panel's datasets up to step `end`; return its names."""
    known = published_curves()
    first = rows.iloc[0]
    known = known[(known.source == first.source) & (known.target == first.target)]
    drawn = set()
    for method, curve in known[known.step <= end].groupby("published_as"):
        name = f"published {method}"
        means = 100 * curve.published_mean
        axis.plot(curve.step.astype(float), means, **REFERENCES[name])
        errors = 100 * curve.published_error
        _draw_band(axis, curve.step.astype(float), means, errors, REFERENCES[name]["color"])
        drawn.add(name)
    for level in known[known.step.isna()].itertuples():
        name = f"published {level.published_as}, at the end"
        drawn |= _draw_level(axis, name, level.published_mean)
    return drawn


def _draw_level(axis: Axes, name: str, level: float) -> set[str]:
    axis.axhline(100 * level, **REFERENCES[name], zorder=1)
    return {name}
