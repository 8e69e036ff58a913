"""Entropic optimal transport between uniform weights by stabilised Sinkhorn iterations."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from wowbench.geometry.validation import check_finite, check_positive

BLOCK = 10
"""Iterations between two absorptions of the scalings into the potentials."""


@dataclass(frozen=True)
class EntropicPlan:
    """What Sinkhorn's algorithm found.

    Attributes
    ----------
    plan : Tensor
        Coupling `(n, m)`, `exp((f_i + g_j - C_ij) / eps) / (n m)`.
    value : Tensor
        Dual objective `mean(f) + mean(g) + eps (1 - sum(plan))`, 0-d. At the solution it is
        `<plan, C> + eps KL(plan | uniform)`; its derivative with respect to C at fixed f, g and
        eps is `plan`, converged or not.
    potential : Tensor
        Potential g of the columns, `(m,)`: start of the next, similar problem.
    marginal_error : Tensor
        Sum of the absolute errors of both marginals of `plan`, 0-d, at most 4.
    iterations : int
        Iterations done.
    converged : bool
        Whether the marginal error is within the tolerance.
    """

    plan: Tensor
    value: Tensor
    potential: Tensor
    marginal_error: Tensor
    iterations: int
    converged: bool


def entropic_plan(
    cost: Tensor,
    epsilon: float | Tensor,
    *,
    potential: Tensor | None = None,
    tolerance: float = 1e-3,
    max_iterations: int = 2000,
    check: bool = True,
) -> EntropicPlan:
    """Minimise `<P, C> + eps KL(P | a b^T)` over couplings P of uniform weights a and b.

    Parameters
    ----------
    cost : Tensor
        Costs C, `(n, m)`, float32 or float64.
    epsilon : float or Tensor
        Regularisation, positive, in units of the cost; a 0-d tensor on the cost's device.
    potential : Tensor, optional
        Potential `(m,)` to start from; by default zero.
    tolerance : float, default 1e-3
        Marginal error at which to stop.
    max_iterations : int, default 2000
        Number of iterations after which to stop in any case.
    check : bool, default True
        Whether to check the values of the arguments; shapes always are.

    Returns
    -------
    EntropicPlan
        It says whether it converged; nothing is raised if it did not.

    Raises
    ------
    ValueError
        For a cost, potential or number that cannot be used.

    Notes
    -----
    Schmitzer, *Stabilized sparse scaling algorithms for entropy regularized transport problems*,
    2019. The first iteration is in the log domain, after which no row or column of the plan can
    have lost all its mass to underflow; then blocks of matrix-vector products, each followed by an
    absorption of the scalings into the potentials.
    """
    _check_shapes(cost, potential)
    if check:
        _check_values(cost, epsilon, potential, tolerance, max_iterations)
    n, m = cost.shape
    log_mass = math.log(n * m)
    exponent = cost / -epsilon
    g = cost.new_zeros(m) if potential is None else potential / epsilon
    # Potentials are in units of epsilon here.
    f = math.log(m) - torch.logsumexp(exponent + g, 1)
    g = math.log(n) - torch.logsumexp(exponent + f[:, None], 0)
    iterations = 1
    while True:
        plan = (exponent + f[:, None]).add_(g - log_mass).exp_()
        # Marginals by matrix products: a sum over rows is several times slower on a CPU.
        rows, columns = plan @ plan.new_ones(m), plan.new_ones(n) @ plan
        error = (rows - 1 / n).abs().sum() + (columns - 1 / m).abs().sum()
        # One transfer: each answer that is asked for alone makes the host wait for the device.
        converged, finite = torch.stack((error <= tolerance, error.isfinite())).tolist()
        if converged or iterations >= max_iterations or not finite:
            break
        block = min(BLOCK, max_iterations - iterations)
        u, v = _scale(plan, block)
        f, g = f + u.log(), g + v.log()
        iterations += block
    value = epsilon * (f.mean() + g.mean() + 1 - rows.sum())
    return EntropicPlan(plan, value, epsilon * g, error, iterations, converged)


def _scale(plan: Tensor, iterations: int) -> tuple[Tensor, Tensor]:
    """Scalings u, v that bring `diag(u) plan diag(v)` closer to uniform marginals."""
    n, m = plan.shape
    v = plan.new_ones(m)
    for _ in range(iterations):
        u = (plan @ v).mul_(n).reciprocal_()
        v = (plan.T @ u).mul_(m).reciprocal_()
    return u, v


def _check_shapes(cost: Tensor, potential: Tensor | None) -> None:
    if cost.dim() != 2 or 0 in cost.shape:
        raise ValueError(f"cost has shape {tuple(cost.shape)}; expected (n, m)")
    if potential is not None and potential.shape != cost.shape[1:]:
        raise ValueError(
            f"potential has shape {tuple(potential.shape)}; expected ({cost.shape[1]},)"
        )


def _check_values(
    cost: Tensor,
    epsilon: float | Tensor,
    potential: Tensor | None,
    tolerance: float,
    max_iterations: int,
) -> None:
    check_finite("cost", cost)
    check_positive("epsilon", float(epsilon))
    check_positive("tolerance", tolerance)
    if potential is not None:
        check_finite("potential", potential)
    if not isinstance(max_iterations, int) or max_iterations < 1:
        raise ValueError(f"max_iterations is {max_iterations!r}; expected an integer of at least 1")
