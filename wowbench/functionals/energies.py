"""Energies on P2(P2(R^d)) whose WoW gradients are known in closed form.

A potential energy drives every class on its own, an interaction energy drives classes by their
positions relative to each other, and half a squared WoW distance drives a dataset along a
geodesic.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from wowbench.functionals.base import ParticleFunctional
from wowbench.geometry.exact import SparsePlan, optimal_plans, transport_cost
from wowbench.geometry.validation import check_classes, check_same_space
from wowbench.geometry.wow import coupled_classes
from wowbench.kernels.base import Kernel


class PotentialEnergy(ParticleFunctional):
    """F(P), the integral of V(mu) = 1/2 W_2^2(mu, nu) with respect to P.

    Parameters
    ----------
    reference : Tensor
        Particles `(m, d)` of nu.
    """

    def __init__(self, reference: Tensor):
        self.reference = check_classes("reference", [reference])

    def evaluate(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Compute F and its WoW gradient, which is the Wasserstein gradient of V at each class.

        The gradient of `W_2^2 / 2` is the identity minus the optimal map (Ambrosio, Gigli and
        Savare, *Gradient Flows in Metric Spaces and in the Space of Probability Measures*, 2008,
        chapter 10); a plan that splits particles stands in by its barycentric projection.

        Parameters
        ----------
        x : Tensor
            Classes of particles, `(C, n, d)`.

        Returns
        -------
        value : Tensor
            F, a number.
        grad : Tensor
            `n C dF/dx`, `(C, n, d)`: particles minus the mean of their images.
        """
        x = check_classes("x", x, finite=False, ragged=False)
        check_same_space("x", x, "reference", self.reference)
        (y,) = self.reference
        plans = [row[0] for row in optimal_plans(x, self.reference)]
        pairs = list(zip(x, plans, strict=True))
        values = torch.stack([transport_cost(points, y, plan) / 2 for points, plan in pairs])
        grad = torch.stack([_displacement(points, y, plan) for points, plan in pairs])
        return values.to(x.dtype).mean(), grad


class InteractionEnergy(ParticleFunctional):
    """F(P) = 1/2 iint K(mu, nu) dP(mu) dP(nu), with K a function of the distance of the means.

    Parameters
    ----------
    kernel : Kernel
        K as a function of `|m_mu - m_nu|^p`, p being the kernel's: see `wowbench.kernels`.
    """

    def __init__(self, kernel: Kernel):
        self.kernel = kernel

    def evaluate(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Compute F and its WoW gradient, which translates each class.

        Parameters
        ----------
        x : Tensor
            Classes of particles, `(C, n, d)`.

        Returns
        -------
        value : Tensor
            F, a number.
        grad : Tensor
            `n C dF/dx`, `(C, n, d)`: at class mu the integral over nu of the gradient of
            `K(mu, nu)` in the mean of mu; zero between classes of one mean.
        """
        means = check_classes("x", x, finite=False, ragged=False).mean(1)
        shift = means[:, None] - means[None, :]
        distance = torch.linalg.vector_norm(shift, dim=-1)
        cost = distance**self.kernel.p
        # d cost / d mean = p |shift|^(p - 2) shift, with 0 at shift 0.
        slope = self.kernel.p * torch.where(distance > 0, distance, 1.0) ** (self.kernel.p - 2)
        pull = (self.kernel.derivative(cost) * slope)[..., None] * shift
        grad = pull.mean(1)[:, None].repeat(1, x.shape[1], 1)
        return self.kernel.value(cost).mean() / 2, grad


class HalfSquaredWoW(ParticleFunctional):
    """F(P) = 1/2 WW^2(P, Q), half the squared WoW distance with exact inner transport.

    Parameters
    ----------
    target : Tensor or sequence of Tensor
        The particles of Q, `(C', m, d)` or C' tensors `(n_c, d)`.
    """

    def __init__(self, target: Tensor | Sequence[Tensor]):
        self.target = check_classes("target", target)

    def evaluate(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Compute F and its WoW gradient, the initial velocity of the geodesic, reversed.

        Parameters
        ----------
        x : Tensor
            Classes of particles, `(C, n, d)`.

        Returns
        -------
        value : Tensor
            F, a number.
        grad : Tensor
            `n C dF/dx`, `(C, n, d)`, at any optimal plans: particles minus the mean of their
            images. Where both datasets have one shape, a step of size 1 lands on the target.
        """
        x = check_classes("x", x, finite=False, ragged=False)
        check_same_space("x", x, "target", self.target)
        value, grad = x.new_zeros(()), torch.zeros_like(x)
        for c, k, mass, plan in coupled_classes(x, self.target):
            value += mass / 2 * transport_cost(x[c], self.target[k], plan)
            grad[c] += len(x) * mass * _displacement(x[c], self.target[k], plan)
        return value, grad


def _displacement(x: Tensor, y: Tensor, plan: SparsePlan) -> Tensor:
    """Particles `(n, d)` of equal weight minus the mean of their images under a plan."""
    if x.is_cuda:
        # There index_add_ adds in another order at each run.
        images = plan.to_dense(x.new_empty(len(x), len(y))) @ y
    else:
        rows, columns, mass = plan.to(x.device)
        images = torch.zeros_like(x).index_add_(0, rows, mass.to(x.dtype)[:, None] * y[columns])
    return x.detach() - len(x) * images
