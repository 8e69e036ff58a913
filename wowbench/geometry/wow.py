"""Wasserstein over Wasserstein (WoW) geometry of labelled datasets.

A dataset `P = sum_c a_c delta(mu_c)` is a distribution over class distributions. The squared WoW
distance is the cost of optimal transport between the classes of two datasets, where moving `mu`
onto `nu` costs `W_2^2(mu, nu)` (Bonet, Vauthier and Korba, *Flowing Datasets with Wasserstein
over Wasserstein Gradient Flows*, ICML 2025, section 2), or a surrogate of it, the *ground*.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from wowbench.geometry.exact import (
    SparsePlan,
    optimal_plans,
    solve_transport,
    to_masses,
    transport_cost,
    wasserstein_squared,
)
from wowbench.geometry.sinkhorn import sinkhorn_divergence
from wowbench.geometry.sliced import sliced_wasserstein_squared
from wowbench.geometry.validation import (
    Classes,
    check_choice,
    check_classes,
    check_same_space,
    check_weights,
)

GROUNDS = {
    "exact": wasserstein_squared,
    "sinkhorn": sinkhorn_divergence,
    "sliced": sliced_wasserstein_squared,
}
"""Squared distances between classes that the outer transport can use as its cost."""


def wow_distance(
    x: Tensor | Sequence[Tensor],
    y: Tensor | Sequence[Tensor],
    *,
    ground: str = "exact",
    x_class_weights: Tensor | None = None,
    y_class_weights: Tensor | None = None,
    **options,
) -> Tensor:
    """Wasserstein over Wasserstein distance between two datasets.

    Parameters
    ----------
    x, y : Tensor or sequence of Tensor
        Classes of particles, `(C, n, d)` and `(C', m, d)`, or lists of tensors `(n_c, d)`.
    ground : {"exact", "sinkhorn", "sliced"}, default "exact"
        Squared distance between classes: exact optimal transport, the Sinkhorn divergence, or
        the sliced Wasserstein distance.
    x_class_weights, y_class_weights : Tensor, optional
        Positive weights `(C,)` and `(C',)` of the classes, of sum 1; uniform by default.
    **options
        Keywords of the ground's function (`wasserstein_squared`, `sinkhorn_divergence`,
        `sliced_wasserstein_squared`): `directions` of the sliced ground, which needs them,
        `blur` of the Sinkhorn ground, `x_weights` and `y_weights` of the particles.

    Returns
    -------
    Tensor
        The distance, not squared, in units of `x`: a number of the dtype and on the device of
        `x`. Differentiable in `x` and `y` where it is positive.

    Raises
    ------
    ValueError
        For classes or weights of the wrong shape, dtype, device or value, an unknown ground,
        or a sliced ground without directions.
    """
    costs, plan = _outer_transport(x, y, ground, x_class_weights, y_class_weights, options)
    rows, columns, mass = plan.to(costs.device)
    return (mass.to(costs.dtype) * costs[rows, columns]).sum().sqrt()


def wow_coupling(
    x: Tensor | Sequence[Tensor],
    y: Tensor | Sequence[Tensor],
    *,
    ground: str = "exact",
    x_class_weights: Tensor | None = None,
    y_class_weights: Tensor | None = None,
    **options,
) -> Tensor:
    """Optimal coupling between the classes of two datasets.

    Parameters
    ----------
    x, y, ground, x_class_weights, y_class_weights, **options
        As `wow_distance`.

    Returns
    -------
    Tensor
        Mass `(C, C')` that each class of `x` sends to each class of `y`: rows sum to the
        class weights of `x`, columns to those of `y`. With as many classes on both sides and
        uniform weights it is a permutation matrix over C.

    Raises
    ------
    ValueError
        As `wow_distance`.
    """
    costs, plan = _outer_transport(x, y, ground, x_class_weights, y_class_weights, options)
    return plan.to_dense(costs.detach())


def align_classes(
    x: Tensor | Sequence[Tensor],
    y: Tensor | Sequence[Tensor],
    *,
    ground: str = "exact",
    **options,
) -> Tensor:
    """Class of `y` that each class of `x` is coupled with, under uniform class weights.

    Parameters
    ----------
    x, y, ground, **options
        As `wow_distance`.

    Returns
    -------
    Tensor
        Indices `(C,)`, int64. With as many classes on both sides they are a permutation, the
        optimal assignment; otherwise each class of `x` gets the class of `y` that it sends most
        mass to, the first of them if several get as much.

    Raises
    ------
    ValueError
        As `wow_distance`.
    """
    return wow_coupling(x, y, ground=ground, **options).argmax(1)


def wow_map(x: Tensor, y: Tensor) -> Tensor:
    """Image of each particle under optimal plans between two datasets that are maps.

    Where the number of classes of `x` is a multiple of that of `y`, and the number of particles
    too, optimal plans send whole classes to classes and whole particles to particles.

    Parameters
    ----------
    x, y : Tensor
        Classes of particles, `(C, n, d)` and `(C', m, d)`, of which C is a multiple of C' and n one
        of m.

    Returns
    -------
    Tensor
        Particles of `y`, `(C, n, d)`, in the order of those of `x` that they are images of.

    Raises
    ------
    ValueError
        For classes of the wrong shape, dtype, device or value.
    """
    x, y = check_classes("x", x, ragged=False), check_classes("y", y, ragged=False)
    check_same_space("x", x, "y", y)
    if len(x) % len(y) or x.shape[1] % y.shape[1]:
        raise ValueError(
            f"x has shape {tuple(x.shape)}; expected multiples of {len(y)} classes and of "
            f"{y.shape[1]} particles, those of y"
        )
    images, pairs = torch.empty_like(x), x.new_empty(x.shape[1], y.shape[1])
    # By rounding a plan has pairs of next to no mass beside the map; the last one set stays.
    for c, k, _, plan in sorted(coupled_classes(x, y), key=lambda pair: pair[2]):
        images[c] = y[k, plan.to_dense(pairs).argmax(1)]
    return images


def wow_geodesic(x: Tensor, y: Tensor, t: float) -> Tensor:
    """Point at time `t` of a geodesic between two datasets.

    Particles move in straight lines to their images under `wow_map`.

    Parameters
    ----------
    x, y : Tensor
        As for `wow_map`.
    t : float
        Time, from 0 (at `x`) to 1 (at `y`, its classes and particles in the order of `x`).

    Returns
    -------
    Tensor
        Classes of particles `(C, n, d)`. The WoW distance between times s and t is |t - s|
        times that between `x` and `y`.

    Raises
    ------
    ValueError
        As `wow_map`, or for `t` outside [0, 1].
    """
    if not 0 <= t <= 1:
        raise ValueError(f"t is {t}; expected a time from 0 to 1")
    return torch.lerp(x, wow_map(x, y), t)


def coupled_classes(x: Classes, y: Classes) -> list[tuple[int, int, float, SparsePlan]]:
    """Classes coupled by the outer plan, each pair with its inner plan; all weights are uniform.

    Parameters
    ----------
    x, y : Tensor or list of Tensor
        Classes, as `check_classes` returns them.

    Returns
    -------
    list of (int, int, float, SparsePlan)
        Class of `x`, class of `y`, the mass that the first sends to the second, and the plan
        between their particles; in the order of `x`.
    """
    plans = optimal_plans(x, y)
    costs = [
        [transport_cost(x[c], y[k], plan).item() for k, plan in enumerate(row)]
        for c, row in enumerate(plans)
    ]
    outer = solve_transport(np.array(costs), None, None)
    return [(c, k, float(m), plans[c][k]) for c, k, m in zip(*outer, strict=True)]


def _outer_transport(
    x: Tensor | Sequence[Tensor],
    y: Tensor | Sequence[Tensor],
    ground: str,
    x_class_weights: Tensor | None,
    y_class_weights: Tensor | None,
    options: dict,
) -> tuple[Tensor, SparsePlan]:
    """Ground costs `(C, C')` between classes and the optimal plan for them."""
    check_choice("ground", ground, GROUNDS)
    if ground == "sliced" and options.get("directions") is None:
        raise ValueError("directions is None; expected (L, d) unit vectors for the sliced ground")
    if options.get("p", 2) != 2:
        raise ValueError(f"p is {options['p']!r}; expected 2, a ground of squared distances")
    x, y = check_classes("x", x), check_classes("y", y)
    _check_class_weights(x, y, x_class_weights, y_class_weights)
    # The surrogates of the exact distance can fall below zero by rounding.
    costs = GROUNDS[ground](x, y, **options).clamp_min(0)
    plan = solve_transport(
        costs.detach().cpu().double().numpy(),
        to_masses(x_class_weights),
        to_masses(y_class_weights),
    )
    return costs, plan


def _check_class_weights(
    x: Classes, y: Classes, x_class_weights: Tensor | None, y_class_weights: Tensor | None
) -> None:
    check_weights("x_class_weights", x_class_weights, x)
    check_weights("y_class_weights", y_class_weights, y)
