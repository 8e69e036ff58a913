"""Reproducibility check: the mean accuracies of a run against expected ones."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from wowbench.errors import InputError
from wowbench.files import atomic_path
from wowbench.results.cells import AXES, EVALUATION, settings_text, with_evaluation
from wowbench.results.summary import summarise

KEY = [*AXES, *EVALUATION, "settings"]
"""A cell: its axes, its evaluation, and all its parameters in one text."""


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


def compare_scores(scores: pd.DataFrame, expected: Path, out: Path) -> None:
    """Compare mean accuracies with expected ones, and write the comparison, whatever it says.

    Parameters
    ----------
    scores : DataFrame
        Tidy scores of the run.
    expected : Path
        CSV file with the columns `KEY`, ``mean`` and ``tolerance``.
    out : Path
        CSV file to write: the expected rows with ``measured`` (missing where the run has no such
        cell, or no accuracy in it) and ``within``.

    Raises
    ------
    InputError
        If `expected` cannot be read.
    """
    rows = _read(expected, "expected scores", ["mean", "tolerance"])
    summary = summarise(scores, "accuracy")
    measured = expected_cells(summary).assign(measured=summary["mean"])
    rows = rows.merge(measured.astype({"k": str}), on=KEY, how="left")
    rows["within"] = (rows.measured - rows["mean"]).abs() <= rows.tolerance
    with atomic_path(out) as temporary:
        rows.to_csv(temporary, index=False)


def write_verdict(comparison: Path, out: Path) -> None:
    """Write in one line that all means of a comparison lie within their tolerances.

    Raises
    ------
    InputError
        If one does not, naming it, or if `comparison` cannot be read; nothing is written then.
    """
    rows = _read(comparison, "comparison", ["mean", "tolerance", "measured"])
    off = rows[~((rows.measured - rows["mean"]).abs() <= rows.tolerance)]
    if not off.empty:
        first = off.iloc[0]
        cell = " ".join(value for value in first[KEY[:-1]] if value)
        got = "missing" if pd.isna(first.measured) else f"{first.measured:.4f}"
        raise InputError(
            f"{len(off)} of {len(rows)} means are off; first {cell}: {got}, expected "
            f"{first['mean']:.4f} within {first.tolerance:.4f} (see {comparison})"
        )
    with atomic_path(out) as temporary:
        temporary.write_text(f"all {len(rows)} means lie within their tolerances\n")


def _read(path: Path, what: str, numbers: list[str]) -> pd.DataFrame:
    """Read a CSV file with the columns `KEY`, as text, and others, as numbers."""
    try:
        rows = pd.read_csv(path, dtype=dict.fromkeys(KEY, str), keep_default_na=False)
        missing = [column for column in (*KEY, *numbers) if column not in rows]
        if missing or rows.empty:
            raise ValueError(f"it has no {', '.join(missing) or 'rows'}")
        return rows.assign(**{c: pd.to_numeric(rows[c].replace("", None)) for c in numbers})
    except (OSError, ValueError) as error:
        raise InputError(f"{what} {path}: {error}") from None
