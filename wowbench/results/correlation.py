"""How two distances agree over pairs of datasets."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

CONFIDENCE = 0.95
RESAMPLES = 2000
FEWEST = 5
"""Pairs without which a resample tells too little of an interval."""


def correlations(x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """Correlations of paired values, with percentile intervals of the bootstrap over pairs.

    Pairs are drawn anew with replacement, `RESAMPLES` times from a fixed seed (Efron and
    Tibshirani, *An introduction to the bootstrap*, 1993, chapter 13). Resamples in which a side is
    constant have no correlation and are left out.

    Parameters
    ----------
    x, y : numpy.ndarray, shape (n,)
        Values of both.

    Returns
    -------
    dict of str to float
        ``spearman`` and ``pearson``, missing below 3 pairs or where a side is constant, and for
        each ``_low`` and ``_high``, missing below `FEWEST` pairs.
    """
    found = {}
    n = len(x)
    chosen = np.random.default_rng(0).integers(n, size=(RESAMPLES, n)) if n >= FEWEST else None
    for name, of in (("spearman", _spearman), ("pearson", _pearson)):
        value = float(of(x, y)) if n > 2 else np.nan
        low = high = np.nan
        if chosen is not None and np.isfinite(value):
            tails = np.array([1 - CONFIDENCE, 1 + CONFIDENCE]) / 2
            low, high = map(float, np.nanquantile(of(x[chosen], y[chosen]), tails))
        found |= {name: value, f"{name}_low": low, f"{name}_high": high}
    return found


def _spearman(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return _pearson(rankdata(x, axis=-1), rankdata(y, axis=-1))


def _pearson(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Correlations of rows ``(..., n)``; missing where one is constant."""
    x, y = (side - side.mean(-1, keepdims=True) for side in (x, y))
    norm = np.sqrt((x**2).sum(-1) * (y**2).sum(-1))
    constant = norm == 0
    return np.where(constant, np.nan, (x * y).sum(-1) / np.where(constant, 1, norm))
