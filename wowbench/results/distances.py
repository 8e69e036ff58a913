"""Distances between labelled datasets, as scores have them."""

from __future__ import annotations

import pandas as pd

from wowbench.results.cells import cell_columns, problem_names, settings_columns
from wowbench.settings import spoken, spoken_name

METRICS = ["squared_distance", "distance_error", "seconds"]
PAIR = ["pair", "draw", "source_size", "target_size"]
DIRECTIONS = "method.n_directions"


def measured_distances(scores: pd.DataFrame, mode: str | None = None) -> pd.DataFrame:
    """Gather what was measured of each pair of subsets.

    Parameters
    ----------
    scores : DataFrame
        Tidy scores.
    mode : {"within", "between"}, optional
        Of the task; by default both.

    Returns
    -------
    DataFrame
        One row for each cell and pair, in the order of the scores: the columns of cells, `PAIR`,
        `METRICS` (an error is missing where a distance draws nothing) and ``is_reference``.
    """
    rows = scores[(scores.task == "distance") & (scores.status == "ok")]
    if mode is not None and len(rows):
        rows = rows[rows["task.mode"] == mode]
    cell = cell_columns(rows)
    if rows.empty:
        return pd.DataFrame(columns=[*cell, *PAIR, *METRICS, "is_reference"])
    key = [*cell, *PAIR]
    table = rows[key].drop_duplicates()
    for metric in METRICS:
        values = rows[rows.metric == metric].rename(columns={"value": metric})
        values = values[[*key, metric]].drop_duplicates(key)
        table = table.merge(values, on=key, how="left", validate="1:1")
    return table.assign(is_reference=_is_reference(table))


def _is_reference(table: pd.DataFrame) -> pd.Series:
    """Whether the distance of each row is, with all its parameters, its experiment's reference."""
    start = "task.reference."
    same = table.algorithm == table[f"{start}name"]
    for column in settings_columns(table, "task"):
        if column.startswith(start) and column != f"{start}name":
            same &= table[column] == table[f"method.{column.removeprefix(start)}"]
    return same


def distance_names(table: pd.DataFrame, *, directions: bool = False) -> pd.Series:
    """Name the distance of each row, with the parameters in which those of one name differ.

    Parameters
    ----------
    table : DataFrame
        Rows with the columns of cells.
    directions : bool
        Whether the number of directions is among these parameters.

    Returns
    -------
    Series
        For example "mmdsw (kernel gaussian; kernel.h 0.1)".
    """
    columns = [c for c in settings_columns(table, "method") if directions or c != DIRECTIONS]
    names = table.algorithm.copy()
    for name, rows in table.groupby("algorithm", sort=False):
        differing = [column for column in columns if rows[column].nunique() > 1]
        for index, values in rows[differing].iterrows():
            said = [f"{spoken_name(c)} {spoken(value)}" for c, value in values.items() if value]
            names[index] = f"{name} ({'; '.join(said)})" if said else name
    return names


def place_names(table: pd.DataFrame) -> pd.Series:
    """Name the datasets of each row, and its experiment where several have datasets of one name."""
    names = pd.Series("", index=table.index)
    for _, rows in table.groupby("experiment", sort=False):
        names[rows.index] = problem_names(rows)
    shared = table.groupby(names).experiment.transform("nunique") > 1
    return (table.experiment + ", " + names).where(shared, names)


def directions(table: pd.DataFrame) -> pd.Series:
    """Read the number of directions of each row; missing where a distance draws none."""
    if DIRECTIONS not in table:
        return pd.Series(pd.NA, index=table.index, dtype="Int64")
    return pd.to_numeric(table[DIRECTIONS].replace("", None)).astype("Int64")
