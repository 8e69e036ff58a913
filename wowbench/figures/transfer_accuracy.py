"""Accuracy against the number of labelled target images a class, by method.

Mean over all flows and trainings with its standard deviation; crosses are the means of Table 2 of
the paper.
"""

from __future__ import annotations

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from wowbench.figures.styles import method_styles
from wowbench.plan import Plan
from wowbench.results.tables.transfer_accuracy import make

DODGE = 1.06
"""Ratio of the horizontal places of two methods."""


def draw(scores: pd.DataFrame, plan: Plan) -> Figure:
    """One panel a target: mean over flows and trainings with its standard deviation."""
    accuracies = scores[(scores.task == "transfer") & (scores.metric == "accuracy")]
    methods = list(dict.fromkeys(accuracies.method))
    styles = method_styles(scores.method)
    # Methods stand side by side at each k, so that none hides another.
    places = {method: DODGE ** (i - (len(methods) - 1) / 2) for i, method in enumerate(methods)}
    grid = sns.relplot(
        accuracies.assign(
            percent=100 * accuracies.value, place=accuracies.k * accuracies.method.map(places)
        ),
        x="place",
        y="percent",
        hue="method",
        hue_order=methods,
        palette=[styles[m].colour for m in methods],
        style="method",
        style_order=methods,
        dashes=False,
        markers=[styles[m].marker for m in methods],
        col="target",
        kind="line",
        errorbar="sd",
        err_style="bars",
        err_kws={"capsize": 3},
        height=3.2,
        aspect=1.25,
        legend=False,
    )
    shots = sorted(accuracies.k.unique())
    known = make(scores).dropna(subset=["mean", "published_mean"])
    for target, axes in grid.axes_dict.items():
        axes.set(xscale="log", xticks=shots, xticklabels=[str(k) for k in shots])
        axes.minorticks_off()
        for row in known[known.target == target].itertuples():
            place, colour = row.k * places[row.method], styles[row.method].colour
            axes.plot(place, 100 * row.published_mean, "x", color=colour, ms=7, mew=1.5)
    grid.set_axis_labels("labelled target images a class (k)", "test accuracy (%)")
    grid.set_titles("{col_name}")
    handles = [
        Line2D([], [], color=styles[m].colour, marker=styles[m].marker, label=m) for m in methods
    ]
    if not known.empty:
        handles.append(Line2D([], [], ls="", marker="x", color="0.3", label="published"))
    grid.figure.legend(handles=handles, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    return grid.figure
