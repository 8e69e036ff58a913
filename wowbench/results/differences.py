"""The difference of two means, its standard error, and how far it is from chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from wowbench.results.cell_values import Cell


@dataclass(frozen=True)
class Difference:
    """A difference of means.

    Attributes
    ----------
    value : float
        The first minus the second.
    error : float
        Its standard error; missing where it cannot be had.
    freedom : float
        Degrees of freedom of that error.
    note : str
        What it rests on, or why there is no error.
    """

    value: float
    error: float = float("nan")
    freedom: float = float("nan")
    note: str = ""

    @property
    def p_value(self) -> float:
        """Two-sided p-value by Student's t; missing without an error."""
        if self.error == 0:
            return float(self.value == 0)
        return float(2 * stats.t.sf(abs(self.value) / self.error, self.freedom))


def difference(a: Cell, b: Cell) -> Difference:
    """Compare the means of two cells with values.

    Where all draws of one side, at least two, are among the other's, the differences on single
    draws are the observations, ``sd / sqrt(draws)``, with draws - 1 degrees of freedom: the draws'
    luck cancels. Else means are independent, ``sqrt(e_a^2 + e_b^2)`` by `combined` from the errors
    clustered by flow. Flows that share draws with each other count as one on each draw.

    Returns
    -------
    Difference
        Without an error where one side has a single flow, or all of its flows share a draw that
        the other one does not have. Equal values of single flows on one draw differ by 0.
    """
    shared = set(a.values.index) & set(b.values.index) - {""}
    fewest, most = sorted((a.draws, b.draws))
    nested = len(shared) == fewest
    if nested and fewest > 1:
        observed = (_by_draw(a) - _by_draw(b)).dropna()
        note = f"paired on {fewest} draws" + (f" of {most}" if most > fewest else "")
        return Difference(observed.mean(), observed.sem(), fewest - 1, note)
    if nested and 1 in (a.flows, b.flows) and (_by_draw(a) - _by_draw(b)).max() == 0:
        return Difference(0.0, 0.0, 1, "the same value on the draw that both have")
    value = a.mean - b.mean
    for cell, name in ((a, "A"), (b, "B")):
        if cell.flows < 2:
            return Difference(value, note=f"{name} has a single flow, and no error")
    if nested and most == 1:
        return _welch(a.values, b.values, "on the one draw that both have")
    for cell, name in ((a, "A"), (b, "B")):
        if cell.draws < 2 and "" not in cell.values.index:
            return Difference(value, note=f"all flows of {name} share one draw, which is luck too")
    note = f"{len(shared)} shared draws taken as independent" if shared else ""
    return _welch(_units(a), _units(b), note)


def combined(*parts: tuple[float, float]) -> tuple[float, float]:
    """Give the standard error of a sum of independent parts, and its degrees of freedom.

    ``v = sum v_i`` and ``v^2 / sum(v_i^2 / f_i)`` (Satterthwaite, "An approximate distribution of
    estimates of variance components", 1946).

    Parameters
    ----------
    *parts : (float, float)
        Variance v_i of each part and the degrees of freedom f_i that it is known with.
    """
    variances, freedoms = np.array(parts, dtype=float).T
    total = variances.sum()
    if total == 0:
        return 0.0, float(freedoms.min())
    return float(np.sqrt(total)), float(total**2 / (variances**2 / freedoms).sum())


def holm(p_values: pd.Series) -> pd.Series:
    """Adjust p-values so that the smallest is at most the level with that probability or less.

    ``max_{j <= i} min(1, (m - j + 1) p_(j))`` over m tests in the order of their p-values, however
    they depend on each other (Holm, "A simple sequentially rejective multiple test procedure",
    1979). Missing ones are no tests.
    """
    ordered = p_values.dropna().sort_values()
    factors = np.arange(len(ordered), 0, -1)
    adjusted = (ordered * factors).cummax().clip(upper=1.0)
    return adjusted.reindex(p_values.index)


def _welch(a: pd.Series, b: pd.Series, note: str) -> Difference:
    parts = [(values.sem() ** 2, len(values) - 1) for values in (a, b)]
    return Difference(a.mean() - b.mean(), *combined(*parts), note)


def _units(cell: Cell) -> pd.Series:
    """Independent values: of flows, or of draws where flows share them."""
    named = "" not in cell.values.index
    return _by_draw(cell) if named and cell.draws < cell.flows else cell.values


def _by_draw(cell: Cell) -> pd.Series:
    return cell.values.groupby(level=0).mean()
