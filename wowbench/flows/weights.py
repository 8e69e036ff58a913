r"""The joint flow of particles and class weights.

The state is :math:`P = \sum_c w_c \delta_{\mu_c}` with weights w on the simplex. With the particles
held, the functional is quadratic in them,

.. math::

    F(w) = \tfrac{1}{2} w^T K w - b^T w + \text{const.},

as for half a squared MMD, where K is the kernel between classes and b the kernel with the target. A
step is split in two, as the splitting schemes of Gallouet and Monsaingeon, *A JKO splitting scheme
for Kantorovich-Fisher-Rao gradient flows*, 2017.

1. *Weights*, by a minimising movement (Jordan, Kinderlehrer and Otto, 1998) on the classes where
   they are. A plan moves mass between them at the squared distances :math:`D^2`, and its column
   sums are the new weights:

   .. math::

       \pi = \operatorname*{arg\,min}_{\pi \geq 0, \; \pi 1 = w}
           \frac{1}{2 \tau} \langle \pi, D^2 \rangle + F(\pi^T 1) ,
       \qquad w \leftarrow \pi^T 1 .

   F decreases at any :math:`\tau`, by at least the cost of the plan.
2. *Particles*, by an explicit step along minus the WoW gradient at the new weights, which is that
   of the first variation of F,

   .. math::

       x_i^c \leftarrow x_i^c - \mathrm{lr} \; n \, \nabla_{x_i^c} \Big[
           \sum_{c'} w_{c'} K(\mu_c, \mu_{c'}) - \sum_k q_k K(\mu_c, \nu_k) \Big]

   (the derivative by the first arguments alone): it needs no weight to be positive, so that a class
   that has lost its mass keeps moving and can regain some.

Mass moves from a class to another only where the first variation `K w - b` falls by more than
`D^2 / (2 tau)`: the classes are a fixed, discrete set in step 1. A small `tau` thus holds the
weights altogether, and `tau = inf` minimises F over them.
"""

import math
from collections.abc import Callable, Collection

import numpy as np
import torch
from torch import Tensor

from wowbench.flows.checkpoint import Checkpoint
from wowbench.flows.descent import Flow
from wowbench.flows.loop import FlowProgress, iterate
from wowbench.functionals.weighted_mmd import QuadraticEnergy
from wowbench.geometry.validation import check_classes, check_weights

GAP_TOLERANCE = 1e-8
"""Duality gap, relative to the largest entry of the kernel, at which a plan is optimal."""

MOVES_PER_CLASS = 1000
"""Transfers of mass, for each class, after which a plan that is not yet optimal is taken."""


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

    Examples
    --------
    Two classes that are the target's, of which one has too much mass, are given the target's
    weights at once where moving costs nothing:

    >>> import torch
    >>> from wowbench.functionals.weighted_mmd import WeightedSlicedMMD
    >>> from wowbench.kernels.riesz import Riesz
    >>> x = torch.tensor([[[0.0]], [[1.0]]])
    >>> energy = WeightedSlicedMMD(x, Riesz()).at(x, directions=torch.ones(1, 1))
    >>> plan, _ = jko_plan(torch.tensor([0.75, 0.25]), energy, tau=float("inf"))
    >>> plan
    tensor([[0.5000, 0.2500],
            [0.0000, 0.2500]], dtype=torch.float64)
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
    snapshots: Collection[int] = (),
    checkpoint: Checkpoint | None = None,
    progress: FlowProgress | None = None,
    check_every: int = 100,
) -> Flow:
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
    generator, snapshots, checkpoint, progress, check_every
        As in `wowbench.flows.iterate`.

    Returns
    -------
    Flow
        Its state and its snapshots hold the particles ``x`` and the class weights ``weights``.

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
        snapshots=snapshots,
        keep=tuple(state),
        checkpoint=checkpoint,
        progress=progress,
        check_every=check_every,
        lr=lr,
    )
    return Flow(state, result.losses, result.snapshots, result.steps, result.seconds)


def _check_tau(tau: float) -> None:
    if not tau > 0:
        raise ValueError(f"tau is {tau!r}; expected a number above 0, or inf")
