"""Double-sliced Wasserstein distance (DSW)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, NamedTuple

from pydantic import Field

from wowbench.distances.base import Estimate
from wowbench.distances.sliced import (
    PROJECTIONS_PER_BLOCK,
    Directions,
    Sliced,
    blocks,
    line_costs,
    mean_estimate,
    unit_vectors,
)
from wowbench.parameters import Count
from wowbench.registry import DISTANCES

if TYPE_CHECKING:
    import torch
    from torch import Tensor

JITTER = 1e-6
"""Added to the diagonal of a covariance, so that it has a Cholesky factor."""


class Drawn(NamedTuple):
    """What DSW draws for L directions."""

    theta: Tensor
    """Directions, ``(L, d)``."""
    functions: Tensor
    """Values of G random functions at R levels for each direction, ``(L, G, R)``."""


@DISTANCES.register
class DoubleSliced(Sliced):
    r"""DSW: quantile functions of the classes along directions, themselves sliced.

    .. math::

        z_c = \int_0^1 F_{\theta_\# \mu_c}^{-1}(t) g(t) \, dt , \qquad
        D^2 = \frac{1}{L G} \sum_{\ell, g} W_2^2\Big(\frac{1}{C} \sum_c \delta_{z_c},
            \frac{1}{C'} \sum_{c'} \delta_{z'_{c'}}\Big) ,

    with :math:`\theta` uniform on the sphere and g a centred Gaussian process of covariance
    :math:`\exp(-(s - t)^2 / 2 \ell^2)`, G of them for each direction (Piening and Beinert, *Slicing
    Wasserstein over Wasserstein via functional optimal transport*, ICLR 2026, arXiv:2509.22138).
    The integral is by the trapezoidal rule on R equal levels from 0 to 1, at which the
    sorted projections are interpolated linearly, as percentiles are. Classes have equal weights.

    Parameters
    ----------
    n_functions : int
        Number G of functions for each direction.
    levels : int
        Number R of levels.
    length : float
        Length scale of the process.
    """

    name: ClassVar[str] = "dsw"
    summary: ClassVar[str] = "double-sliced Wasserstein: classes as quantile functions, sliced"

    n_directions: Directions = 100
    n_functions: Count = 100
    levels: Annotated[int, Field(ge=2, le=1000)] = 10
    length: Annotated[float, Field(ge=1e-3, le=1e3)] = 10.0

    def draw(self, dim: int, like: Tensor, generator: torch.Generator) -> Drawn:
        """Draw directions and functions."""
        import torch

        theta = unit_vectors(self.n_directions, dim, like, generator)
        grid = torch.linspace(0, 1, self.levels, dtype=torch.float64)
        covariance = torch.exp(-(grid[:, None] - grid).square() / (2 * self.length**2))
        factor = torch.linalg.cholesky(covariance + JITTER * torch.eye(self.levels))
        shape = (self.n_directions, self.n_functions, self.levels)
        gaussian = torch.randn(shape, generator=generator, dtype=like.dtype, device=like.device)
        return Drawn(theta, gaussian @ factor.T.to(like))

    def estimate(  # noqa: D102
        self, a: list[Tensor], b: list[Tensor], generator: torch.Generator
    ) -> Estimate:
        import torch

        drawn = self.draw(a[0].shape[1], a[0], generator)
        n_points = sum(map(len, (*a, *b)))
        largest = max(n_points, self.n_functions * (len(a) + len(b)))
        values = []
        for part in blocks(drawn, max(1, PROJECTIONS_PER_BLOCK // largest)):
            z, others = (self._scalars(classes, part) for classes in (a, b))
            costs = line_costs(z.flatten(0, 1), others.flatten(0, 1))
            values.append(costs.unflatten(0, z.shape[:2]).mean(1))
        return mean_estimate(torch.cat(values))

    def _scalars(self, classes: list[Tensor], drawn: Drawn) -> Tensor:
        """Sorted z of all classes, ``(L', G, C)``."""
        import torch

        from wowbench.geometry.sorting import sort_values

        quantiles = torch.stack(
            [interpolate(sort_values(drawn.theta @ x.T), self.levels) for x in classes], 2
        )
        return sort_values(integrands(drawn.functions) @ quantiles)


def integrands(functions: Tensor) -> Tensor:
    """Weigh values ``(..., R)`` at equal levels from 0 to 1 by the trapezoidal rule."""
    weighed = functions / (functions.shape[-1] - 1)
    weighed[..., [0, -1]] /= 2
    return weighed


def interpolate(ordered: Tensor, levels: int) -> Tensor:
    """Interpolate sorted rows ``(L, n)`` linearly at equal levels from 0 to 1: ``(L, R)``."""
    import torch

    n = ordered.shape[1]
    places = torch.linspace(0, n - 1, levels, dtype=torch.float64, device=ordered.device)
    below = places.long().clamp_max(max(n - 2, 0))
    above = (below + 1).clamp_max(n - 1)
    return torch.lerp(ordered[:, below], ordered[:, above], (places - below).to(ordered.dtype))
