"""OTDD: entropic optimal transport between labelled datasets, labels being Gaussians."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from wowbench.functionals.base import Functional
from wowbench.geometry.bures import (
    bures_wasserstein_squared,
    check_gaussians,
    check_positive_definite,
)
from wowbench.geometry.entropic import entropic_plan
from wowbench.geometry.validation import (
    check_classes,
    check_positive,
    check_same_kind,
    check_same_space,
)
from wowbench.state import BURES, EUCLIDEAN, Parts, State


@dataclass(frozen=True)
class OTDDValue:
    """Value of OTDD and its gradients, `n C` times the Euclidean ones.

    Attributes
    ----------
    value : Tensor
        Regularised transport cost, 0-d.
    x : Tensor
        Gradient with respect to the samples, `(C, n, d)`.
    mean, cov : Tensor
        Gradients with respect to their Gaussians, `(C, n, p)` and `(C, n, p, p)`, the latter
        symmetric.
    potential : Tensor
        Sinkhorn's potential on the target's samples, `(C' m,)`, to start the next call from.
    marginal_error : Tensor
        Sinkhorn's marginal error, 0-d.
    iterations : int
        Sinkhorn's iterations.
    converged : bool
        Whether the marginal error is within the tolerance.
    """

    value: Tensor
    x: Tensor
    mean: Tensor
    cov: Tensor
    potential: Tensor
    marginal_error: Tensor
    iterations: int
    converged: bool


class OTDD(Functional):
    """Entropic transport cost from samples that carry Gaussians to a labelled target.

    The cost between `(x, m, S)` and `(y, m', S')` is `|x - y|^2 + W_2^2(N(m, S), N(m', S'))`,
    divided by its mean over all pairs; `eps` is `epsilon` times the standard deviation of that.
    The functional is the minimum of `<P, cost> + eps KL(P | a b^T)` over couplings of the
    uniform weights a and b.

    Parameters
    ----------
    target : Tensor
        Target samples by class, `(C', m, d)`.
    target_mean, target_cov : Tensor
        Gaussian of each target class, `(C', p)` and `(C', p, p)`, positive semidefinite.
    epsilon : float, default 0.05
        Regularisation, in standard deviations of the cost.
    tolerance, max_iterations : float and int, default 1e-3 and 2000
        When Sinkhorn's iterations stop: see `wowbench.geometry.entropic.entropic_plan`.

    Raises
    ------
    ValueError
        For tensors of the wrong shape, dtype, device or value, or a covariance that is not
        symmetric positive semidefinite: its index and smallest eigenvalue are named.

    Notes
    -----
    Alvarez-Melis and Fusi, *Geometric dataset distances via optimal transport*, 2020, and *Dataset
    dynamics via gradient flows in probability space*, 2021; normalised and regularised as the
    baseline of Bonet, Vauthier and Korba, arXiv:2506.07534. There the mean of the cost is
    differentiated, eps is not; so it is here.

    The state holds, beside its parts, Sinkhorn's `potential`, from which the next iterations start,
    and for the record `sinkhorn_error`, the largest marginal error so far, and `sinkhorn_failures`,
    the number of steps at which Sinkhorn did not converge. How many iterations there are depends on
    their error, which the host waits for, so that a step cannot be captured.
    """

    parts: ClassVar[Parts] = {"x": EUCLIDEAN, "mean": EUCLIDEAN, "cov": BURES}
    held_out_draws: ClassVar[int] = 1

    def __init__(
        self,
        target: Tensor,
        target_mean: Tensor,
        target_cov: Tensor,
        *,
        epsilon: float = 0.05,
        tolerance: float = 1e-3,
        max_iterations: int = 2000,
    ):
        target = check_classes("target", target, ragged=False)
        check_gaussians("target_mean", target_mean, "target_cov", target_cov, axes=(len(target),))
        check_same_kind("target_mean", target_mean, "target", target)
        self.n_classes = len(target)
        self.y = target.flatten(0, 1)
        self.y_squares = self.y.square().sum(1)
        self.mean = target_mean
        self.cov = target_cov
        self.epsilon = check_positive("epsilon", epsilon)
        self.tolerance = check_positive("tolerance", tolerance)
        if not isinstance(max_iterations, int) or max_iterations < 1:
            raise ValueError(
                f"max_iterations is {max_iterations!r}; expected an integer of at least 1"
            )
        self.max_iterations = max_iterations

    def start(self, **parts: Tensor) -> State:
        """Return the state that a flow from samples and Gaussians starts from.

        Parameters
        ----------
        **parts : Tensor
            `x`, `mean` and `cov`, as in `evaluate`; copied.
        """
        state = super().start(**parts)
        x = state["x"]
        return state | {
            "potential": x.new_zeros(len(self.y)),
            "sinkhorn_error": x.new_zeros(()),
            "sinkhorn_failures": torch.zeros((), dtype=torch.int64, device=x.device),
        }

    def value_and_grad(
        self, state: State, generator: torch.Generator | None
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Evaluate the functional from the potential of the last step, and keep the new one."""
        result = self.evaluate(*(state[part] for part in self.parts), state["potential"])
        state["potential"].copy_(result.potential)
        error = state["sinkhorn_error"]
        torch.maximum(error, result.marginal_error, out=error)
        state["sinkhorn_failures"] += not result.converged
        return result.value, {part: getattr(result, part) for part in self.parts}

    def evaluate(
        self, x: Tensor, mean: Tensor, cov: Tensor, potential: Tensor | None = None
    ) -> OTDDValue:
        """Return the value, and its gradients by the envelope theorem.

        With `W = (P - <P, cost> / (N M)) / mean(cost)`, the derivative of the value with respect to
        the costs before their division by the mean, the gradients are matrix products with W.

        Parameters
        ----------
        x : Tensor
            Samples by class, `(C, n, d)`.
        mean, cov : Tensor
            Their Gaussians, `(C, n, p)` and `(C, n, p, p)`, positive definite.
        potential : Tensor, optional
            That of a close call, to start Sinkhorn's iterations from.

        Returns
        -------
        OTDDValue

        Raises
        ------
        ValueError
            For tensors of the wrong shape, dtype or device, costs that are all equal, or a
            covariance that is not positive definite: its index and smallest eigenvalue are named.
        """
        x = check_classes("x", x, finite=False, ragged=False)
        check_gaussians("mean", mean, "cov", cov, axes=tuple(x.shape[:2]), values=False)
        check_same_kind("mean", mean, "x", x)
        check_same_space("x", x, "target", self.y)
        check_same_space("mean", mean, "target_mean", self.mean)
        points = x.flatten(0, 1)
        means = mean.detach().flatten(0, 1).requires_grad_()
        covs = cov.detach().flatten(0, 1).requires_grad_()
        with torch.enable_grad():
            labels = bures_wasserstein_squared(means, covs, self.mean, self.cov, check=False)

        cost = self._cost(points, labels.detach())
        scale = cost.mean()
        cost /= scale
        epsilon = self.epsilon * cost.std(correction=0)
        _, not_positive = torch.linalg.cholesky_ex(cov)
        solved = entropic_plan(
            cost,
            epsilon,
            potential=potential,
            tolerance=self.tolerance,
            max_iterations=self.max_iterations,
            check=False,
        )
        # Only here, where the host has waited for the device anyway.
        check_positive_definite("cov", cov, not_positive)
        if not solved.converged and epsilon == 0:
            raise ValueError("all costs are equal; expected costs that differ, as they set epsilon")
        mean_cost = torch.vdot(solved.plan.flatten(), cost.flatten())
        weights = (solved.plan - mean_cost / cost.numel()).mul_(len(points) / scale)
        grad_x = torch.addmm(weights.sum(1, keepdim=True) * points, weights, self.y, alpha=-1)
        by_class = weights.unflatten(1, (self.n_classes, -1)).sum(2)
        grad_mean, grad_cov = torch.autograd.grad(labels, (means, covs), by_class)
        return OTDDValue(
            solved.value,
            grad_x.mul_(2).view_as(x),
            grad_mean.view_as(mean),
            ((grad_cov + grad_cov.mT) / 2).view_as(cov),
            solved.potential,
            solved.marginal_error,
            solved.iterations,
            solved.converged,
        )

    def _cost(self, points: Tensor, labels: Tensor) -> Tensor:
        """Squared distances of the samples plus those of the labels `(N, C')`: `(N, C' m)`."""
        squares = points.square().sum(1, keepdim=True) + self.y_squares
        cost = torch.addmm(squares, points, self.y.T, alpha=-2).clamp_min_(0)
        cost.unflatten(1, (self.n_classes, -1)).add_(labels[:, :, None])
        return cost
