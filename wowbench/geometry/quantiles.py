"""Quantile functions of uniform atoms of the line, averaged, interpolated and merged."""

import math

import torch
from torch import Tensor

from wowbench.geometry.constants import constant

N_PERCENTILES = 100
"""Percentiles that the linear approximation tabulates, and levels it compares them at."""


def resample_quantiles(ordered: Tensor, cells: int) -> Tensor:
    """Mean of the quantile function of m sorted atoms of equal mass on each of equal cells.

    Parameters
    ----------
    ordered : Tensor (..., m)
        Sorted atoms.
    cells : int
        Number n of cells.

    Returns
    -------
    Tensor (..., n)
    """
    m = ordered.shape[-1]
    if cells % m == 0:
        return ordered if cells == m else ordered.repeat_interleave(cells // m, dim=-1)
    block = _coupling_block(cells, m, ordered.dtype, ordered.device)
    means = ordered.unflatten(-1, (-1, block.shape[1])) @ block.mT
    return means.flatten(-2)


@constant(maxsize=64)
def _coupling_block(n: int, m: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """One block of the monotone coupling of n and m atoms, with rows scaled to sum 1.

    The north-west-corner coupling of two uniform weight vectors is block diagonal, with
    g = gcd(n, m) equal blocks (n/g, m/g).
    """
    g = math.gcd(n, m)
    rows, columns = n // g, m // g
    row_edges = torch.arange(rows + 1, device=device) * columns
    column_edges = torch.arange(columns + 1, device=device) * rows
    upper = torch.minimum(row_edges[1:, None], column_edges[None, 1:])
    lower = torch.maximum(row_edges[:-1, None], column_edges[None, :-1])
    return (upper - lower).clamp_min(0).to(dtype) / columns


@constant(maxsize=64)
def normal_quantile_means(n: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    r"""Mean of the standard normal quantile function on each of n equal cells.

    It is :math:`n (\varphi(\Phi^{-1}(a)) - \varphi(\Phi^{-1}(b)))` on [a, b].

    Returns
    -------
    Tensor (n,)
        Ascending, of mean 0.
    """
    edges = torch.linspace(0, 1, n + 1, dtype=torch.float64)
    # The density at the ends, where the quantile function is infinite, is 0.
    density = torch.exp(-torch.special.ndtri(edges).square() / 2) / math.sqrt(2 * math.pi)
    return (-n * density.diff()).to(device, dtype)


@constant(maxsize=8)
def percentile_matrix(n: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Map from n sorted atoms to their 100 percentiles 0, 1/99, ..., 1.

    The percentiles are those of `numpy.percentile`: at probability t the atoms, numbered from 0,
    are interpolated linearly at t (n - 1).

    Returns
    -------
    Tensor (100, n)
    """
    positions = torch.arange(N_PERCENTILES, dtype=torch.float64, device=device)
    positions *= (n - 1) / (N_PERCENTILES - 1)
    return _hat_functions(positions, n).to(dtype)


def interpolation_matrix(levels: Tensor) -> Tensor:
    """Map from the 100 percentiles to their linear interpolation at levels in [0, 1].

    Parameters
    ----------
    levels : Tensor (..., R)

    Returns
    -------
    Tensor (..., R, 100)
    """
    return _hat_functions(levels * (N_PERCENTILES - 1), N_PERCENTILES)


def _hat_functions(positions: Tensor, n: int) -> Tensor:
    """Weights (..., R, n) that interpolate values at 0, ..., n - 1 linearly at positions."""
    knots = torch.arange(n, dtype=positions.dtype, device=positions.device)
    return (1 - (positions[..., None] - knots).abs()).clamp_min(0)


@constant(maxsize=64)
def merge_uniform(n: int, m: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Cut [0, 1] into the cells where both quantile functions of n and m atoms are constant.

    Returns
    -------
    widths : Tensor (K,), float64
        Lengths of the cells; K = n + m - gcd(n, m).
    i, j : Tensor (K,), int64
        Index of the atom, out of n and out of m, on each cell.
    """
    edges = torch.cat([torch.arange(n + 1) * m, torch.arange(m + 1) * n]).unique()
    left = edges[:-1]
    widths = edges.diff().double() / (n * m)
    return widths.to(device), (left // m).to(device), (left // n).to(device)


def merge_weighted(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Cut [0, 1] into cells where the quantile functions of weighted atoms are constant.

    Parameters
    ----------
    a : Tensor (..., n)
        Weights of sorted atoms, of sum 1.
    b : Tensor (..., m)
        Weights of others, with the same leading axes.

    Returns
    -------
    widths : Tensor (..., n + m)
        Lengths of the cells, some of them 0.
    i, j : Tensor (..., n + m), int64
        Index of the atom, out of n and out of m, on each cell.
    """
    a_edges, b_edges = _cumulative(a), _cumulative(b)
    edges = torch.cat([a_edges, b_edges], dim=-1).sort(dim=-1).values
    widths = edges.diff(dim=-1, prepend=torch.zeros_like(edges[..., :1]))
    return widths, torch.searchsorted(a_edges, edges), torch.searchsorted(b_edges, edges)


def _cumulative(weights: Tensor) -> Tensor:
    """Cumulative weights in double precision, of which the last is exactly 1."""
    sums = weights.double().cumsum(-1)
    sums = sums / sums[..., -1:]
    return sums.contiguous()
