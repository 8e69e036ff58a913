"""Costs between all pairs of classes, on each of many lines or by exact transport."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from wowbench.distances.sliced import PROJECTIONS_PER_BLOCK, line_costs, unit_vectors

if TYPE_CHECKING:
    import torch
    from torch import Tensor


def sliced_costs(
    a: list[Tensor],
    b: list[Tensor],
    n_directions: int,
    generator: torch.Generator,
    *,
    p: int = 2,
    sides: Sequence[tuple[int, int]] = ((0, 1),),
) -> list[Tensor]:
    """Costs ``W_p^p`` between projected classes, for each of independent directions.

    Parameters
    ----------
    a, b : list of Tensor
        Classes ``(n_c, d)``.
    n_directions : int
        Number L of directions.
    generator : torch.Generator
        Source of the directions.
    p : {1, 2}
        Power.
    sides : sequence of (int, int)
        What to compare with what: 0 is a, 1 is b.

    Returns
    -------
    list of Tensor
        For each pair of sides ``(L, C, C')``, float64. The mean over L is ``SW_p^p``.
    """
    import torch

    from wowbench.geometry.projection import SortedProjections
    from wowbench.geometry.validation import check_classes

    directions = unit_vectors(n_directions, a[0].shape[1], a[0], generator)
    classes = [check_classes(name, x, finite=False) for name, x in (("a", a), ("b", b))]
    height = max(1, PROJECTIONS_PER_BLOCK // sum(map(len, (*a, *b))))
    costs = [[] for _ in sides]
    for block in directions.split(height):
        atoms = [SortedProjections(x, block, with_order=False).groups for x in classes]
        for found, (i, j) in zip(costs, sides, strict=True):
            found.append(_costs_on_lines(atoms[i], atoms[j], p))
    return [torch.cat(found) for found in costs]


def _costs_on_lines(a: list[Tensor], b: list[Tensor], p: int) -> Tensor:
    """Costs ``(L', C, C')`` of groups ``(L', G, n)`` of sorted classes of one size each."""
    import torch

    from wowbench.geometry.products import FlatQuantiles

    if p == 2 and len(a) == len(b) == 1:
        mine = FlatQuantiles(a[0].unsqueeze(1))
        return mine.squared_costs(mine if a is b else FlatQuantiles(b[0].unsqueeze(1)))
    rows, columns = ([x for group in side for x in group.unbind(1)] for side in (a, b))
    costs = rows[0].new_zeros(len(rows[0]), len(rows), len(columns), dtype=torch.float64)
    for c, x in enumerate(rows):
        for k, y in enumerate(columns):
            is_known = a is b and k <= c
            costs[:, c, k] = costs[:, k, c] if is_known else line_costs(x, y, p)
    return costs


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

    Where both are the same list, each pair is solved once. As many pairs are solved at a time as
    torch has threads; the solvers are compiled code that leaves the interpreter to the others.
    """
    import torch

    costs = torch.zeros(len(a), len(b), dtype=torch.float64)
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        for i, x in enumerate(a):
            first = i + 1 if a is b else 0
            pairs = [squared_distances(x, y) for y in b[first:]]
            costs[i, first:] = costs.new_tensor(list(pool.map(transport_value, pairs)))
    return costs + costs.T if a is b else costs


def transport_value(costs: Tensor) -> float:
    """Least mean cost of moving uniform masses, for costs ``(n, m)``."""
    from wowbench.geometry.exact import solve_transport

    costs = costs.cpu().numpy()
    # A plan that is best for costs is so without their least of each row and then column, from
    # which the Hungarian method finds it in half to three quarters of the time.
    reduced = costs - costs.min(1, keepdims=True)
    reduced -= reduced.min(0)
    plan = solve_transport(reduced, None, None)
    return float(plan.mass @ costs[plan.rows, plan.columns])
