"""Correlation of distances with a reference, beside the published ones."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pandas as pd

from wowbench.results.cells import cell_columns, problem_columns, problem_names, row_tuples
from wowbench.results.correlation import correlations
from wowbench.results.distances import directions, distance_names, measured_distances
from wowbench.results.published import published, published_heading
from wowbench.results.report import Table
from wowbench.settings import spoken

OWN = [
    *("spearman", "spearman_low", "spearman_high", "pearson", "pearson_low", "pearson_high"),
    *("relative_error", "negative", "seconds", "pairs"),
]
PUBLISHED = ["published_spearman", "published_pearson", "published_source", "unlike_published"]
PUBLISHED_RATES = "[0.0, 1.0, 2.0, 3.0, 4.0]"
"""Rates of s-OTDD in the code that published correlations are from; its paper has 1 to 5."""
PUBLISHED_EMBEDDING = "10 dimensions of t-SNE"
"""What classes are Gaussians in for the published correlations of SWBG."""


class DistanceCorrelation(Table):
    """How distances rank pairs of subsets of a dataset, against a reference.

    Spearman's and Pearson's correlations of squared distances with those of the reference (OTDD
    with Gaussian classes and exact transport, unless a row says otherwise) over the same pairs of
    disjoint random subsets, with percentile intervals of the bootstrap over pairs (95 %). Beside
    them are published correlations at the same number of directions, the Monte Carlo error
    relative to the distance (the median over pairs) and the mean seconds of a pair. Subsets of one
    dataset differ by chance and by their sizes alone, so that correlations depend on the sizes.
    """

    reads: ClassVar[tuple[str, ...]] = ("published/distance_correlation.csv",)

    def make(self, scores: pd.DataFrame) -> pd.DataFrame:
        """Correlate each distance with the reference of its experiment.

        Returns
        -------
        DataFrame
            One row for each cell: its columns, ``n_directions``, ``is_reference`` (which has no
            correlation), correlations as from `wowbench.results.correlation.correlations`,
            ``relative_error``, ``negative`` (pairs whose squared distance is below 0),
            ``seconds``, ``pairs``, and `PUBLISHED`.
        """
        measured = measured_distances(scores, "within")
        cell = cell_columns(measured)
        problem = row_tuples(measured[["experiment", *problem_columns(measured)]])
        references = measured[measured.is_reference].assign(problem=problem)
        known = {name: _by_draw(rows) for name, rows in references.groupby("problem", sort=False)}
        rows = []
        for values, group in measured.groupby(cell, sort=False):
            place = problem[group.index[0]]
            is_reference = bool(group.is_reference.iloc[0])
            both = pd.concat(
                [known.get(place, pd.Series(dtype=float)), _by_draw(group)], axis=1, join="inner"
            )
            found = {} if is_reference else correlations(*both.to_numpy(float).T)
            rows.append(
                {
                    **dict(zip(cell, values, strict=True)),
                    "is_reference": is_reference,
                    **found,
                    **_summary(group),
                }
            )
        table = pd.DataFrame(rows, columns=[*cell, "is_reference", *OWN])
        table.insert(len(cell), "n_directions", directions(table))
        return _beside_published(table)

    def readable(self, table: pd.DataFrame) -> pd.DataFrame:
        """Format for people."""
        heading = published_heading(table.published_source)
        columns = pd.DataFrame(
            {
                "dataset": problem_names(table),
                "distance": distance_names(table),
                "directions": _digits(table.n_directions, ",d"),
                "Spearman": _with_interval(table, "spearman"),
                f"{heading} Spearman": _digits(table.published_spearman, ".3f"),
                "Pearson": _with_interval(table, "pearson"),
                f"{heading} Pearson": _digits(table.published_pearson, ".3f"),
                "Monte Carlo error (%)": _digits(100 * table.relative_error, ".1f"),
                "below 0": [str(number) if number else "" for number in table.negative],
                "seconds a pair": _digits(table.seconds, ".3g"),
                "pairs": table.pairs,
                "not as published": table.unlike_published,
            },
            dtype=object,
        )
        return columns.loc[:, (columns != "").any()] if len(columns) else columns


def _by_draw(rows: pd.DataFrame) -> pd.Series:
    """Squared distances by the digest of their pair of subsets."""
    return rows.drop_duplicates("draw").set_index("draw").squared_distance


def _summary(group: pd.DataFrame) -> dict[str, float]:
    relative = (group.distance_error / group.squared_distance.abs()).replace(np.inf, np.nan)
    return {
        "relative_error": relative.median() if relative.notna().any() else np.nan,
        "negative": int((group.squared_distance < 0).sum()),
        "seconds": group.seconds.mean(),
        "pairs": len(group),
    }


def _beside_published(table: pd.DataFrame) -> pd.DataFrame:
    """Add `PUBLISHED`."""
    known = published("distance_correlation")
    names = {"dataset": "source", "distance": "algorithm", "directions": "n_directions"}
    names |= {column: f"published_{column}" for column in ("spearman", "pearson", "source")}
    key = list(names.values())[:3]
    if known.empty:
        known = pd.DataFrame(columns=list(names))
    known = known.rename(columns=names)[[*key, *PUBLISHED[:3]]]
    known = known.astype({"n_directions": "Int64", "published_source": object})
    table = table.merge(known, on=key, how="left", validate="m:1")
    beside = table.published_spearman.notna()
    rates, dim = (
        table.get(f"method.{name}", pd.Series("", index=table.index)) for name in ("rates", "dim")
    )
    said = pd.Series("", index=table.index)
    others = (table.algorithm == "sotdd") & (rates != PUBLISHED_RATES)
    said[others] = "; rates " + rates[others].map(spoken) + f", not {spoken(PUBLISHED_RATES)}"
    others = table.algorithm == "swbg"
    said[others] = "; " + dim[others].map(str) + f" principal components, not {PUBLISHED_EMBEDDING}"
    unlike = (table.departures + said).str.removeprefix("; ")
    return table.assign(unlike_published=unlike.where(beside, ""))


def _digits(values: pd.Series, form: str) -> list[str]:
    return ["" if pd.isna(value) else format(value, form) for value in values]


def _with_interval(table: pd.DataFrame, name: str) -> list[str]:
    """Correlations with their intervals; "reference" for the reference."""
    texts = []
    columns = ["is_reference", name, f"{name}_low", f"{name}_high"]
    for is_reference, value, low, high in table[columns].itertuples(index=False):
        interval = "" if pd.isna(low) else f" [{low:.2f}, {high:.2f}]"
        number = "" if pd.isna(value) else f"{value:.3f}{interval}"
        texts.append("reference" if is_reference else number)
    return texts
