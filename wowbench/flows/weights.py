"""The joint flow of particles and class weights.

The state is `P = sum_c w_c delta(mu_c)` with weights `w` on the simplex, and the functional is
quadratic in them while particles are held: `F(P) = 1/2 w^T K w - b^T w + constant`, as for half a
squared MMD, where `K` is the kernel between classes and `b` the kernel with the target. A step is
split in two.

1. *Weights*, by a minimising movement (JKO step) on the classes where they are: a plan `pi` moves
   mass between them at the squared distances `D^2`,

       min over pi >= 0 with pi 1 = w of  <pi, D^2> / (2 tau) + F(pi^T 1),

   and the new weights are `pi^T 1`. `F` decreases at any `tau`, by at least the cost of the
   plan.
2. *Particles*, by an explicit step along minus the WoW gradient at the new weights, which is that
   of the first variation of F: it needs no weight to be positive, so that a class that has lost
   its mass keeps moving and can regain some.

Mass moves from a class to another only where the first variation `K w - b` falls by more than
`D^2 / (2 tau)`: the classes are a fixed, discrete set in step 1. A small `tau` thus holds the
weights altogether, and `tau = inf` minimises F over them.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from wowbench.flows.loop import FlowProgress, iterate
from wowbench.geometry.sliced import Slices, check_directions
from wowbench.geometry.validation import check_classes, check_same_space, check_weights
from wowbench.kernels.base import Kernel

GAP_TOLERANCE = 1e-8
"""Duality gap, relative to the largest entry of the kernel, at which a plan is optimal."""

MOVES_PER_CLASS = 1000
"""Transfers of mass, for each class, after which a plan that is not yet optimal is taken."""


@dataclass(frozen=True)
class QuadraticEnergy:
    """F as a function of the class weights, with the particles held.

    Attributes
    ----------
    kernel : Tensor (C, C)
        K, conditionally positive definite.
    linear : Tensor (C,)
        b.
    constant : Tensor ()
        The rest of F.
    costs : Tensor (C, C)
        Squared distances D^2 between the classes.
    gradient : callable
        Maps weights `(C,)` to the WoW gradient in the particles, `(C, n, d)`.
    """

    kernel: Tensor
    linear: Tensor
    constant: Tensor
    costs: Tensor
    gradient: Callable[[Tensor], Tensor]

    def value(self, weights: Tensor) -> Tensor:
        """F at weights `(C,)`, a number."""
        weights = weights.to(self.kernel.dtype)
        return weights @ self.kernel @ weights / 2 - self.linear @ weights + self.constant


@dataclass(frozen=True)
class WeightedFlow:
    """A joint flow that has run.

    Attributes
    ----------
    x : Tensor (C, n, d)
        Particles after the last step.
    weights : Tensor (C,)
        Class weights after the last step.
    losses : Tensor (steps,)
        Value of F at the start of each step, on the CPU.
    steps : int
        Steps done.
    seconds : float
        Wall-clock time.
    """

    x: Tensor
    weights: Tensor
    losses: Tensor
    steps: int
    seconds: float


class WeightedSlicedMMD:
    """F(P) = 1/2 MMD^2(P, Q) with a kernel on SW, both sides with class weights.

    Parameters
    ----------
    target : Tensor
        The particles of Q, `(C', m, d)`.
    kernel : Kernel
        See `wowbench.kernels`.
    target_weights : Tensor, optional
        Positive weights `(C',)` of the classes of Q, of sum 1; uniform by default.
    """

    def __init__(self, target: Tensor, kernel: Kernel, *, target_weights: Tensor | None = None):
        self.target = check_classes("target", target)
        self.kernel = kernel
        self.target_weights = check_weights("target_weights", target_weights, self.target)

    def at(self, x: Tensor, directions: Tensor) -> QuadraticEnergy:
        """F as a function of the weights of the classes of `x`.

        Parameters
        ----------
        x : Tensor
            The particles of P, `(C, n, d)`.
        directions : Tensor
            Unit vectors `(L, d)`, the same for all pairs of classes.

        Returns
        -------
        QuadraticEnergy
            In float64, with `D = SW_p`, p being the kernel's.

        Raises
        ------
        ValueError
            For shapes, dtypes or devices that do not fit.
        """
        x = check_classes("x", x, finite=False)
        check_same_space("x", x, "target", self.target)
        check_directions(directions, x)
        p, q = self.kernel.p, self.target_weights.double()
        mine, other = Slices(x, directions, p=p), Slices(self.target, directions, p=p)
        costs, cross = mine.costs(mine), mine.costs(other)
        slope, cross_slope = self.kernel.derivative(costs), self.kernel.derivative(cross)

        def gradient(weights: Tensor) -> Tensor:
            return mine.gradient([(mine, slope * weights), (other, -cross_slope * q)])

        return QuadraticEnergy(
            kernel=self.kernel.value(costs),
            linear=self.kernel.value(cross) @ q,
            constant=q @ self.kernel.value(other.costs(other)) @ q / 2,
            costs=costs ** (2 / p),
            gradient=gradient,
        )


def jko_plan(weights: Tensor, energy: QuadraticEnergy, tau: float) -> tuple[Tensor, float]:
    """Plan of one minimising movement of the class weights, the particles held.

    Mass is transferred, row by row of the plan, from the class where its gradient is highest to
    that where it is lowest, by exact line search, the most profitable transfer first (pairwise
    Frank-Wolfe: Lacoste-Julien and Jaggi, *On the global linear convergence of Frank-Wolfe
    optimization variants*, 2015). The start is the plan that moves nothing and every transfer
    decreases the objective, so that F never rises, however early the search stops.

    Parameters
    ----------
    weights : Tensor
        Weights `(C,)` before the step.
    energy : QuadraticEnergy
        F as a function of the weights.
    tau : float
        Step size, in units of `D^2 / F`; may be infinite.

    Returns
    -------
    plan : Tensor
        Mass `(C, C)` sent from each class to each, float64 on the CPU: rows sum to `weights`,
        columns to the weights after the step.
    gap : float
        By how much, at most, the objective exceeds its minimum.

    Raises
    ------
    ValueError
        If `tau` is not positive.
    """
    _check_tau(tau)
    kernel, linear, costs, start = (
        t.detach().cpu().double().numpy()
        for t in (energy.kernel, energy.linear, energy.costs, weights)
    )
    transport = costs / (2 * tau)
    plan, moved = np.diag(start), start.copy()
    rows = np.arange(len(start))
    for _ in range(MOVES_PER_CLASS * len(start)):
        gradient = transport + (kernel @ moved - linear)
        best = gradient.argmin(1)
        gap = (plan * gradient).sum() - start @ gradient[rows, best]
        if not gap > GAP_TOLERANCE * np.abs(kernel).max():
            break
        worst = np.where(plan > 0, gradient, -np.inf).argmax(1)
        descent = np.maximum(gradient[rows, worst] - gradient[rows, best], 0)
        curvature = kernel[best, best] + kernel[worst, worst] - 2 * kernel[best, worst]
        amount = plan[rows, worst]
        interior = descent < curvature * amount
        amount[interior] = descent[interior] / curvature[interior]
        row = (amount * (descent - curvature * amount / 2)).argmax()
        for column, mass in ((best[row], amount[row]), (worst[row], -amount[row])):
            plan[row, column] += mass
            moved[column] += mass
    return torch.from_numpy(plan), float(gap)


def descend_with_weights(
    objective: Callable[[Tensor, torch.Generator | None], QuadraticEnergy],
    x: Tensor,
    weights: Tensor | None = None,
    *,
    steps: int,
    lr: float,
    tau: float,
    generator: torch.Generator | None = None,
    progress: FlowProgress | None = None,
    check_every: int = 100,
) -> WeightedFlow:
    """Move class weights by minimising movements and particles along minus the WoW gradient.

    Parameters
    ----------
    objective : callable
        ``objective(x, generator) -> QuadraticEnergy``, F at the particles `x`.
    x : Tensor
        Where the particles start, `(C, n, d)`. Not changed.
    weights : Tensor, optional
        Where the class weights start, `(C,)`, positive and of sum 1; uniform by default. Not
        changed.
    steps : int
        Number of steps.
    lr : float
        Step size of the particles.
    tau : float
        Step size of the weights; may be infinite.
    generator, progress, check_every
        As in `wowbench.flows.iterate`.

    Returns
    -------
    WeightedFlow

    Raises
    ------
    DivergedError
        If a particle, a weight or the loss is not finite, or the loss is 1e20 times its first
        size.
    ValueError
        If an argument is out of its range.
    """
    if not (math.isfinite(lr) and lr > 0):
        raise ValueError(f"lr is {lr!r}; expected a finite number above 0")
    _check_tau(tau)
    x = check_classes("x", x)
    weights = check_weights("weights", weights, x)

    def step(state, generator):
        energy = objective(state["x"], generator)
        loss = energy.value(state["weights"])
        plan, _ = jko_plan(state["weights"], energy, tau)
        state["weights"].copy_(plan.sum(0))
        state["x"].sub_(energy.gradient(state["weights"]), alpha=lr)
        return loss

    state = {"x": x.detach().clone(), "weights": weights.detach().clone()}
    result = iterate(
        step,
        state,
        steps=steps,
        generator=generator,
        progress=progress,
        check_every=check_every,
        lr=lr,
    )
    return WeightedFlow(state["x"], state["weights"], result.losses, result.steps, result.seconds)


def _check_tau(tau: float) -> None:
    if not tau > 0:
        raise ValueError(f"tau is {tau!r}; expected a number above 0, or inf")
