"""Seconds that a flow of 5,000 steps takes, by method and k."""

from __future__ import annotations

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from wowbench.figures.styles import method_styles
from wowbench.plan import Plan
from wowbench.results.tables.transfer_runtime import STEPS, make


def draw(scores: pd.DataFrame, plan: Plan) -> Figure | None:
    """One panel a target; means over flows."""
    table = make(scores)
    if table.empty:
        return None
    several = table.method.nunique() > 1
    styles = method_styles(scores.method)
    grid = sns.catplot(
        table.assign(k=table.k.map("{}".format)),
        x="k",
        y="seconds_mean",
        hue="method",
        palette={method: styles[method].colour for method in table.method},
        col="target",
        kind="point",
        linestyle="none",
        errorbar=None,
        dodge=0.3 if several else False,
        height=3.0,
        aspect=1.1,
    )
    if several:
        grid.set(yscale="log")
    grid.set_axis_labels("labelled target images a class (k)", f"seconds for {STEPS:,} steps")
    grid.set_titles("{col_name}")
    return grid.figure
