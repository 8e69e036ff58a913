r"""The affine hull of points, in which a flow to them can be computed.

Let measures be supported in an affine subspace of dimension s of :math:`R^D`. Their projections
on a direction of :math:`R^D` are those on its part in the subspace, of length r, so that W_p along
it is r times W_p along that part's own direction, which is uniform on the sphere of :math:`R^s` and
independent of r:

.. math:: SW_p^p \text{ in } R^D = E[r^p] \; SW_p^p \text{ in } R^s , \qquad E[r^2] = s / D .
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

NEGLIGIBLE = 1e-6
"""Extent of the points along an axis, relative to the longest one, that counts as none."""


@dataclass(frozen=True)
class AffineHull:
    """Orthonormal coordinates of the smallest affine subspace that has all of some points in it.

    Attributes
    ----------
    origin : Tensor (D,)
        Mean of the points.
    basis : Tensor (s, D)
        Orthonormal rows, by falling extent of the points; s is 1 at least.

    Examples
    --------
    Two points span a line; others are projected to it.

    >>> import torch
    >>> hull = AffineHull.of(torch.tensor([[0.0, 1.0], [4.0, 1.0]]))
    >>> hull.dim
    1
    >>> hull.leave(hull.enter(torch.tensor([[3.0, 7.0]])))
    tensor([[3., 1.]])
    """

    origin: Tensor
    basis: Tensor

    @classmethod
    def of(cls, points: Tensor) -> AffineHull:
        """Return the hull of points ``(N, D)``."""
        exact = points.double()
        origin = exact.mean(0)
        _, extents, axes = torch.linalg.svd(exact - origin, full_matrices=False)
        dim = max(int((extents > NEGLIGIBLE * extents[0]).sum()), 1)
        return cls(origin.to(points.dtype), axes[:dim].to(points.dtype))

    @property
    def dim(self) -> int:
        """Dimension s of the subspace."""
        return len(self.basis)

    def enter(self, points: Tensor) -> Tensor:
        """Coordinates ``(..., s)`` of the nearest points of the hull to points ``(..., D)``."""
        return (points - self.origin) @ self.basis.mT

    def leave(self, coordinates: Tensor) -> Tensor:
        """Return the points ``(..., D)`` of coordinates ``(..., s)``."""
        return self.origin + coordinates @ self.basis


def shrinkage(dim: int, ambient_dim: int, p: int) -> float:
    r"""Ratio of SW_p^p in the whole space to that in an affine subspace of it.

    .. math::

        E[r^2] = \frac{s}{D} , \qquad
        E[r] = \frac{\Gamma((s + 1) / 2) \, \Gamma(D / 2)}{\Gamma(s / 2) \, \Gamma((D + 1) / 2)} ,

    for the length r of the part in R^s of a uniform unit vector of R^D, whose square has the law
    Beta(s / 2, (D - s) / 2).

    Parameters
    ----------
    dim, ambient_dim : int
        Dimensions s of the subspace and D of the whole space.
    p : {1, 2}
        Power of the cost.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If s is not from 1 to D.

    Examples
    --------
    >>> shrinkage(99, 784, p=2)
    0.12627551020408162
    """
    if not 1 <= dim <= ambient_dim:
        raise ValueError(f"dim is {dim}; expected 1 to {ambient_dim}, the ambient dimension")
    if p == 2:
        return dim / ambient_dim
    logs = [math.lgamma((size + 1) / 2) - math.lgamma(size / 2) for size in (dim, ambient_dim)]
    return math.exp(logs[0] - logs[1])
