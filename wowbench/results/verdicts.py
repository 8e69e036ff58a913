"""Verdicts: whether two runs agree, cell by cell, or a run with what was published."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import pandas as pd

from wowbench.results.cell_values import BETTER, NAME, Cell, cells_of
from wowbench.results.differences import Difference, difference, holm
from wowbench.results.expected import expected_cells_of, is_expected
from wowbench.results.matching import Pair, differing, matched
from wowbench.results.published_verdicts import published_rows
from wowbench.results.verdict_rows import (
    AGREES,
    COLUMNS,
    DIFFERS,
    NOT_COMPARABLE,
    NOT_RUN,
    OFF,
    TOO_GOOD,
    UNTESTED,
    compared,
)

LEVEL = 0.05


def verdicts(
    a: pd.DataFrame,
    b: pd.DataFrame | Literal["published"],
    *,
    level: float = LEVEL,
    tolerance: float | None = None,
) -> pd.DataFrame:
    """Compare a run with a reference, cell by cell.

    The null hypothesis of a cell is that both sides have the same expectation. Its p-value is that
    of Student's t, two-sided, for the difference over its standard error; see
    `wowbench.results.differences.difference` for two runs and
    `wowbench.results.published_verdicts.published_rows` for published means. P-values are adjusted
    by Holm over all tested cells, so that a run without any difference has one that is off with a
    probability of at most `level`, however many cells there are and however they depend.

    Parameters
    ----------
    a : DataFrame
        Tidy scores of the run.
    b : DataFrame or "published"
        Tidy scores of the reference, expected means as from
        `wowbench.results.expected.read_expected`, or the paper's numbers.
    level : float
        Probability of a false alarm in the whole comparison, in (0, 1): half of it for either sign.
    tolerance : float, optional
        Where given, means that are apart by no more than that agree and all others differ, without
        a test. Expected means bring their own.

    Returns
    -------
    DataFrame
        One row for each metric of each cell: its columns `NAME`, ``algorithm`` and all parameters
        under dotted names, as text, and `wowbench.results.verdict_rows.COLUMNS`. ``mean``,
        clustered standard error and number of flows of both sides; ``difference`` (A minus B) with
        its standard error, p-value and that by Holm; the tolerance; and ``verdict``, one of

        - "agrees", or "differs" (by how much is in ``detail``);
        - "better than it should be": differs, for the better in A; a result that is too good is
          usually a bug;
        - "untested": one side has no error, as with a single flow;
        - "not comparable": the closest cell of B has other parameters, which ``detail`` names;
        - "not run": only one side has it, or no job of A has a result; ``detail`` says which;
        - "not published".
    """
    cells = cells_of(a)
    if isinstance(b, str):
        rows = published_rows(a, cells)
    else:
        others = expected_cells_of(b) if is_expected(b) else cells_of(b)
        pairs = _pairs(cells, others)
        if is_expected(b):
            pairs = [pair for pair in pairs if pair[1] is not None]
        rows = [_row(*pair) for pair in pairs]
    return judged(rows, level, tolerance)


def is_off(table: pd.DataFrame) -> pd.Series:
    """Which rows of `verdicts` speak against the run.

    Those that differ, for worse or for better, and, where expected means are the reference, those
    that were not run with the expected parameters.
    """
    expected = table.tolerance.notna() & (table.verdict != AGREES)
    return table.verdict.isin(OFF) | expected


def judged(rows: Sequence[dict], level: float, tolerance: float | None) -> pd.DataFrame:
    """Give each row without a verdict its own, and put all into a table."""
    dotted = dict.fromkeys(c for row in rows for c in row if "." in c)
    table = pd.DataFrame(rows, columns=[*NAME, "algorithm", *dotted, *COLUMNS])
    text = [*NAME, "algorithm", *dotted, "verdict", "detail"]
    numbers = [c for c in COLUMNS if c not in text]
    table = table.astype(dict.fromkeys(numbers, float))
    table[text] = table[text].astype(object).fillna("").astype(str)
    table[["flows_a", "flows_b"]] = table[["flows_a", "flows_b"]].fillna(0).astype(int)
    open_ = table.verdict == ""
    if tolerance is not None:
        table["tolerance"] = table.tolerance.mask(open_ & table.tolerance.isna(), tolerance)
    within = table.difference.abs() <= table.tolerance
    by_test = open_ & table.tolerance.isna()
    table["p_value"] = table.p_value.where(by_test)
    table["p_adjusted"] = holm(table.p_value)
    off = (table.p_adjusted <= level).where(by_test, ~within)
    direction = table.metric.map(BETTER).fillna(0)
    named = pd.Series(AGREES, table.index)
    named = named.mask(off, DIFFERS).mask(off & (direction * table.difference > 0), TOO_GOOD)
    named = named.mask(by_test & table.p_value.isna(), UNTESTED)
    table["verdict"] = table.verdict.where(~open_, named)
    table["detail"] = [_detail(row) for row in table.to_dict("records")]
    return table


def _pairs(a: list[Cell], b: list[Cell]) -> list[Pair]:
    """Pair cells; one of which no job has a result stands for all metrics of the other side."""
    pairs = matched(a, b)
    empty = [{_place(cell): cell for cell in side if cell.is_empty} for side in (a, b)]
    filled: list[Pair] = []
    stand_ins = set()
    for one, other in pairs:
        known = one or other
        if one is None:
            one = empty[0].get(_place(known))
        elif other is None:
            other = empty[1].get(_place(known))
        if one is not None and other is not None:
            stand_ins |= {id(cell) for cell in (one, other) if cell.is_empty}
        filled.append((one, other))
    return [pair for pair in filled if None not in pair or id(pair[0] or pair[1]) not in stand_ins]


def _place(cell: Cell) -> tuple:
    return (*cell.name[:-1], frozenset(cell.settings.items()))


def _row(a: Cell | None, b: Cell | None) -> dict:
    """Row of a pair of cells, without a verdict where a test or a tolerance has to say it."""
    sides = [cell for cell in (a, b) if cell is not None]
    known = next((cell for cell in sides if not cell.is_empty), sides[0])
    row = {**known.columns, "detail": _left_out(a, b), "tolerance": b and b.tolerance}
    for cell, side in ((a, "a"), (b, "b")):
        if cell is not None:
            row |= {f"mean_{side}": cell.mean, f"error_{side}": cell.error}
            row[f"flows_{side}"] = cell.flows
    if a is None or b is None:
        only = f"only in {'B' if a is None else 'A'}"
        return row | {"verdict": NOT_RUN, "detail": "; ".join(filter(None, (only, row["detail"])))}
    if a.is_empty or b.is_empty:
        return row | {"verdict": NOT_RUN}
    others = differing(a, b)
    if others:
        return row | {"verdict": NOT_COMPARABLE, "detail": "; ".join(others)}
    found = Difference(a.mean - b.mean) if b.tolerance is not None else difference(a, b)
    return row | compared(found, row["detail"])


def _left_out(a: Cell | None, b: Cell | None) -> str:
    return "; ".join(
        f"{side}: {cell.left_out}"
        for cell, side in ((a, "A"), (b, "B"))
        if cell is not None and cell.left_out
    )


def _detail(row: dict) -> str:
    """Detail of a row, before which stands by how much it is off."""
    if row["verdict"] not in OFF:
        return row["detail"]
    if pd.notna(row["tolerance"]):
        said = f"by {row['difference']:+.4g}, more than {row['tolerance']:g}"
    elif row["difference_se"] == 0:
        said = f"by {row['difference']:+.4g}, without any spread"
    else:
        errors = row["difference"] / row["difference_se"]
        said = f"by {row['difference']:+.4g}, {errors:+.1f} standard errors"
    return "; ".join(filter(None, (said, row["detail"])))
