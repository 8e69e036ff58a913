"""Sliced-Wasserstein distances between all pairs of classes."""

from collections.abc import Sequence

import torch
from torch import Tensor

from wowbench.geometry.quantiles import N_PERCENTILES
from wowbench.geometry.slices import Slices
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
