"""Distances between datasets, with their errors."""

from __future__ import annotations

import numpy as np
import pandas as pd

from wowbench.results.cells import cell_columns, problem_names
from wowbench.results.distances import directions, distance_names, measured_distances
from wowbench.results.report import Table

OWN = ["squared_distance", "std", "error", "distance", "seconds", "pairs"]


class DistanceValues(Table):
    """Distances between datasets.

    Squared distances are means over pairs of subsets with as many particles of each class, with
    their standard deviation over pairs and the Monte Carlo error of the mean, which only distances
    that draw have. The distance is the root of the mean, and missing where that is below 0. Of a
    dataset and itself the subsets are disjoint: what is there is the distance by chance.
    """

    def make(self, scores: pd.DataFrame) -> pd.DataFrame:
        """Average over pairs of subsets.

        Returns
        -------
        DataFrame
            One row for each cell: its columns, ``n_directions``, ``squared_distance``, ``std``
            (missing for one pair), ``error`` (missing for distances that draw nothing),
            ``distance``, ``seconds`` (the mean) and ``pairs``.
        """
        measured = measured_distances(scores, "between")
        cell = cell_columns(measured)
        rows = []
        for values, group in measured.groupby(cell, sort=False):
            mean, errors = group.squared_distance.mean(), group.distance_error
            found = {
                "squared_distance": mean,
                "std": group.squared_distance.std(),
                "error": np.sqrt((errors**2).sum(min_count=1)) / len(group),
                "distance": np.sqrt(mean) if mean >= 0 else np.nan,
                "seconds": group.seconds.mean(),
                "pairs": len(group),
            }
            rows.append({**dict(zip(cell, values, strict=True)), **found})
        table = pd.DataFrame(rows, columns=[*cell, *OWN])
        table.insert(len(cell), "n_directions", directions(table))
        return table

    def readable(self, table: pd.DataFrame) -> pd.DataFrame:
        """Format for people."""

        def digits(values: pd.Series, form: str) -> list[str]:
            return ["" if pd.isna(value) else format(value, form) for value in values]

        columns = pd.DataFrame(
            {
                "datasets": problem_names(table),
                "per class": table.k,
                "distance": distance_names(table),
                "directions": digits(table.n_directions, ",d"),
                "squared": digits(table.squared_distance, ".4g"),
                "s.d. over pairs": digits(table["std"], ".2g"),
                "Monte Carlo error": digits(table.error, ".2g"),
                "root": digits(table.distance, ".4g"),
                "seconds": digits(table.seconds, ".3g"),
                "pairs": table.pairs,
            },
            dtype=object,
        )
        return columns.loc[:, (columns != "").any()] if len(columns) else columns
