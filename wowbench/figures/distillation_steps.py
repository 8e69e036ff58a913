"""Accuracy of classifiers trained on the images as they were after a number of flow steps.

Mean over all flows and trainings with its standard deviation, by the first protocol of the run:
whether stopping a flow early would have been better.
"""

from __future__ import annotations

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from wowbench.figures.styles import method_styles
from wowbench.plan import Plan


def draw(scores: pd.DataFrame, plan: Plan) -> Figure | None:
    """One panel for each dataset and number of images a class; step 0 is the start."""
    curves = scores[(scores.task == "distillation") & (scores.metric == "accuracy_at_step")]
    if curves.empty:
        return None
    curves = curves[curves.protocol == curves.protocol.iloc[0]]
    styles = method_styles(scores.method)
    grid = sns.relplot(
        curves.assign(percent=100 * curves.value),
        x="step",
        y="percent",
        hue="method",
        palette={method: styles[method].colour for method in curves.method},
        style="method",
        markers={method: styles[method].marker for method in curves.method},
        dashes=False,
        row="target",
        col="k",
        kind="line",
        errorbar="sd",
        err_style="bars",
        height=2.6,
        aspect=1.2,
        facet_kws={"sharey": False},
    )
    first, last = curves.step.min(), curves.step.max()
    if first == 0:
        grid.set(xscale="symlog", xlim=(-0.3, 1.3 * last))  # step 0 on a logarithmic axis
    else:
        grid.set(xscale="log", xlim=(first / 1.3, 1.3 * last))
    grid.set_axis_labels("flow step", "test accuracy (%)")
    grid.set_titles("{row_name}, images per class: {col_name}")
    return grid.figure
