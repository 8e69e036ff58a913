"""OTDD: entropic optimal transport between labelled datasets, labels being Gaussians."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.optim.adamw import adamw

from wowbench.geometry.bures import bures_wasserstein_squared, check_gaussians
from wowbench.geometry.entropic import entropic_plan
from wowbench.geometry.validation import (
    check_classes,
    check_positive,
    check_same_kind,
    check_same_space,
)

PARTS = ("x", "mean", "cov")


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


class OTDD:
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
    """

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

    def value_and_grad(
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
        _check_positive_definite(cov)
        points = x.flatten(0, 1)
        means = mean.detach().flatten(0, 1).requires_grad_()
        covs = cov.detach().flatten(0, 1).requires_grad_()
        with torch.enable_grad():
            labels = bures_wasserstein_squared(means, covs, self.mean, self.cov, check=False)

        cost = self._cost(points, labels.detach())
        scale = cost.mean()
        cost /= scale
        epsilon = self.epsilon * cost.std(correction=0)
        if epsilon == 0:
            raise ValueError("all costs are equal; expected costs that differ, as they set epsilon")
        solved = entropic_plan(
            cost,
            epsilon,
            potential=potential,
            tolerance=self.tolerance,
            max_iterations=self.max_iterations,
            check=False,
        )
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


class OTDDStep:
    """A step of AdamW on OTDD, for `wowbench.flows.iterate`.

    Parameters
    ----------
    functional : OTDD
        What to decrease.
    lr : float, default 1e-3
        Learning rate.
    weight_decay : float, default 1e-4
        Decoupled weight decay, of samples, means and covariances alike.

    Notes
    -----
    A step of AdamW may leave the cone of positive definite matrices, where the cost is not defined.
    Eigenvalues below `lr`, which are finer than a step resolves, are therefore raised to it.

    The state holds `x`, `mean` and `cov`, AdamW's moments of each, Sinkhorn's `potential`, and for
    the record `sinkhorn_error`, the largest marginal error so far, `sinkhorn_failures`, the number
    of steps at which Sinkhorn did not converge, and `raised`, the number of covariances that had
    an eigenvalue raised, over all steps.
    """

    def __init__(self, functional: OTDD, *, lr: float = 1e-3, weight_decay: float = 1e-4):
        self.functional = functional
        self.lr = check_positive("lr", lr)
        if not 0 <= weight_decay < math.inf:
            raise ValueError(f"weight_decay is {weight_decay:g}; expected a number of at least 0")
        self.weight_decay = weight_decay

    def start(self, x: Tensor, mean: Tensor, cov: Tensor) -> dict[str, Tensor]:
        """Return the state that a flow from these samples and Gaussians starts from.

        Parameters
        ----------
        x, mean, cov : Tensor
            As in `OTDD.value_and_grad`; copied.
        """
        state = {"x": x.clone(), "mean": mean.clone(), "cov": cov.clone()}
        for part in PARTS:
            state[f"{part}.first_moment"] = torch.zeros_like(state[part])
            state[f"{part}.second_moment"] = torch.zeros_like(state[part])
        return state | {
            "step": torch.zeros(len(PARTS), device=x.device),
            "potential": x.new_zeros(len(self.functional.y)),
            "sinkhorn_error": x.new_zeros(()),
            "sinkhorn_failures": torch.zeros((), dtype=torch.int64, device=x.device),
            "raised": torch.zeros((), dtype=torch.int64, device=x.device),
        }

    def __call__(self, state: dict[str, Tensor], generator: torch.Generator | None) -> Tensor:
        """Update `state` in place and return the value before the step."""
        result = self.functional.value_and_grad(
            *(state[part] for part in PARTS), state["potential"]
        )
        adamw(
            [state[part] for part in PARTS],
            [getattr(result, part) for part in PARTS],
            [state[f"{part}.first_moment"] for part in PARTS],
            [state[f"{part}.second_moment"] for part in PARTS],
            [],
            list(state["step"].unbind()),
            fused=True,
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            lr=self.lr,
            weight_decay=self.weight_decay,
            eps=1e-8,
            maximize=False,
        )
        state["raised"] += _raise_eigenvalues(state["cov"], self.lr)
        state["potential"] = result.potential
        state["sinkhorn_error"] = torch.maximum(state["sinkhorn_error"], result.marginal_error)
        state["sinkhorn_failures"] += not result.converged
        return result.value


def _raise_eigenvalues(cov: Tensor, floor: float) -> int:
    """Raise the eigenvalues below `floor`, in place; the number of matrices that had one."""
    identity = torch.eye(cov.shape[-1], dtype=cov.dtype, device=cov.device)
    _, info = torch.linalg.cholesky_ex(cov - floor * identity)
    low = ((info > 0) & cov.isfinite().all(-1).all(-1)).nonzero(as_tuple=True)
    if low[0].numel():
        values, vectors = torch.linalg.eigh(cov[low])
        raised = (vectors * values.clamp_min(floor)[..., None, :]) @ vectors.mT
        cov[low] = (raised + raised.mT) / 2
    return low[0].numel()


def _check_positive_definite(cov: Tensor) -> None:
    """Name the covariance with the smallest eigenvalue if that is not positive."""
    _, info = torch.linalg.cholesky_ex(cov)
    # Values that are not finite pass through: the loop reports them, as a flow that diverged.
    if not info.any() or not cov.isfinite().all():
        return
    smallest = torch.linalg.eigvalsh(cov)[..., 0]
    index = torch.unravel_index(smallest.argmin(), smallest.shape)
    place = "".join(f"[{int(i)}]" for i in index)
    raise ValueError(
        f"cov{place} has smallest eigenvalue {smallest.min():g}; "
        "expected a positive definite matrix"
    )
