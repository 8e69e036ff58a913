"""Methods that differ from a reference in one parameter alone: what that parameter does."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from wowbench.results.cells import (
    cell_columns,
    problem_columns,
    settings_columns,
    sorted_by_problem,
)
from wowbench.results.paired import paired_differences
from wowbench.results.summary import summarise
from wowbench.settings import spoken, spoken_name

NAME = ".name"
"""End of a column with the registered name of a kernel or a scheme, beside its parameters."""

STUDIED = ["parameter", "value", "is_reference", "difference", "low", "high", "paired_draws"]
"""Columns of `parameter_study` that follow those of `wowbench.results.summary.summarise`."""

TYPES = {"is_reference": bool, "paired_draws": "Int64"}


def parameter_study(scores: pd.DataFrame, metric: str, *, job: str = "evaluate") -> pd.DataFrame:
    """Compare methods of one algorithm that differ from the first one in one parameter alone.

    Within each problem of an experiment the reference of an algorithm is its first method in the
    scores. Where a kernel or a scheme has another name, this counts as one parameter with all of
    its own. Methods that differ in several parameters have no row.

    Parameters
    ----------
    scores : DataFrame
        Tidy scores.
    metric : str
        Metric to compare.
    job : {"evaluate", "flow"}
        Verb of the job that measures it.

    Returns
    -------
    DataFrame
        One row for each value of each parameter that varies alone, numbers in ascending order and
        other values as listed, that of the reference included: the columns from
        `wowbench.results.summary.summarise`, then ``parameter`` and ``value`` (as people write
        them), ``is_reference``, ``difference`` (the mean over draws of the method minus the
        reference), ``low`` and ``high`` (Student's 95 % interval) and ``paired_draws``, the
        number of draws that both have. The last four are missing for the reference, and where one
        of the two has no result.
    """
    table = summarise(scores, metric, job=job)
    place = ["experiment", "algorithm", *problem_columns(table)]
    measured = dict(iter(scores[scores.metric == metric].groupby(place)))
    studies = [table.iloc[:0].reindex(columns=[*table, *STUDIED])]
    for key, methods in table.groupby(place, sort=False):
        rows = _varied_alone(methods)
        if rows.empty:
            continue
        if methods["mean"].notna().iloc[0]:
            rows = rows.merge(_differences(measured[key]), on=cell_columns(rows), how="left")
        studies.append(rows.reindex(columns=[*table, *STUDIED]))
    found = pd.concat(studies[1:] or studies).astype(TYPES)
    return sorted_by_problem(found, "k")


def as_numbers(values: Iterable[str]) -> list[float] | None:
    """Return values of a parameter as finite numbers, or None where one of them is none."""
    try:
        numbers = [float(value) for value in values]
    except ValueError:
        return None
    return numbers if np.isfinite(numbers).all() else None


def _varied_alone(methods: pd.DataFrame) -> pd.DataFrame:
    """Rows of methods that differ from the first in one parameter, after that row, by parameter."""
    columns = settings_columns(methods, "method")
    settings = methods[columns]
    reference = settings.iloc[0]
    varied: dict[str, list[int]] = {}
    for row, values in settings.iloc[1:].iterrows():
        differing = _parameters(c for c in columns if values[c] != reference[c])
        if len(differing) == 1:
            varied.setdefault(differing.pop(), [reference.name]).append(row)
    groups = [methods.iloc[:0]]
    for parameter, listed in varied.items():
        rows = methods.loc[listed]
        rows = rows.assign(
            parameter=spoken_name(parameter),
            value=[_value(row, parameter) for _, row in rows[columns].iterrows()],
            is_reference=rows.index == reference.name,
        )
        numbers = as_numbers(rows.value)
        groups.append(rows if numbers is None else rows.iloc[np.argsort(numbers, kind="stable")])
    return pd.concat(groups)


def _parameters(columns: Iterable[str]) -> set[str]:
    """Parameters that the given columns belong to, where a registered class is one of them."""
    columns = set(columns)
    for column in sorted(columns):
        if column.endswith(NAME):
            whole = column.removesuffix(NAME)
            columns = {c for c in columns if not c.startswith(f"{whole}.")} | {whole}
    return columns


def _value(settings: pd.Series, parameter: str) -> str:
    """Value of a parameter as people write it; a registered class is named with its own."""
    if parameter in settings:
        return spoken(settings[parameter])
    own = settings[settings.index.str.startswith(f"{parameter}.") & (settings != "")]
    name = own.pop(f"{parameter}{NAME}")
    said = "; ".join(f"{c.removeprefix(f'{parameter}.')} {spoken(own[c])}" for c in own.index)
    return f"{name} ({said})" if said else name


def _differences(scores: pd.DataFrame) -> pd.DataFrame:
    """Each method minus the first one, draw by draw, with the columns of its cell."""
    pairs = paired_differences(scores, scores.algorithm.iloc[0])
    cell = cell_columns(scores)
    differences = {"difference": -pairs.difference, "low": -pairs.high, "high": -pairs.low}
    return pairs[cell].assign(**differences, paired_draws=pairs.draws)
