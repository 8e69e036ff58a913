"""Squared distances between classes: of all pairs, sliced in blocks of directions, or exact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from wowbench.distances.sliced import PROJECTIONS_PER_BLOCK, unit_vectors

if TYPE_CHECKING:
    import torch
    from torch import Tensor

LEAST_BLOCKS = 50
"""Blocks of directions, if there are as many: their spread tells the error within a tenth."""


class SlicedCosts:
    """Costs ``SW_p^p`` between classes, for each block of independent directions.

    Parameters
    ----------
    a, b : list of Tensor
        Classes ``(n_c, d)``.
    n_directions : int
        Number of directions in all.
    p : {1, 2}
        Power.
    generator : torch.Generator
        Source of the directions.

    Attributes
    ----------
    sizes : list of int
        Directions of each of the B blocks.
    """

    def __init__(
        self,
        a: list[Tensor],
        b: list[Tensor],
        n_directions: int,
        p: int,
        generator: torch.Generator,
    ):
        from wowbench.geometry.validation import check_classes

        directions = unit_vectors(n_directions, a[0].shape[1], a[0], generator)
        n_points = sum(map(len, (*a, *b)))
        needed = -(-n_directions * n_points // PROJECTIONS_PER_BLOCK)
        n_blocks = min(n_directions, max(LEAST_BLOCKS, needed))
        self._blocks = directions.tensor_split(n_blocks)
        self.sizes = [len(block) for block in self._blocks]
        self._sides = [check_classes(name, x, finite=False) for name, x in (("a", a), ("b", b))]
        self._p = p

    def between(self, pairs: Sequence[tuple[int, int]]) -> list[Tensor]:
        """Costs in float64 between sides 0 (a) and 1 (b): for each pair of sides ``(B, C, C')``."""
        import torch

        from wowbench.geometry.sliced import Slices

        costs = [[] for _ in pairs]
        for block in self._blocks:
            slices = [Slices(x, block, p=self._p, movable=False) for x in self._sides]
            for found, (i, j) in zip(costs, pairs, strict=True):
                found.append(slices[i].costs(slices[j]))
        return [torch.stack(found) for found in costs]

    def mean(self, costs: Tensor) -> Tensor:
        """Mean over all directions, ``(C, C')``."""
        weights = costs.new_tensor(self.sizes)
        return (weights[:, None, None] * costs).sum(0) / weights.sum()


def squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """Squared distances of all pairs of points ``(n, d)`` and ``(m, d)``, in float64.

    Points are centred, which keeps the cancellation small between those far from the origin.
    """
    x, y = x.double(), y.double()
    centre = y.mean(0)
    x, y = x - centre, y - centre
    pairs = (x @ y.T).mul_(-2).add_(y.square().sum(1)).add_(x.square().sum(1, keepdim=True))
    return pairs.clamp_min_(0)


def exact_costs(a: list[Tensor], b: list[Tensor]) -> Tensor:
    """W_2^2 between all classes of both by exact transport, ``(C, C')``, float64, on the CPU.

    Where both are the same list, each pair is solved once.
    """
    import torch

    costs = torch.zeros(len(a), len(b), dtype=torch.float64)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            if a is b and j <= i:
                costs[i, j] = costs[j, i]
            else:
                costs[i, j] = transport_value(squared_distances(x, y))
    return costs


def transport_value(costs: Tensor) -> float:
    """Least mean cost of moving uniform masses, for costs ``(n, m)``."""
    from wowbench.geometry.exact import solve_transport

    costs = costs.cpu().numpy()
    plan = solve_transport(costs, None, None)
    return float(plan.mass @ costs[plan.rows, plan.columns])
