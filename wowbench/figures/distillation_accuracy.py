"""Accuracy of classifiers trained on distilled images, against the number of images a class.

Mean over all flows and trainings with its standard deviation, by the first protocol of the run;
crosses are the published means of Table 1 (second-hand), the dashed line is the whole training set.
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from wowbench.figures.styles import Style, method_styles
from wowbench.plan import Plan
from wowbench.results.tables.distillation_accuracy import WHOLE, make

SPREAD = 1.04
"""Factor between the horizontal places of two methods, so that their error bars stay apart."""


def draw(scores: pd.DataFrame, plan: Plan) -> Figure | None:
    """One panel a dataset."""
    table = make(scores).dropna(subset="mean")
    if table.empty:
        return None
    table = table[table.protocol == table.protocol.iloc[0]]
    methods = list(dict.fromkeys(table[table.k != WHOLE].method))
    styles = method_styles(scores.method)
    datasets = list(dict.fromkeys(table.target))
    figure, grid = plt.subplots(
        1,
        len(datasets),
        figsize=(3.6 * len(datasets) + 1.4, 3.2),
        squeeze=False,
        layout="constrained",
    )
    for axis, dataset in zip(grid.flat, datasets, strict=True):
        rows = table[table.target == dataset]
        for i, method in enumerate(methods):
            _draw_method(axis, rows[rows.method == method], i, len(methods), styles[method])
        for row in rows[rows.k == WHOLE].itertuples():
            axis.axhline(100 * row.mean, color="0.4", ls="--", lw=1)
        counts = sorted(rows[rows.k != WHOLE].k.unique())
        axis.set(title=dataset, xscale="log", xticks=counts, xticklabels=map(str, counts))
        axis.minorticks_off()
        axis.set_xlabel("images per class")
    grid.flat[0].set_ylabel("test accuracy (%)")
    handles, labels = grid.flat[0].get_legend_handles_labels()
    if table.published_mean.notna().any():
        handles.append(plt.Line2D([], [], ls="", marker="x", color="0.3"))
        labels.append("published")
    figure.legend(handles, labels, loc="outside right center", frameon=False)
    return figure


def _draw_method(axis, rows: pd.DataFrame, number: int, of: int, style: Style) -> None:
    places = rows.k * SPREAD ** (number - (of - 1) / 2)
    axis.errorbar(
        places,
        100 * rows["mean"],
        100 * rows["std"].fillna(0),
        color=style.colour,
        marker=style.marker,
        ms=5,
        lw=1,
        capsize=2,
        label=rows.method.iloc[0] if len(rows) else None,
    )
    axis.plot(places, 100 * rows.published_mean, "x", color=style.colour, ms=7, mew=1.5)
