"""Distances against a reference, pair by pair."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pandas as pd
import seaborn as sns

from wowbench.figures.panels import panel_grid
from wowbench.results.cells import problem_columns, row_tuples
from wowbench.results.distances import (
    directions,
    distance_names,
    measured_distances,
    place_names,
)
from wowbench.results.report import Figure
from wowbench.results.tables.distance_correlation import DistanceCorrelation as CorrelationTable

if TYPE_CHECKING:
    import matplotlib.figure

    from wowbench.plan import Plan


class DistanceCorrelation(Figure):
    """Squared distances against those of the reference, a panel for each distance.

    A point is a pair of disjoint subsets of a dataset; bars are Monte Carlo standard errors. The
    legend has Spearman's correlation with the reference.
    """

    reads: ClassVar[tuple[str, ...]] = CorrelationTable.reads

    def draw(self, scores: pd.DataFrame, plan: Plan) -> matplotlib.figure.Figure | None:
        """One panel per dataset and distance, a colour per number of directions."""
        measured = measured_distances(scores, "within")
        if measured.is_reference.all():
            return None
        measured = measured.assign(
            problem=row_tuples(measured[["experiment", *problem_columns(measured)]]),
            name=distance_names(measured),
            panel=place_names(measured) + ": " + distance_names(measured),
            n_directions=directions(measured),
        )
        table = CorrelationTable().make(scores)
        table = table.assign(panel=place_names(table) + ": " + distance_names(table))
        key = ["problem", "draw"]
        references = measured[measured.is_reference].rename(columns={"squared_distance": "known"})
        shown = measured[~measured.is_reference].merge(
            references[[*key, "known", "name"]].rename(columns={"name": "reference"}), on=key
        )
        figure, panels = panel_grid(shown.panel)
        for title, axis in panels.items():
            rows = shown[shown.panel == title]
            spearman = table[(table.panel == title) & ~table.is_reference]
            counts = list(dict.fromkeys(rows.n_directions))
            palette = sns.color_palette("colorblind", len(counts))
            for count, colour in zip(counts, palette, strict=True):
                same = _equal(rows.n_directions, count)
                value = spearman[_equal(spearman.n_directions, count)].spearman.iloc[0]
                directed = "" if pd.isna(count) else f"{count:,} directions, "
                axis.errorbar(
                    rows.known[same],
                    rows.squared_distance[same],
                    rows.distance_error[same],
                    fmt="o",
                    ms=3,
                    lw=0.8,
                    color=colour,
                    label=f"{directed}{value:.2f}",
                )
            axis.set_xlabel(f"squared distance, {rows.reference.iloc[0]}")
            axis.set_ylabel("squared distance")
            axis.legend(
                fontsize="x-small", title="Spearman", title_fontsize="x-small", framealpha=0.5
            )
        return figure


def _equal(counts: pd.Series, count: object) -> pd.Series:
    return counts.isna() if pd.isna(count) else counts == count
