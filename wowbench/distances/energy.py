"""The energy distance between points without labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from wowbench.distances.base import Distance, Estimate
from wowbench.distances.class_costs import squared_distances
from wowbench.registry import DISTANCES

if TYPE_CHECKING:
    import torch
    from torch import Tensor

PAIRS_PER_BLOCK = 1 << 22
"""Distances that are held at a time: 32 MB."""


@DISTANCES.register
class Energy(Distance):
    r"""Energy distance between all points of both datasets, whatever their labels.

    .. math:: D^2 = 2 E|X - Y| - E|X - X'| - E|Y - Y'|

    (Szekely and Rizzo, *Energy statistics: a class of statistics based on distances*, 2013,
    here between empirical distributions): what labels add to a distance shows beside it.
    Exact, in time quadratic and in memory linear in the number of points.
    """

    name: ClassVar[str] = "energy"
    summary: ClassVar[str] = "energy distance 2 E|X-Y| - E|X-X'| - E|Y-Y'| of points without labels"
    stochastic: ClassVar[bool] = False

    def estimate(  # noqa: D102
        self, a: list[Tensor], b: list[Tensor], generator: torch.Generator
    ) -> Estimate:
        import torch

        x, y = torch.cat(a), torch.cat(b)
        value = 2 * _mean_distance(x, y) - _mean_distance(x, x) - _mean_distance(y, y)
        return Estimate(float(value))


def _mean_distance(x: Tensor, y: Tensor) -> Tensor:
    """Mean distance of all pairs of points ``(n, d)`` and ``(m, d)``, in float64."""
    height = max(1, PAIRS_PER_BLOCK // len(y))
    blocks = [squared_distances(block, y).sqrt_().sum() for block in x.split(height)]
    return sum(blocks) / (len(x) * len(y))
