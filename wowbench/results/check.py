"""Reproducibility check: a run's summary against an expected one."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from wowbench.errors import InputError
from wowbench.files import atomic_path
from wowbench.results.scores import CELL, summarise

KEY = [column for column in CELL if column not in ("bundled", "spread")]


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
    rows = summarise(scores, "accuracy")[[*KEY, "mean"]].assign(tolerance=tolerance)
    with atomic_path(out) as temporary:
        rows.round({"mean": 4}).to_csv(temporary, index=False)


def compare_scores(scores: pd.DataFrame, expected: Path, out: Path) -> None:
    """Compare mean accuracies with expected ones, and write the comparison, whatever it says.

    Parameters
    ----------
    scores : DataFrame
        Tidy scores of the run.
    expected : Path
        CSV file with the columns task, source, target, k, method, ``mean`` and ``tolerance``.
    out : Path
        CSV file to write: the expected rows with ``measured`` and ``within``.

    Raises
    ------
    InputError
        If `expected` cannot be read.
    """
    rows = _read(expected, "expected scores")
    measured = summarise(scores, "accuracy")[[*KEY, "mean"]]
    rows = rows.merge(measured.rename(columns={"mean": "measured"}), on=KEY, how="left")
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
    rows = _read(comparison, "comparison")
    off = rows[~rows.within]
    if not off.empty:
        first = off.iloc[0]
        cell = " ".join(str(first[column]) for column in KEY)
        raise InputError(
            f"{len(off)} of {len(rows)} means are off; first {cell}: {first.measured:.4f}, "
            f"expected {first['mean']:.4f} within {first.tolerance:.4f} (see {comparison})"
        )
    with atomic_path(out) as temporary:
        temporary.write_text(f"all {len(rows)} means lie within their tolerances\n")


def _read(path: Path, what: str) -> pd.DataFrame:
    try:
        return pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{what} {path}: {error}") from None
