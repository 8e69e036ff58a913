"""Optimal transport dataset distance (OTDD)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from wowbench.distances.base import Distance, Estimate
from wowbench.distances.class_costs import exact_costs, squared_distances, transport_value
from wowbench.registry import DISTANCES

if TYPE_CHECKING:
    import torch
    from torch import Tensor

TOLERANCE = 1e-4
"""Marginal error at which Sinkhorn's iterations stop."""

COARSE_ITERATIONS, FINE_ITERATIONS = 100, 20_000
"""Iterations, at most, at each larger regularisation on the way, and at that asked for."""


@DISTANCES.register
class OTDD(Distance):
    r"""OTDD: transport of labelled points, where labels are as far apart as their classes.

    .. math:: D^2(P, Q) = \min_\pi \int \Big( |x - x'|^2 + W_2^2(\mu_y, \mu_{y'}) \Big)
        d\pi((x, y), (x', y'))

    between all points of both datasets, with equal weights (Alvarez-Melis and Fusi, *Geometric
    dataset distances via optimal transport*, NeurIPS 2020). Of a Gaussian the
    covariance has the divisor n - 1. With the outer "sinkhorn" it is the debiased divergence
    :math:`OT_\varepsilon(P, Q) - OT_\varepsilon(P, P) / 2 - OT_\varepsilon(Q, Q) / 2`, with
    :math:`OT_\varepsilon = \min_\pi \langle \pi, c\rangle + \varepsilon KL(\pi | P \otimes Q)`.
    Memory is quadratic in the number of points. The cost in the authors' code is half of this one:
    its values are half of these, and its ``entreg`` is half of `epsilon`.

    Parameters
    ----------
    inner : {"gaussian", "exact"}
        W_2 between classes: that of Gaussians of their moments, or exact.
    outer : {"emd", "sinkhorn"}
        Exact transport, or the debiased entropic one.
    epsilon : float
        Regularisation of "sinkhorn", in units of the cost, squared features.
    """

    name: ClassVar[str] = "otdd"
    summary: ClassVar[str] = "OTDD: transport of points, with labels as far as their classes"
    stochastic: ClassVar[bool] = False

    inner: Literal["gaussian", "exact"] = "gaussian"
    outer: Literal["emd", "sinkhorn"] = "emd"
    epsilon: Annotated[float, Field(ge=1e-9, le=1e9)] = 0.1

    @property
    def minimum_per_class(self) -> int:
        """Two for a covariance."""
        return 2 if self.inner == "gaussian" else 1

    def estimate(  # noqa: D102
        self, a: list[Tensor], b: list[Tensor], generator: torch.Generator
    ) -> Estimate:
        if self.outer == "emd":
            return Estimate(transport_value(self._costs(a, b)))
        across, of_a, of_b = (self._entropic(x, y) for x, y in ((a, b), (a, a), (b, b)))
        return Estimate(across - (of_a + of_b) / 2)

    def _costs(self, a: list[Tensor], b: list[Tensor]) -> Tensor:
        """Costs between all points of both, ``(N, M)``, float64."""
        import torch

        between = gaussian_costs if self.inner == "gaussian" else exact_costs
        costs = squared_distances(torch.cat(a), torch.cat(b))
        classes = between(a, b).to(costs.device)
        for rows, row in zip(costs.split([len(x) for x in a]), classes, strict=True):
            sizes = torch.tensor([len(y) for y in b], device=costs.device)
            rows.add_(row.repeat_interleave(sizes))
        return costs

    def _entropic(self, a: list[Tensor], b: list[Tensor]) -> float:
        """Solve by Sinkhorn's iterations, from a regularisation of the size of the cost down."""
        from wowbench.geometry.entropic import entropic_plan

        costs = self._costs(a, b)
        epsilon, potential = float(costs.max()), None
        while epsilon > self.epsilon:
            potential = entropic_plan(
                costs,
                epsilon,
                potential=potential,
                tolerance=TOLERANCE,
                max_iterations=COARSE_ITERATIONS,
                check=False,
            ).potential
            epsilon /= 2
        found = entropic_plan(
            costs,
            self.epsilon,
            potential=potential,
            tolerance=TOLERANCE,
            max_iterations=FINE_ITERATIONS,
            check=False,
        )
        if not found.converged:
            raise self._refusal(
                f"epsilon is {self.epsilon:g}, with which {found.iterations} of Sinkhorn's "
                f"iterations leave a marginal error of {float(found.marginal_error):.2g}; expected "
                f"a larger one, or outer 'emd'"
            )
        return float(found.value)


def gaussian_costs(a: list[Tensor], b: list[Tensor]) -> Tensor:
    r"""Bures-Wasserstein costs between the Gaussians of all classes, ``(C, C')``, float64.

    With factors :math:`\Sigma = F^T F` the trace of the root of
    :math:`\Sigma^{1/2} \Sigma' \Sigma^{1/2}` is the sum of the singular values of
    :math:`F F'^T`, a matrix no larger than the classes.
    """
    import torch

    (means, factors), (others, other_factors) = map(_gaussians, (a, b))
    shifts = torch.cdist(means, others, compute_mode="donot_use_mm_for_euclid_dist").square()
    traces, other_traces = (
        torch.stack([f.square().sum() for f in side]) for side in (factors, other_factors)
    )
    roots = torch.zeros_like(shifts)
    for i, f in enumerate(factors):
        for j, g in enumerate(other_factors):
            if a is b and j < i:
                roots[i, j] = roots[j, i]
            else:
                roots[i, j] = torch.linalg.svdvals(f @ g.T).sum()
    return shifts + (traces[:, None] + other_traces - 2 * roots).clamp_min(0)


def _gaussians(classes: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
    """Means ``(C, d)``, and factors ``(min(n_c, d), d)`` of the covariances."""
    import torch

    means = torch.stack([points.double().mean(0) for points in classes])
    factors = []
    for points, mean in zip(classes, means, strict=True):
        centred = (points.double() - mean) / (len(points) - 1) ** 0.5
        if centred.shape[0] > centred.shape[1]:
            centred = torch.linalg.qr(centred, mode="r").R
        factors.append(centred)
    return means, factors
