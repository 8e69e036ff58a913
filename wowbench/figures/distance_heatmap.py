"""Distances between datasets as heat maps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import seaborn as sns

from wowbench.figures.panels import panel_grid
from wowbench.results.distances import distance_names
from wowbench.results.report import Figure
from wowbench.results.tables.distance_values import DistanceValues

if TYPE_CHECKING:
    import matplotlib.figure

    from wowbench.plan import Plan


class DistanceHeatmap(Figure):
    """Distances between datasets, a panel for each distance.

    Roots of mean squared distances over pairs of subsets, empty where that mean is below 0. On the
    diagonal are disjoint subsets of one dataset. Every panel has a scale of its own.
    """

    def draw(self, scores: pd.DataFrame, plan: Plan) -> matplotlib.figure.Figure | None:
        """One panel per distance, and experiment where there are several."""
        table = DistanceValues().make(scores)
        if table.empty:
            return None
        panel = distance_names(table, directions=True)
        if table.experiment.nunique() > 1:
            panel = table.experiment + ": " + panel
        table = table.assign(panel=panel)
        figure, panels = panel_grid(panel)
        for title, axis in panels.items():
            rows = table[table.panel == title]
            known = rows.distance.dropna()
            sns.heatmap(
                _matrix(rows),
                vmin=known.min() if len(known) else 0,
                vmax=known.max() if len(known) else 1,
                ax=axis,
                annot=True,
                fmt=".3g",
                cmap="rocket_r",
                cbar=False,
                square=True,
                annot_kws={"fontsize": "small"},
            )
            axis.grid(False)
            axis.tick_params(axis="x", rotation=30)
            axis.tick_params(axis="y", rotation=0)
        return figure


def _matrix(rows: pd.DataFrame) -> pd.DataFrame:
    """Distances by both datasets; each is there once, and is the same the other way round."""
    names = list(dict.fromkeys([*rows.source, *rows.target]))
    values = pd.DataFrame(np.nan, index=names, columns=names)
    for row in rows.itertuples():
        values.loc[row.source, row.target] = values.loc[row.target, row.source] = row.distance
    return values
