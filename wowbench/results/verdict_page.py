"""Verdicts for people: one line, and a table in Markdown."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from wowbench.errors import InputError, one_line
from wowbench.files import atomic_path
from wowbench.results.cell_values import NAME
from wowbench.results.cells import with_evaluation
from wowbench.results.verdict_rows import COLUMNS, NOT_PUBLISHED, NOT_RUN, VERDICTS
from wowbench.results.verdicts import is_off

FRACTIONS = ("accuracy",)
"""Beginning of the names of metrics that are written in percent."""


def write_verdicts(table: pd.DataFrame, out: Path) -> None:
    """Write what `wowbench.results.verdicts.verdicts` gave as CSV."""
    with atomic_path(out) as temporary:
        table.to_csv(temporary, index=False)


def read_verdicts(path: Path) -> pd.DataFrame:
    """Read what `write_verdicts` wrote.

    Raises
    ------
    InputError
        If the file is absent, or something else.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        missing = [column for column in (*NAME, *COLUMNS) if column not in table]
        if missing:
            raise ValueError(f"it has no {', '.join(missing)}")
        numbers = [c for c in COLUMNS if c not in ("verdict", "detail")]
        return table.assign(**{c: pd.to_numeric(table[c].replace("", None)) for c in numbers})
    except (OSError, ValueError) as error:
        raise InputError(f"comparison {path}: {one_line(error)}") from None


def verdict_line(table: pd.DataFrame) -> str:
    """Say in one line whether anything is off, and where the first such cell is.

    Returns
    -------
    str
        For example "all 19 means lie within their tolerances", or "1 of 40 cells is off; first
        transfer MNIST USPS 10 mmdsw accuracy: differs by +0.1, 4.0 standard errors (39 agree)".
    """
    counts = table.verdict.value_counts()
    said = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if verdict in counts)
    off = table[is_off(table)]
    if off.empty and len(table) and table.tolerance.notna().all():
        return f"all {len(table)} means lie within their tolerances"
    if off.empty:
        return f"nothing is off in {len(table)} cells: {said or 'none'}"
    first = off.iloc[0]
    cell = " ".join(first[column] for column in NAME if first[column])
    return (
        f"{len(off)} of {len(table)} means are off; first {cell}: "
        f"{' '.join(filter(None, (first.verdict, first.detail)))} ({_values(first)}); in all {said}"
    )


def to_markdown(table: pd.DataFrame, level: float) -> str:
    """Write verdicts as a table in Markdown, with a caption.

    Rows of one side alone are counted, and not listed.
    """
    alone = table.verdict.isin([NOT_RUN, NOT_PUBLISHED]) & (table.detail.str.startswith("only"))
    alone |= table.verdict == NOT_PUBLISHED
    shown = with_evaluation(table[~alone])
    columns = {
        "cell": [" ".join(row[c] for c in NAME[:-1] if row[c]) for row in shown.to_dict("records")],
        "metric": shown.metric,
        "A": [_number(row, "a") for row in shown.to_dict("records")],
        "B": [_number(row, "b") for row in shown.to_dict("records")],
        "A - B": [_difference(row) for row in shown.to_dict("records")],
        "p": ["" if pd.isna(p) else f"{p:.2g}" for p in shown.p_adjusted],
        "verdict": shown.verdict,
        "detail": shown.detail,
    }
    body = pd.DataFrame(columns).to_markdown(index=False, disable_numparse=True)
    counts = table[alone].verdict.value_counts()
    rest = "".join(f"\nOn one side alone, {v}: {n} cells." for v, n in counts.items())
    return f"{body}\n\n{_caption(table, level)}{rest}\n"


def _caption(table: pd.DataFrame, level: float) -> str:
    tests = int(table.p_value.notna().sum())
    return (
        "Means over flows ± standard error, clustered by flow; of accuracies in percent. "
        f"{tests} cells are tested, two-sided by Student's t; p is Holm's over all of them: "
        f"a run without any difference has one that is off with a probability of {level:g} at most."
    )


def _number(row: dict, side: str) -> str:
    mean, error, flows = (row[f"{what}_{side}"] for what in ("mean", "error", "flows"))
    if pd.isna(mean):
        return ""
    factor, form = _form(row["metric"])
    text = f"{factor * mean:{form}}"
    text += "" if pd.isna(error) else f" ± {factor * error:{form if factor > 1 else '.2g'}}"
    return text + (f" ({flows:.0f})" if flows else "")


def _difference(row: dict) -> str:
    if pd.isna(row["difference"]):
        return ""
    factor, form = _form(row["metric"])
    text = f"{factor * row['difference']:+{form}}"
    error = row["difference_se"]
    return text + ("" if pd.isna(error) else f" ± {factor * error:{form if factor > 1 else '.2g'}}")


def _form(metric: str) -> tuple[int, str]:
    return (100, ".1f") if metric.startswith(FRACTIONS) else (1, ".4g")


def _values(row: pd.Series) -> str:
    values = [row.mean_a, row.mean_b]
    a, b = ("missing" if pd.isna(value) else f"{value:.4g}" for value in values)
    return f"{a} against {b}"
