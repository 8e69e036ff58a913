"""Costs between all pairs of classes along directions, and gradients of sums of costs."""

from collections.abc import Sequence
from functools import cached_property

from torch import Tensor

from wowbench.geometry.pairs import Atoms, pair_costs, pair_slopes
from wowbench.geometry.products import FlatQuantiles
from wowbench.geometry.projection import InterpolatedProjections, SortedProjections
from wowbench.geometry.validation import Classes


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
    ):
        self.p = p
        with_order = movable or particle_weights is not None
        if levels is None:
            self._projections = SortedProjections(x, directions, with_order=with_order)
        else:
            self._projections = InterpolatedProjections(
                x, directions, levels, with_order=with_order
            )
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
