"""Whether a smaller distance predicts a larger gain in transfer."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from wowbench.results.cells import (
    cell_columns,
    dataset_names,
    method_names,
    problem_columns,
    row_tuples,
)
from wowbench.results.distances import directions, distance_names
from wowbench.results.report import Table
from wowbench.results.summary import groups_of_flows
from wowbench.results.tables.distance_values import DistanceValues

SIDES = ["source", "target", "source.bundled", "target.bundled"]
OWN = ["distance", "n_directions", "squared_distance", "source", "target", "datasets"]
OWN += ["k", "method", "gain", "gain_error", "draws", "spearman", "problems"]
FEWEST = 3
"""Pairs of datasets without which there is no correlation."""


class DistanceGain(Table):
    """Whether datasets that are closer gain more from each other in transfer.

    The gain of a method is its mean accuracy minus that of the target alone, trained for as many
    steps, on the same draws, with its standard error over draws. Beside it is the mean squared
    distance between the two datasets. Spearman's correlation is over pairs of datasets, for each
    distance, method and number of labelled images, from three pairs on: -1 where a smaller
    distance always has the larger gain.
    """

    def make(self, scores: pd.DataFrame) -> pd.DataFrame:
        """Put gains in transfer beside distances between the same datasets.

        Parameters
        ----------
        scores : DataFrame
            Scores of the tasks "transfer" and "distance", of one run or of several.

        Returns
        -------
        DataFrame
            One row for each distance and each method and problem of transfer: `OWN`. ``gain``
            (accuracy in [0, 1]) and ``gain_error`` are missing without draws that both have, and on
            one draw; ``spearman`` is over the ``problems`` of equal distance, method and k.
        """
        distances = DistanceValues().make(scores)
        distances = distances.assign(
            distance=distance_names(distances), n_directions=directions(distances)
        )
        distances = distances[[*SIDES, "distance", "n_directions", "squared_distance"]]
        table = both_ways(distances).merge(transfer_gains(scores), on=SIDES)
        table = table.assign(datasets=dataset_names(table.assign(task="transfer")))
        key = ["distance", "n_directions", "k", "method"]
        found = []
        for values, group in table.groupby(key, sort=False, dropna=False):
            known = group.dropna(subset="gain")
            usable = len(known) >= FEWEST and min(known[["squared_distance", "gain"]].nunique()) > 1
            value = spearmanr(known.squared_distance, known.gain).statistic if usable else np.nan
            found.append((*values, value, len(known)))
        found = pd.DataFrame(found, columns=[*key, "spearman", "problems"])
        found = found.astype({"n_directions": "Int64", "k": "int64"})
        return table.merge(found, on=key, how="left")[OWN]

    def readable(self, table: pd.DataFrame) -> pd.DataFrame:
        """Format for people: a row for each problem, a column for each distance.

        Rows of one method and k end with the correlation of each column with the gains.
        """
        directed = ["" if pd.isna(n) else f", {n:,d} directions" for n in table.n_directions]
        table = table.assign(heading=table.distance + directed)
        blocks = [
            _block(rows, k, method)
            for (k, method), rows in table.groupby(["k", "method"], sort=False)
        ]
        return pd.concat(blocks, ignore_index=True).fillna("") if blocks else pd.DataFrame()


def _block(rows: pd.DataFrame, k: int, method: str) -> pd.DataFrame:
    """Gains and distances of the problems of one method and k, and their correlations."""
    # A distance that several experiments measured takes as many rows.
    rows = rows.assign(turn=rows.groupby(["datasets", "heading"]).cumcount())
    problems = rows.drop_duplicates(["datasets", "turn"])
    places = pd.MultiIndex.from_frame(problems[["datasets", "turn"]])
    columns = {
        "k": k,
        "method": method,
        "datasets": [*problems.datasets, "Spearman's correlation"],
        "gain (points)": [*_digits(100 * problems.gain, "+.1f"), ""],
        "s.e.": [*_digits(100 * problems.gain_error, ".1f"), ""],
        "draws": [*problems.draws.map(str), ""],
    }
    for heading, own in rows.groupby("heading", sort=False):
        values = own.set_index(["datasets", "turn"]).squared_distance.reindex(places)
        columns[heading] = [*_digits(values, ".4g"), *_digits(own.spearman[:1], ".2f")]
    return pd.DataFrame(columns, dtype=object)


def both_ways(distances: pd.DataFrame) -> pd.DataFrame:
    """Repeat distances between unlike datasets the other way round."""
    other = {"source": "target", "target": "source"}
    other |= {f"{one}.bundled": f"{two}.bundled" for one, two in other.items()}
    unlike = distances[distances.source != distances.target]
    return pd.concat([distances, unlike.rename(columns=other)], ignore_index=True)


def transfer_gains(scores: pd.DataFrame) -> pd.DataFrame:
    """Gains over the target alone, trained for as many steps, on the same draws.

    Returns
    -------
    DataFrame
        One row for each cell of "transfer" whose problem has such a baseline: `SIDES`, k,
        ``method`` (its name), ``gain``, ``gain_error`` (over draws) and ``draws``.
    """
    rows = scores[(scores.task == "transfer") & (scores.metric == "accuracy")]
    rows = rows[rows.status == "ok"]
    columns = [*SIDES, "k", "method", "gain", "gain_error", "draws"]
    if rows.empty:
        return pd.DataFrame(columns=columns).astype({"k": "int64"})
    cell = cell_columns(rows)
    means = groups_of_flows(rows, [*cell, "draw"]).mean().reset_index()
    means = means.assign(problem=row_tuples(means[problem_columns(means)]))
    alone = (means.algorithm == "train_on_target") & (means.budget == "matched")
    known = means[alone].groupby(["problem", "draw"]).value.mean().rename("alone")
    flows = means[means.algorithm != "train_on_target"].join(known, on=["problem", "draw"])
    flows = flows.assign(gain=flows.value - flows.alone).dropna(subset="gain")
    groups = flows.groupby(cell, sort=False).gain
    table = pd.DataFrame(
        {"gain": groups.mean(), "gain_error": groups.sem(), "draws": groups.count()}
    )
    table = table.reset_index()
    return table.assign(method=method_names(table))[columns]


def _digits(values: pd.Series, form: str) -> list[str]:
    return ["" if pd.isna(value) else format(value, form) for value in values]
