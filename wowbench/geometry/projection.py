"""Classes of particles as quantile functions along directions, and the way back."""

import torch
from torch import Tensor

from wowbench.geometry.precision import product
from wowbench.geometry.quantiles import interpolation_matrix, percentile_matrix
from wowbench.geometry.sorting import sort_rows, sort_values, unsort_rows
from wowbench.geometry.validation import Classes


class SortedProjections:
    """Projections on directions in ascending order: the atoms of exact quantile functions.

    Parameters
    ----------
    x : Tensor (..., C, n, d) or list of C tensors (n_c, d)
        Classes of particles.
    directions : Tensor (L, d) or (..., L, d)
        Unit vectors, shared by the leading axes of `x` or one set for each.
    with_order : bool
        Whether to keep the order of the particles, which `sort_masses` and `adjoint` need.
    precision : {None, "tf32", "bf16"}
        Of the products with the directions: see `wowbench.geometry.precision.product`.

    Attributes
    ----------
    groups : list of Tensor (..., L, G, n)
        Atoms of G classes of one size: one group for a tensor, C groups for a list.
    """

    def __init__(
        self,
        x: Classes,
        directions: Tensor,
        *,
        with_order: bool = True,
        precision: str | None = None,
    ):
        self._directions = directions
        self._precision = precision
        self._sizes = None if isinstance(x, Tensor) else [len(points) for points in x]
        self.groups, self._orders = [], []
        for projections in self._project(x):
            if with_order:
                ordered, order = sort_rows(projections)
                self._orders.append(order)
            else:
                ordered = sort_values(projections)
            self.groups.append(ordered)

    def _project(self, x: Classes) -> list[Tensor]:
        if self._sizes is None:
            coordinates = product(self._directions, x.flatten(-3, -2).mT, self._precision)
            return [coordinates.unflatten(-1, x.shape[-3:-1])]
        coordinates = product(self._directions, torch.cat(x).mT, self._precision)
        return [part.unsqueeze(-2) for part in coordinates.split(self._sizes, dim=-1)]

    def sort_masses(self, masses: Classes) -> list[Tensor]:
        """Masses (C, n), or C tensors (n_c,), of the particles in the order of `groups`."""
        groups = [masses] if self._sizes is None else [m.unsqueeze(0) for m in masses]
        return [
            group.expand_as(order).gather(-1, order)
            for group, order in zip(groups, self._orders, strict=True)
        ]

    def adjoint(self, groups: list[Tensor]) -> Classes:
        """Carry derivatives by the atoms of `groups` back to the particles."""
        groups = [unsort_rows(g, order) for g, order in zip(groups, self._orders, strict=True)]
        if self._sizes is None:
            particles = product(groups[0].flatten(-2).mT, self._directions, self._precision)
            return particles.unflatten(-2, groups[0].shape[-2:])
        coordinates = torch.cat([group.squeeze(-2) for group in groups], dim=-1)
        particles = product(coordinates.mT, self._directions, self._precision)
        return list(particles.split(self._sizes))


class InterpolatedProjections(SortedProjections):
    """The authors' approximation: 100 percentiles, interpolated at random levels.

    The percentiles 0, 1/99, ..., 1 of the projections of a class, themselves linear
    interpolations of the sorted projections, are interpolated linearly at the levels. Classes
    are compared at equal levels, as atoms of equal mass.

    Parameters
    ----------
    x, directions, with_order, precision
        As in `SortedProjections`.
    levels : Tensor (..., L, R)
        Levels in [0, 1] of each direction.
    """

    def __init__(
        self,
        x: Classes,
        directions: Tensor,
        levels: Tensor,
        *,
        with_order: bool = True,
        precision: str | None = None,
    ):
        super().__init__(x, directions, with_order=with_order, precision=precision)
        self._interpolation = interpolation_matrix(levels)
        self._percentiles = [
            percentile_matrix(group.shape[-1], group.dtype, group.device) for group in self.groups
        ]
        self._counts = [group.shape[-2] for group in self.groups]
        percentiles = [g @ a.mT for g, a in zip(self.groups, self._percentiles, strict=True)]
        self.groups = [torch.cat(percentiles, dim=-2) @ self._interpolation.mT]

    def adjoint(self, groups: list[Tensor]) -> Classes:  # noqa: D102
        (group,) = groups
        n_levels = group.shape[-1]
        parts = (group @ self._interpolation).split(self._counts, dim=-2)
        # Derivatives come divided by the mass of an atom, 1/R, and go on divided by 1/n.
        return super().adjoint(
            [
                part @ (a * (a.shape[-1] / n_levels))
                for part, a in zip(parts, self._percentiles, strict=True)
            ]
        )
