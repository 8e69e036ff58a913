r"""Costs of pairs of classes on merged quantile levels: any power, size and weights.

On the line (Peyre and Cuturi, *Computational Optimal Transport*, 2019, remark 2.30),

.. math::

    W_p^p(a, b) = \int_0^1 \big| F_a^{-1}(t) - F_b^{-1}(t) \big|^p \, dt
        = \sum_k w_k \big| a_{i(k)} - b_{j(k)} \big|^p ,

where the cells k, of lengths :math:`w_k`, are those on which both quantile functions are constant:
they end at the cumulative masses of either. The derivative by an atom, divided by its mass
:math:`m_i`, is

.. math::

    \frac{1}{m_i} \frac{\partial}{\partial a_i} W_p^p(a, b)
        = \frac{p}{m_i} \sum_{k : i(k) = i} w_k \operatorname{sign}(a_i - b_{j(k)})
          \big| a_i - b_{j(k)} \big|^{p-1} .

One pair at a time in the first class, and in blocks of directions, so that memory stays bounded.
"""

from collections.abc import Iterator
from itertools import islice

import torch
from torch import Tensor

from wowbench.geometry.products import ROUNDING_UNITS
from wowbench.geometry.quantiles import merge_uniform, merge_weighted

CELLS_PER_BLOCK = 1 << 22
"""Cells of merged quantile levels that are held at a time."""

Atoms = tuple[Tensor, Tensor | None]
"""Sorted atoms (L, G, n) of G classes, and their masses in that order, or None if uniform."""


def pair_costs(a: list[Atoms], b: list[Atoms], p: int) -> Tensor:
    """Mean over directions of W_p^p between every class of both.

    Parameters
    ----------
    a, b : list of Atoms
        Groups of classes of one size, C and C' classes in all.
    p : {1, 2}
        Power of the distance on the line.

    Returns
    -------
    Tensor (C, C'), float64

    Examples
    --------
    Atoms 0 and 1, at distances 3 and 2 from an atom at 3, the second time of unlike masses:

    >>> import torch
    >>> atoms, other = torch.tensor([[[0.0, 1.0]]]), [(torch.tensor([[[3.0]]]), None)]
    >>> pair_costs([(atoms, None)], other, p=1)
    tensor([[2.5000]], dtype=torch.float64)
    >>> masses = torch.tensor([[[0.25, 0.75]]])
    >>> pair_costs([(atoms, masses)], other, p=2)
    tensor([[5.2500]], dtype=torch.float64)
    """
    rows = []
    for one in _single_classes(a):
        row = []
        for group in b:
            total = 0.0
            for _, cells in _cell_blocks(one, group):
                gaps, widths, _ = cells
                total = total + (widths * gaps.abs() ** p).sum(-1).sum(0)
            row.append(total / one[0].shape[0])
        rows.append(torch.cat(row))
    return torch.stack(rows)


def pair_slopes(a: list[Atoms], b: list[Atoms], p: int, weights: Tensor) -> list[Tensor]:
    """Differentiate a weighted sum of costs by the atoms, divided by their masses.

    Parameters
    ----------
    a, b, p
        As in `pair_costs`.
    weights : Tensor (C, C')
        Weights of the costs.

    Returns
    -------
    list of Tensor (L, G, n)
        ``1/mass d/da_c sum_c' weights_cc' W_p^p(a_c, b_c')``, mean over directions, in the groups
        of `a`; where two atoms meet and p = 1, the subgradient 0.

    Examples
    --------
    >>> import torch
    >>> one = [(torch.tensor([[[0.0, 1.0]]]), None)]
    >>> pair_slopes(one, [(torch.tensor([[[3.0]]]), None)], 2, torch.ones(1, 1))
    [tensor([[[-6., -4.]]])]
    """
    slopes = []
    for one, row in zip(_single_classes(a), weights, strict=True):
        atoms, masses = one
        slope = torch.zeros_like(atoms[:, 0])
        start = 0
        for group in b:
            factors = row[start : start + group[0].shape[1], None] * (p / atoms.shape[0])
            start += group[0].shape[1]
            for block, (gaps, widths, index) in _cell_blocks(one, group):
                pull = widths * factors * gaps.sign() * gaps.abs() ** (p - 1)
                _add_cells(slope[block], index, pull.to(slope.dtype))
        slopes.append(slope * atoms.shape[-1] if masses is None else slope / masses[:, 0])
    remaining = iter(slopes)
    return [torch.stack(list(islice(remaining, atoms.shape[1])), dim=1) for atoms, _ in a]


def _add_cells(slope: Tensor, index: Tensor, pull: Tensor) -> None:
    """Add pulls (L', G, K) on cells to the slopes (L', n) of their atoms, in place.

    The index (K,) or (L', G, K) ascends along the cells.
    """
    if slope.is_cuda:
        slope += sum_cells(index, pull, slope.shape[-1])
    elif index.dim() == 1:
        slope.index_add_(-1, index, pull.sum(1))
    else:
        slope.scatter_add_(-1, index.flatten(1), pull.flatten(1))


def sum_cells(index: Tensor, pull: Tensor, n: int) -> Tensor:
    """Sum pulls on the cells of each of n atoms, in the order of the cells.

    On a GPU `index_add_` and `scatter_add_` add in the order in which threads arrive, so that no
    two runs have the same bits.

    Parameters
    ----------
    index : Tensor (K,) or (L, G, K), int64
        Atom of each cell, ascending.
    pull : Tensor (L, G, K)
        What is summed, over G too.
    n : int
        Number of atoms.

    Returns
    -------
    Tensor (L, n)

    Examples
    --------
    >>> import torch
    >>> sum_cells(torch.tensor([0, 0, 2]), torch.tensor([[[1.0, 2.0, 3.0]]]), 4)
    tensor([[3., 0., 3., 0.]])
    """
    edges = torch.arange(n + 1, device=index.device).expand(*index.shape[:-1], -1).contiguous()
    offsets = torch.searchsorted(index, edges)
    options = {"offsets": offsets, "axis": index.dim() - 1, "initial": 0, "unsafe": True}
    if index.dim() == 1:
        return torch.segment_reduce(pull.sum(1).mT.contiguous(), "sum", **options).mT
    return torch.segment_reduce(pull.contiguous(), "sum", **options).sum(1)


def _single_classes(groups: list[Atoms]) -> Iterator[Atoms]:
    for atoms, masses in groups:
        for c in range(atoms.shape[1]):
            yield atoms[:, c : c + 1], None if masses is None else masses[:, c : c + 1]


def _cell_blocks(one: Atoms, group: Atoms) -> Iterator[tuple[slice, tuple[Tensor, Tensor, Tensor]]]:
    """Cells of one class and each class of a group, for one block of directions after another.

    Yields
    ------
    block : slice
        Directions of the block.
    cells : tuple of gaps (L', G, K), widths and index of the atom of `one` (both end in K)
        The difference of the quantile functions on each cell, and the cell's length.
    """
    (a, a_masses), (b, b_masses) = one, group
    n, m = a.shape[-1], b.shape[-1]
    height = max(1, CELLS_PER_BLOCK // (b.shape[1] * (n + m)))
    for start in range(0, a.shape[0], height):
        block = slice(start, start + height)
        if a_masses is None and b_masses is None:
            widths, i, j = merge_uniform(n, m, a.device)
            yield block, (_gaps(a[block][..., i], b[block][..., j]), widths, i)
            continue
        left = a[block].expand(-1, b.shape[1], -1)
        widths, i, j = merge_weighted(
            _masses(a_masses, a, block).expand_as(left), _masses(b_masses, b, block)
        )
        yield block, (_gaps(left.gather(-1, i), b[block].gather(-1, j)), widths, i)


def _gaps(left: Tensor, right: Tensor) -> Tensor:
    """Differences, of which those within the rounding of the projections are zero.

    The derivative for p = 1 is a sign, and must not be that of a rounding error.
    """
    gaps = left - right
    size = left.abs().amax(-1, keepdim=True) + right.abs().amax(-1, keepdim=True)
    rounding = ROUNDING_UNITS * torch.finfo(gaps.dtype).eps
    return torch.where(gaps.abs() <= rounding * size, 0.0, gaps)


def _masses(masses: Tensor | None, atoms: Tensor, block: slice) -> Tensor:
    if masses is None:
        return torch.full_like(atoms[block], 1 / atoms.shape[-1])
    return masses[block]
