"""Methods compared draw by draw: on the same images, with the same initial weights."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from wowbench.results.cells import cell_columns, method_names, problem_columns, row_tuples
from wowbench.results.comparison import readable_range
from wowbench.results.published import published_as
from wowbench.results.summary import groups_of_flows

CONFIDENCE = 0.95


def paired_differences(
    accuracies: pd.DataFrame, reference: str, within: tuple[str, ...] = ()
) -> pd.DataFrame:
    """Compare methods with a reference on the draws that both have.

    Draws, known by the digest of their images, are the independent units: the difference of the
    two methods' mean accuracies on a draw, over its flows and their trainings, is one
    observation. The interval is Student's over draws.

    A method is compared with the reference of its own experiment, the first of that name, or,
    where that has none on the same draws, with those of other experiments: once for each set of
    parameters. Parameters of the problem and of the evaluation must agree. On a problem without
    the reference a method stands in for it that reaches its results by other settings, as
    `wowbench.results.published.published_as` says.

    Parameters
    ----------
    accuracies : DataFrame
        Accuracies of one task, as tidy scores.
    reference : str
        Registered name of the method that the others are compared with.
    within : tuple of str
        More columns in which the two must agree.

    Returns
    -------
    DataFrame
        One row for each comparison: the columns of the method's cell, `within`, ``reference``
        (its name among the references here) and ``reference_experiment``, ``difference``
        (reference minus the method, accuracy in [0, 1]), ``low`` and ``high`` of the interval,
        ``lowest_draw`` and ``highest_draw`` (differences on single draws), all four missing on
        one draw, and ``draws``.
    """
    accuracies = accuracies[accuracies.status == "ok"]
    cell = [*cell_columns(accuracies), *within]
    means = groups_of_flows(accuracies, [*cell, "draw"]).mean()
    on_draws = means.reset_index("draw").groupby(cell, sort=False)
    units = {values: group.set_index("draw")["value"] for values, group in on_draws}
    cells = pd.DataFrame(list(units), columns=cell)
    problem = row_tuples(cells[[*problem_columns(cells), *within]])
    cells = cells.assign(problem=problem, units=pd.Series(list(units.values()), dtype=object))
    is_reference = cells.algorithm == reference
    stands_in = cells.algorithm.map(published_as) == reference
    is_reference |= stands_in & ~cells.problem.isin(cells.problem[is_reference])
    references = cells[is_reference].drop_duplicates(["experiment", "problem"])
    references = references.assign(name=method_names(references))
    rows = []
    for other in cells.drop(references.index).itertuples():
        for known in _references_of(other, references).itertuples():
            differences = (known.units - other.units).dropna()
            named = (known.name, known.experiment)
            rows.append((*cells.loc[other.Index, cell], *named, *_interval(differences)))
    columns = ["reference", "reference_experiment", "difference", "low", "high"]
    columns += ["lowest_draw", "highest_draw", "draws"]
    return pd.DataFrame(rows, columns=[*cell, *columns])


def readable_differences(
    table: pd.DataFrame, within: tuple[str, ...] = ()
) -> dict[str, list[str] | pd.Series]:
    """Last columns of a table for people: differences in percentage points.

    Parameters
    ----------
    table : DataFrame
        As from `paired_differences`.
    within : tuple of str
        As for it; columns of the table that say which reference is meant.

    Returns
    -------
    dict of str to column
        The reference where `within` leaves several, the method, the difference, its interval and
        the range over draws (empty for one draw), and the number of draws. Columns that would be
        empty are left out.
    """
    named = table[[*within, "reference"]].drop_duplicates()
    several = named[list(within)].duplicated().any() if within else len(named) > 1
    columns = {
        "MMDSW": list(table.reference) if several else [],
        "MMDSW minus": list(method_names(table)),
        "difference (points)": [f"{100 * value:+.1f}" for value in table.difference],
        f"{CONFIDENCE:.0%} interval": [
            "" if np.isnan(low) else f"[{100 * low:+.1f}, {100 * high:+.1f}]"
            for low, high in zip(table.low, table.high, strict=True)
        ],
        "of single draws": readable_range(table.lowest_draw, table.highest_draw, "+.1f"),
        "draws": list(table.draws),
    }
    return {name: column for name, column in columns.items() if any(column)}


def _references_of(other, references: pd.DataFrame) -> pd.DataFrame:
    """Those that a cell is compared with: its experiment's, else one of each name."""
    shared = [len(units.index.intersection(other.units.index)) for units in references.units]
    known = references.assign(shared=np.array(shared, dtype=int))
    known = known[(known.problem == other.problem) & (known.shared > 0)]
    own = known[known.experiment == other.experiment]
    if len(own):
        return own
    settings = [column for column in known.columns if column.startswith("method.")]
    known = known.sort_values("shared", ascending=False, kind="stable")
    return known.drop_duplicates(settings).sort_index()


def _interval(differences: pd.Series) -> tuple[float, ...]:
    """Mean, Student's interval, extremes and number of differences."""
    mean, n = differences.mean(), len(differences)
    if n < 2:
        return mean, np.nan, np.nan, np.nan, np.nan, n
    half = stats.t.ppf((1 + CONFIDENCE) / 2, n - 1) * differences.sem()
    return mean, mean - half, mean + half, differences.min(), differences.max(), n
