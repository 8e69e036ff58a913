"""Sliced-Wasserstein distances between all pairs of classes, in closed form."""

import math

import torch
from torch import Tensor

from wowbench.geometry.sorting import sort_rows


def project(x: Tensor, directions: Tensor) -> Tensor:
    """Project particles on directions, as one matrix product.

    Parameters
    ----------
    x : Tensor (..., C, n, d)
        Classes of particles.
    directions : Tensor (L, d) or (..., L, d)
        Unit vectors, shared by the leading axes of `x` or one set for each.

    Returns
    -------
    Tensor (..., L, C, n)
        Coordinates along the directions, with the particles of a class side by side.
    """
    flat = directions @ x.flatten(-3, -2).mT
    return flat.unflatten(-1, x.shape[-3:-1])


def back_project(h: Tensor, directions: Tensor) -> Tensor:
    """Adjoint of `project`: (..., L, C, n) and (..., L, d) to (..., C, n, d)."""
    flat = h.flatten(-2).mT @ directions
    return flat.unflatten(-2, h.shape[-2:])


def coupling_block(n: int, m: int, like: Tensor) -> Tensor:
    """One block of the monotone coupling of n and m uniform atoms of the line.

    The north-west-corner coupling of the two uniform weight vectors is block diagonal, with
    g = gcd(n, m) equal blocks (n/g, m/g). Rows are scaled to sum 1, so that the block maps m/g
    sorted atoms to the mean of their quantile function on each of n/g cells.
    """
    g = math.gcd(n, m)
    rows, columns = n // g, m // g
    row_edges = torch.arange(rows + 1, device=like.device) * columns
    column_edges = torch.arange(columns + 1, device=like.device) * rows
    upper = torch.minimum(row_edges[1:, None], column_edges[None, 1:])
    lower = torch.maximum(row_edges[:-1, None], column_edges[None, :-1])
    return (upper - lower).clamp_min(0).to(like.dtype) / columns


def resample_quantiles(ordered: Tensor, n: int) -> Tensor:
    """Mean of the quantile function of m sorted atoms on each of n equal cells.

    Parameters
    ----------
    ordered : Tensor (..., m)
        Sorted atoms of equal mass.
    n : int
        Number of cells.

    Returns
    -------
    Tensor (..., n)
    """
    m = ordered.shape[-1]
    if n == m:
        return ordered
    block = coupling_block(n, m, ordered)
    return (ordered.unflatten(-1, (-1, block.shape[1])) @ block.mT).flatten(-2)


def gram(a: Tensor, b: Tensor) -> Tensor:
    """Inner products (..., C, C') of (..., L, C, n) and (..., L, C', n), mean over L and n."""
    return (a @ b.mT).double().sum(-3) / (a.shape[-3] * a.shape[-1])


def sliced_wasserstein_squared(x: Tensor, y: Tensor, directions: Tensor) -> Tensor:
    """Squared sliced 2-Wasserstein distances between all pairs of classes.

    Parameters
    ----------
    x : Tensor (C, n, d)
        Classes of particles.
    y : Tensor (C', m, d)
        Others.
    directions : Tensor (L, d)
        Unit vectors that the integral over the sphere is estimated with.

    Returns
    -------
    Tensor (C, C')
    """
    xs, _ = sort_rows(project(x, directions))
    ys, _ = sort_rows(project(y, directions))
    cross = gram(xs, resample_quantiles(ys, xs.shape[-1]))
    x_square = gram(xs, xs).diagonal(dim1=-2, dim2=-1)
    y_square = gram(ys, ys).diagonal(dim1=-2, dim2=-1)
    squared = x_square[..., :, None] + y_square[..., None, :] - 2 * cross
    return squared.clamp_min(0).to(x.dtype)
