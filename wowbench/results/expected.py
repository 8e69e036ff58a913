"""Expected means of a run, which later runs are held against."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from wowbench.errors import InputError, one_line
from wowbench.files import atomic_path
from wowbench.results.cell_values import Cell
from wowbench.results.cells import AXES, EVALUATION, settings_text, with_evaluation
from wowbench.results.summary import summarise

KEY = [*AXES, *EVALUATION, "settings"]
"""A cell: its axes, its evaluation, and all its parameters in one text."""

NUMBERS = ["mean", "tolerance"]


def expected_cells(cells: pd.DataFrame) -> pd.DataFrame:
    """Put the columns of cells into the form of a file of expected scores: `KEY`."""
    return with_evaluation(cells).assign(settings=settings_text(cells))[KEY]


def write_expected(scores: pd.DataFrame, out: Path, tolerance: float) -> None:
    """Write the mean accuracies of a run as what later runs are compared with.

    Parameters
    ----------
    scores : DataFrame
        Tidy scores of the run.
    out : Path
        CSV file to write.
    tolerance : float
        Largest difference of a mean that counts as reproduced; accuracies are in [0, 1].

    Raises
    ------
    InputError
        If the tolerance is not in (0, 1).
    """
    if not 0 < tolerance < 1:
        raise InputError(f"tolerance {tolerance}: expected a number between 0 and 1")
    summary = summarise(scores, "accuracy")
    rows = expected_cells(summary).assign(mean=summary["mean"].round(4), tolerance=tolerance)
    with atomic_path(out) as temporary:
        rows.to_csv(temporary, index=False)


def read_expected(path: Path) -> pd.DataFrame:
    """Read what `write_expected` wrote.

    Returns
    -------
    DataFrame
        Columns `KEY`, as text, ``mean`` and ``tolerance``.

    Raises
    ------
    InputError
        If the file is absent, has no rows, or lacks a column.
    """
    try:
        rows = pd.read_csv(path, dtype=dict.fromkeys(KEY, str), keep_default_na=False)
        missing = [column for column in (*KEY, *NUMBERS) if column not in rows]
        if missing or rows.empty:
            raise ValueError(f"it has no {', '.join(missing) or 'rows'}")
        return rows.assign(**{column: pd.to_numeric(rows[column]) for column in NUMBERS})
    except (OSError, ValueError) as error:
        raise InputError(f"expected scores {path}: {one_line(error)}") from None


def is_expected(table: pd.DataFrame) -> bool:
    """Whether a table holds expected means, and no scores."""
    return {"settings", *NUMBERS} <= set(table.columns)


def expected_cells_of(expected: pd.DataFrame) -> list[Cell]:
    """Read expected means as cells, without flows or an error."""
    return [
        Cell(
            name=(*(str(row[column]) for column in (*AXES, *EVALUATION)), "", "", "accuracy"),
            algorithm="",
            settings=dict(pair.split("=", 1) for pair in row["settings"].split("; ") if pair),
            values=pd.Series(dtype=float),
            mean=row["mean"],
            tolerance=row["tolerance"],
        )
        for row in expected.to_dict("records")
    ]
