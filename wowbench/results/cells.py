"""What a cell of the scores is, and how cells are told apart for people.

A cell is one method on one problem of one experiment, with all parameters of each: its flows and
trainings are repetitions, and rows of two cells are never averaged, joined or compared as one.
"""

from __future__ import annotations

import pandas as pd

from wowbench.settings import bundled_suffix, spoken, spoken_name

WHOLE = 0
"""Number of images per class that stands for the whole training set."""

AXES = ("task", "experiment", "source", "target", "k", "method")

EVALUATION = ("protocol", "budget")
"""Columns that tell evaluations of one flow apart; scores have those that their tasks need."""


def settings_columns(scores: pd.DataFrame, *parts: str) -> list[str]:
    """Names of the columns that hold parameters, of the given parts ("task", ...) or of all."""
    dotted = [column for column in scores.columns if "." in column]
    return [column for column in dotted if not parts or column.split(".")[0] in parts]


def cell_columns(scores: pd.DataFrame) -> list[str]:
    """Names of the columns whose values make a cell, in the order of tables.

    ``algorithm`` and ``departures``, which follow from the others, are among them.
    """
    evaluation = [column for column in EVALUATION if column in scores]
    return [*AXES, *evaluation, "algorithm", "departures", *settings_columns(scores)]


def with_evaluation(scores: pd.DataFrame) -> pd.DataFrame:
    """Add the columns `EVALUATION`, empty, where they are missing."""
    return scores.assign(**{column: "" for column in EVALUATION if column not in scores})


def problem_columns(scores: pd.DataFrame) -> list[str]:
    """Names of the columns in which outcomes of two methods must agree to be compared.

    The experiment is not among them, nor whether flows share a draw, nor the budget of a training.
    """
    columns = [c for c in ("task", "source", "target", "k", "protocol") if c in scores]
    settings = settings_columns(scores, "task", "source", "target", "protocol")
    return [*columns, *(column for column in settings if column != "task.spread")]


def settings_text(table: pd.DataFrame) -> pd.Series:
    """All parameters of each row in one text, the same for equal ones."""
    columns = sorted(settings_columns(table))
    return pd.Series(
        [
            "; ".join(f"{c}={value}" for c, value in zip(columns, row, strict=True) if value)
            for row in table[columns].itertuples(index=False, name=None)
        ],
        index=table.index,
        dtype=str,
    )


def row_tuples(table: pd.DataFrame) -> pd.Series:
    """Values of each row as one tuple."""
    rows = list(table.itertuples(index=False, name=None))
    return pd.Series(rows, index=table.index, dtype=object)


def sorted_by_problem(table: pd.DataFrame, *then: str) -> pd.DataFrame:
    """Sort rows by source, target, problem (in the order of the scores), and other columns."""
    keys = table[["source", "target", *then]].reset_index(drop=True)
    keys.insert(2, "problem", pd.factorize(problem_names(table))[0])
    places = keys.sort_values(list(keys), kind="stable").index
    return table.iloc[places].reset_index(drop=True)


def problem_names(table: pd.DataFrame) -> pd.Series:
    """Name the datasets of each row, with the parameters in which the table's problems differ.

    Parameters
    ----------
    table : DataFrame
        Rows with the columns of cells.

    Returns
    -------
    Series
        For example "MNIST to USPS (target bundled); spread fixed". A parameter of a dataset is
        named where it differs between rows with that dataset, one of the task or the protocol
        where it differs at all.
    """
    differing = _differing(table, ["task"], "task")
    if "protocol" in table:
        differing |= _differing(table, ["task", "protocol"], "protocol")
    for side in ("source", "target"):
        found = _differing(table, ["task", side], side)
        differing |= {c: rows for c, rows in found.items() if c != f"{side}.bundled"}
    return _with_settings(dataset_names(table), table, differing, "{0}; {1}")


def method_names(table: pd.DataFrame) -> pd.Series:
    """Name the method of each row, with the parameters in which methods of that label differ.

    Parameters
    ----------
    table : DataFrame
        Rows with the columns of cells.

    Returns
    -------
    Series
        For example "mmdsw (steps 1500)" or "train_on_target (matched steps)". The experiment is
        named where nothing else tells two cells of a problem apart.
    """
    differing = _differing(table, ["task", "method"], "method")
    names = _with_settings(table.method, table, differing, "{0} ({1})")
    if "budget" in table:
        matched = [
            _inside(name, method, "matched steps")
            for name, method in zip(names, table.method, strict=True)
        ]
        names = names.mask(table.budget == "matched", pd.Series(matched, index=table.index))
    # A curve goes through all k, so that a name has to be clear whatever the k.
    problem = [c for c in problem_columns(table) if c != "k"]
    places = table[["k", *problem]].assign(spread=table.get("task.spread", ""), name=names)
    curves = row_tuples(places.drop(columns="k"))
    distinct = places.assign(curve=curves, experiment=table.experiment).drop_duplicates()
    ambiguous = set(distinct.curve[distinct.drop(columns="experiment").duplicated()])
    return pd.Series(
        [
            _inside(name, method, f"experiment {experiment}") if curve in ambiguous else name
            for name, method, experiment, curve in zip(
                names, table.method, table.experiment, curves, strict=True
            )
        ],
        index=table.index,
        dtype=str,
    )


def dataset_names(table: pd.DataFrame) -> pd.Series:
    """Name the datasets of each row: one, where a task other than transfer has it on both sides."""
    names = []
    columns = ["task", "source", "target", "source.bundled", "target.bundled"]
    for task, source, target, *bundled in table[columns].itertuples(index=False, name=None):
        name = target if source == target and task != "transfer" else f"{source} to {target}"
        suffix = bundled_suffix(*bundled)
        names.append(f"{name} ({suffix})" if suffix else name)
    return pd.Series(names, index=table.index, dtype=str)


def _differing(table: pd.DataFrame, by: list[str], part: str) -> dict[str, pd.Series]:
    """Columns of a part that differ within groups of rows, with the rows of those groups."""
    columns = settings_columns(table, part)
    if table.empty or not columns:
        return {}
    counts = table.groupby(by, dropna=False)[columns].transform("nunique", dropna=False)
    return {column: counts[column] > 1 for column in columns if (counts[column] > 1).any()}


def _with_settings(
    names: pd.Series, table: pd.DataFrame, differing: dict[str, pd.Series], form: str
) -> pd.Series:
    said = [[] for _ in names]
    for column, rows in differing.items():
        for settings, value, differs in zip(said, table[column], rows, strict=True):
            if differs:
                settings.append(f"{spoken_name(column)} {spoken(value)}")
    named = [
        form.format(name, "; ".join(settings)) if settings else name
        for name, settings in zip(names, said, strict=True)
    ]
    return pd.Series(named, index=table.index, dtype=str)


def _inside(name: str, method: str, addition: str) -> str:
    """Add to the parentheses behind a method's label."""
    if name == method:
        return f"{method} ({addition})"
    return f"{name[:-1]}; {addition})"
