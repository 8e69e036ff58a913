"""Sliced-Wasserstein costs between all pairs of classes, and gradients of sums of them."""

from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor

from wowbench.geometry.pairs import Atoms, pair_costs, pair_slopes
from wowbench.geometry.products import FlatQuantiles
from wowbench.geometry.projection import InterpolatedProjections, SortedProjections
from wowbench.geometry.quantiles import N_PERCENTILES
from wowbench.geometry.validation import (
    Classes,
    check_choice,
    check_classes,
    check_particle_weights,
    check_same_space,
)

QUANTILES = ("exact", "linear")
"""Ways to compute the distance on the line."""


def sliced_wasserstein_squared(
    x: Tensor | Sequence[Tensor],
    y: Tensor | Sequence[Tensor],
    directions: Tensor,
    *,
    quantiles: str = "exact",
    p: int = 2,
    x_weights: Tensor | Sequence[Tensor] | None = None,
    y_weights: Tensor | Sequence[Tensor] | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Costs ``SW_p^p`` between all pairs of classes: squared distances for p = 2.

    ``SW_p^p(mu, nu)`` is the mean of ``W_p^p`` between the projections of mu and nu, here over
    the given directions, and exact on each of them.

    Parameters
    ----------
    x : Tensor (C, n, d) or sequence of C tensors (n_c, d)
        Classes of particles.
    y : Tensor (C', m, d) or sequence of C' tensors (m_c, d)
        Others.
    directions : Tensor (L, d)
        Unit vectors, see `sample_directions`.
    quantiles : {"exact", "linear"}
        "exact": optimal transport on each line. "linear": the approximation in the code of
        Bonet, Vauthier and Korba (2025), the mean over 100 random levels of the difference
        between 100 percentiles interpolated linearly. It has another minimiser where a class
        has few particles, and cannot take particle weights.
    p : {1, 2}
        With p = 2, the squared distance ``SW_2^2``, in squared units of `x`. With p = 1, the
        distance ``SW_1`` itself, not squared, which is what the Laplace kernel takes.
    x_weights, y_weights : Tensor (C, n) or sequence of C tensors (n_c,), optional
        Positive masses of the particles of each class, of sum 1; uniform by default.
    generator : torch.Generator, optional
        Source of the levels of "linear", which needs it.

    Returns
    -------
    Tensor (C, C')
        Of the dtype and on the device of `x`. Differentiable in `x` and `y`.

    Raises
    ------
    ValueError
        For shapes, dtypes or devices that do not match, values that are not finite, weights that
        are not positive or do not sum to 1, an unknown `quantiles` or p.
    """
    x, y = check_classes("x", x), check_classes("y", y)
    check_same_space("y", y, "x", x)
    check_directions(directions, x)
    check_power(p)
    x_weights = check_particle_weights("x_weights", x_weights, x)
    y_weights = check_particle_weights("y_weights", y_weights, y)
    weighted = x_weights is not None or y_weights is not None
    check_quantiles(quantiles, weighted=weighted)
    levels = sample_levels(directions, generator) if quantiles == "linear" else None
    x_slices, y_slices = (
        Slices(points, directions, p=p, levels=levels, particle_weights=weights, movable=False)
        for points, weights in ((x, x_weights), (y, y_weights))
    )
    return x_slices.costs(y_slices).to(directions.dtype)


class Slices:
    """Classes of particles, seen along directions.

    Parameters
    ----------
    x : Tensor (..., C, n, d) or list of C tensors (n_c, d)
        Classes of particles. Leading axes need p = 2 and no particle weights.
    directions : Tensor (L, d) or (..., L, d)
        Unit vectors.
    p : {1, 2}
        Power of the cost ``SW_p^p``.
    levels : Tensor (..., L, R), optional
        Probabilities at which interpolated percentiles are compared; exact transport without.
    particle_weights : Tensor (C, n) or list of C tensors (n_c,), optional
        Masses of the particles of each class, of sum 1; uniform by default.
    movable : bool
        Whether `gradient` is asked for. Classes that stay are sorted in a third of the time.
    precision : {None, "tf32", "bf16"}
        Of the products with the directions: see `wowbench.geometry.precision.product`.
    """

    def __init__(
        self,
        x: Classes,
        directions: Tensor,
        *,
        p: int = 2,
        levels: Tensor | None = None,
        particle_weights: Classes | None = None,
        movable: bool = True,
        precision: str | None = None,
    ):
        self.p = p
        how = {"with_order": movable or particle_weights is not None, "precision": precision}
        if levels is None:
            self._projections = SortedProjections(x, directions, **how)
        else:
            self._projections = InterpolatedProjections(x, directions, levels, **how)
        self._masses = None
        if particle_weights is not None:
            self._masses = self._projections.sort_masses(particle_weights)

    def costs(self, other: "Slices") -> Tensor:
        """``SW_p^p`` between every class of `self` and of `other`, (..., C, C'), float64."""
        if self._by_products(other):
            return self._flat.squared_costs(other._flat)
        return pair_costs(self._atoms, other._atoms, self.p)

    def gradient(self, terms: Sequence[tuple["Slices", Tensor]]) -> Classes:
        """Gradient of a weighted sum of costs, divided by the mass of each particle.

        Parameters
        ----------
        terms : sequence of (Slices, Tensor (..., C, C'))
            Classes, and weights of the costs from the classes of `self` to them. In a term with
            `self` the derivative is by the first argument alone.

        Returns
        -------
        Tensor (..., C, n, d) or list of C tensors (n_c, d)
        """
        products = [(o._flat, weights) for o, weights in terms if self._by_products(o)]
        slopes = [[self._flat.slopes(products)]] if products else []
        for other, weights in terms:
            if not self._by_products(other):
                slopes.append(pair_slopes(self._atoms, other._atoms, self.p, weights))
        totals = [sum(rest, first) for first, *rest in zip(*slopes, strict=True)]
        return self._projections.adjoint(totals)

    def _by_products(self, other: "Slices") -> bool:
        return self.p == 2 and self._is_uniform and other._is_uniform

    @property
    def _is_uniform(self) -> bool:
        return len(self._projections.groups) == 1 and self._masses is None

    @cached_property
    def _flat(self) -> FlatQuantiles:
        return FlatQuantiles(self._projections.groups[0])

    @property
    def _atoms(self) -> list[Atoms]:
        groups = self._projections.groups
        return list(zip(groups, self._masses or [None] * len(groups), strict=True))


def sample_levels(directions: Tensor, generator: torch.Generator | None) -> Tensor:
    """Draw 100 levels in [0, 1) for each direction, for "linear" quantiles.

    Parameters
    ----------
    directions : Tensor (..., L, d)
        Give shape, dtype and device.
    generator : torch.Generator
        Source of randomness.

    Returns
    -------
    Tensor (..., L, 100)

    Raises
    ------
    ValueError
        If there is no generator: a hidden one would make results depend on other code.
    """
    if generator is None:
        raise ValueError(
            "generator is None; expected a torch.Generator, from which quantiles='linear' draws "
            "its levels"
        )
    shape = (*directions.shape[:-1], N_PERCENTILES)
    return torch.rand(shape, generator=generator, dtype=directions.dtype, device=directions.device)


def check_quantiles(quantiles: str, *, weighted: bool) -> None:
    """Raise a `ValueError` unless `quantiles` is known and fits the particle weights."""
    check_choice("quantiles", quantiles, QUANTILES)
    if weighted and quantiles == "linear":
        raise ValueError(
            "quantiles='linear' is given with particle weights; expected quantiles='exact', or "
            "no particle weights"
        )


def check_power(p: int) -> None:
    """Raise a `ValueError` unless p is 1 or 2."""
    if p not in (1, 2):
        raise ValueError(f"p is {p!r}; expected 1 or 2")


def check_directions(directions: Tensor, x: Classes) -> None:
    """Raise a `ValueError` unless `directions` (L, d) or (B, L, d) fit the particles.

    Checks shapes, dtypes and devices alone, which costs nothing and does not wait for a device.
    """
    batched = isinstance(x, Tensor) and x.dim() == 4
    if not isinstance(directions, Tensor):
        raise ValueError(
            f"directions is of type {type(directions).__name__}; expected a tensor (L, d)"
        )
    if directions.dim() not in ((2, 3) if batched else (2,)) or 0 in directions.shape:
        shapes = "(L, d) or (B, L, d)" if batched else "(L, d)"
        raise ValueError(f"directions has shape {tuple(directions.shape)}; expected {shapes}")
    check_same_space("directions", directions, "the particles", x)
    if directions.dim() == 3 and directions.shape[0] != x.shape[0]:
        raise ValueError(
            f"directions has shape {tuple(directions.shape)}; expected ({x.shape[0]}, L, d), one "
            "set for each flow"
        )
