"""The squared 2-Wasserstein distance between classes, by exact optimal transport.

Plans are found in float64 on the CPU, by sorting in dimension 1, by the Hungarian method between
uniform classes of one size, and by the network simplex otherwise. Distances are sums over the
support of the plan: they are exactly zero between equal classes, and differentiable in the
particles with the plan held fixed, which is the gradient wherever the plan is unique.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from wowbench.geometry.validation import (
    Classes,
    check_classes,
    check_particle_weights,
    check_same_space,
)

MAX_PIVOTS = 100_000_000


class SparsePlan(NamedTuple):
    """A coupling of n and m atoms, as the k pairs that it gives mass to (k < n + m)."""

    rows: np.ndarray
    """Atoms of the first measure, `(k,)`."""
    columns: np.ndarray
    """Atoms of the second measure, `(k,)`."""
    mass: np.ndarray
    """Mass of each pair, `(k,)`, float64."""

    def to(self, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
        """Rows, columns and mass as tensors on a device."""
        return tuple(torch.from_numpy(part).to(device) for part in self)

    def to_dense(self, like: Tensor) -> Tensor:
        """Mass of all pairs, `(n, m)`, of the shape and dtype and on the device of `like`."""
        rows, columns, mass = self.to(like.device)
        dense = torch.zeros_like(like)
        dense[rows, columns] = mass.to(like.dtype)
        return dense


def wasserstein_squared(
    x: Tensor | Sequence[Tensor],
    y: Tensor | Sequence[Tensor],
    *,
    x_weights: Tensor | Sequence[Tensor] | None = None,
    y_weights: Tensor | Sequence[Tensor] | None = None,
) -> Tensor:
    """Squared 2-Wasserstein distances between all classes of `x` and all classes of `y`.

    Parameters
    ----------
    x, y : Tensor or sequence of Tensor
        Classes of particles, `(C, n, d)` and `(C', m, d)`, or lists of tensors `(n_c, d)`.
    x_weights, y_weights : Tensor or sequence of Tensor, optional
        Positive weights of the particles, of sum 1 in each class; uniform by default.

    Returns
    -------
    Tensor
        Squared distances `(C, C')` in squared units of `x`, of the dtype and on the device of
        `x`; differentiable in `x` and `y`.

    Raises
    ------
    ValueError
        For classes or weights of the wrong shape, dtype, device or value.

    Notes
    -----
    W_2^2(mu, nu) is the least cost of moving mu onto nu (Peyre and Cuturi, *Computational
    Optimal Transport*, 2019, sections 2.3 and 3).
    """
    x, y = check_classes("x", x), check_classes("y", y)
    check_same_space("x", x, "y", y)
    x_weights = check_particle_weights("x_weights", x_weights, x)
    y_weights = check_particle_weights("y_weights", y_weights, y)
    rows = [
        torch.stack([transport_cost(a, b, plan) for b, plan in zip(y, row, strict=True)])
        for a, row in zip(x, optimal_plans(x, y, x_weights, y_weights), strict=True)
    ]
    return torch.stack(rows).to(x[0].dtype)


def optimal_plans(
    x: Classes,
    y: Classes,
    x_weights: Classes | None = None,
    y_weights: Classes | None = None,
) -> list[list[SparsePlan]]:
    """Optimal plans, for the squared distance, between all classes of `x` and `y`.

    Parameters
    ----------
    x, y : Tensor or list of Tensor
        C and C' classes, as `check_classes` returns them.
    x_weights, y_weights : Tensor or list of Tensor, optional
        Weights, as `check_particle_weights` returns them.

    Returns
    -------
    list of list of SparsePlan
        C lists of C' plans.
    """
    y_side = [_to_numpy(b, w) for b, w in _with_weights(y, y_weights)]
    return [
        [_optimal_plan(*_to_numpy(a, w), b, v) for b, v in y_side]
        for a, w in _with_weights(x, x_weights)
    ]


def transport_cost(x: Tensor, y: Tensor, plan: SparsePlan) -> Tensor:
    """Mean squared displacement of a plan.

    Parameters
    ----------
    x, y : Tensor
        Particles, `(n, d)` and `(m, d)`.
    plan : SparsePlan
        A coupling of them.

    Returns
    -------
    Tensor
        A number in float64, differentiable in `x` and `y`.
    """
    rows, columns, mass = plan.to(x.device)
    displacement = x.double()[rows] - y.double()[columns]
    return mass @ displacement.square().sum(-1)


def solve_transport(cost: np.ndarray, a: np.ndarray | None, b: np.ndarray | None) -> SparsePlan:
    """Solve the linear program of optimal transport for a matrix of costs.

    Parameters
    ----------
    cost : ndarray
        Costs, `(n, m)`, float64.
    a, b : ndarray or None
        Masses of the rows and of the columns, `(n,)` and `(m,)`, of equal sum; None is uniform
        of sum 1.

    Returns
    -------
    SparsePlan
        A vertex of the couplings: a permutation where `n == m` and both sides are uniform.

    Raises
    ------
    RuntimeError
        Where the network simplex stops before the optimum.
    """
    n, m = cost.shape
    if n == m and a is None and b is None:
        rows, columns = linear_sum_assignment(cost)
        return SparsePlan(rows, columns, np.full(n, 1 / n))
    import ot  # here: it takes over a second, which most jobs can do without

    a = np.full(n, 1 / n) if a is None else a
    b = np.full(m, 1 / m) if b is None else b
    # The simplex decides by absolute tolerances, so that costs are brought to one scale.
    scale = np.abs(cost).max() or 1.0
    plan, log = ot.emd(a, b, cost / scale, numItermax=MAX_PIVOTS, log=True)
    if log["warning"] is not None:
        raise RuntimeError(f"optimal transport of shape {cost.shape} failed: {log['warning']}")
    rows, columns = np.nonzero(plan)
    return SparsePlan(rows, columns, plan[rows, columns])


def to_masses(weights: Tensor | None) -> np.ndarray | None:
    """Weights in the form of `solve_transport`: float64, of sum 1 to its precision.

    Parameters
    ----------
    weights : Tensor or None
        Weights `(n,)` that sum to 1 within the tolerance of `check_weights`.

    Returns
    -------
    ndarray or None
        Masses `(n,)`; None stays None.
    """
    if weights is None:
        return None
    masses = weights.detach().to("cpu", torch.float64).numpy()
    return masses / masses.sum()


def _with_weights(x: Classes, weights: Classes | None):
    """Pairs of a class and its weights."""
    return zip(x, [None] * len(x) if weights is None else weights, strict=True)


def _to_numpy(points: Tensor, weights: Tensor | None) -> tuple[np.ndarray, np.ndarray | None]:
    return points.detach().to("cpu", torch.float64).numpy(), to_masses(weights)


def _optimal_plan(
    x: np.ndarray, a: np.ndarray | None, y: np.ndarray, b: np.ndarray | None
) -> SparsePlan:
    if x.shape[1] > 1:
        return solve_transport(_squared_distances(x, y), a, b)
    if len(x) == len(y) and a is None and b is None:
        order = np.argsort(x[:, 0], kind="stable"), np.argsort(y[:, 0], kind="stable")
        return SparsePlan(*order, np.full(len(x), 1 / len(x)))
    import ot

    plan = ot.emd_1d(x[:, 0], y[:, 0], a, b, dense=False)
    return SparsePlan(plan.row.astype(np.int64), plan.col.astype(np.int64), plan.data)


def _squared_distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    # Centring keeps the cancellation small for classes far from the origin.
    centre = y.mean(0)
    x, y = x - centre, y - centre
    squares = (x**2).sum(1)[:, None] + (y**2).sum(1)[None, :] - 2 * x @ y.T
    return np.maximum(squares, 0)
