r"""Squared costs of all pairs of classes at once, as products of matrices.

On the line, for sorted atoms of equal mass (Peyre and Cuturi, *Computational Optimal Transport*,
2019, remark 2.28),

.. math::

    W_2^2(x, y) = \frac{1}{n} \sum_{i=1}^n x_i^2 + \frac{1}{m} \sum_{j=1}^m y_j^2
        - 2 \sum_{i,j} P_{ij} x_i y_j ,

where the monotone coupling :math:`P` depends on n and m alone. With
:math:`\bar y_i = n \sum_j P_{ij} y_j`, the mean of y's quantile function on the i-th of n equal
cells, the mean over L directions for all pairs of classes is one matrix product,

.. math::

    SW_2^2(\mu_c, \nu_k) = \frac{1}{L} \sum_{\ell=1}^L \Big(
        \frac{1}{n} |x^{c\ell}|^2 + \frac{1}{m} |y^{k\ell}|^2
        - \frac{2}{n} \langle x^{c\ell}, \bar y^{k\ell} \rangle \Big) ,

and so are its derivatives, divided by the mass of an atom:

.. math::

    n \, \frac{\partial}{\partial x^{c\ell}_i} SW_2^2(\mu_c, \nu_k)
        = \frac{2}{L} \big( x^{c\ell}_i - \bar y^{k\ell}_i \big) .
"""

from functools import cached_property

import torch
from torch import Tensor

from wowbench.geometry.quantiles import resample_quantiles

ROUNDING_UNITS = 8
"""Relative rounding of a projection, in units of the last place."""

MAX_SPLITS = 20
"""Parts, at most, that the long axis of a product is cut in, so that all threads share it."""


class FlatQuantiles:
    """Quantile functions of classes along directions, as rows of a matrix.

    Sums are in double precision: a squared distance is a difference of squared norms, and
    loses nothing of the precision of float32 atoms this way.

    Parameters
    ----------
    atoms : Tensor (..., L, C, n)
        Atoms of equal mass; sorted where numbers of atoms differ.

    Examples
    --------
    Atoms 0 and 1 on one line, at squared distances 9 and 4 from an atom at 3:

    >>> import torch
    >>> one = FlatQuantiles(torch.tensor([[[0.0, 1.0]]]))
    >>> other = FlatQuantiles(torch.tensor([[[3.0]]]))
    >>> one.squared_costs(other)
    tensor([[6.5000]], dtype=torch.float64)
    >>> one.slopes([(other, torch.ones(1, 1))])
    tensor([[[-6., -4.]]])
    """

    def __init__(self, atoms: Tensor):
        self.atoms = atoms
        self._resampled: dict[int, Tensor] = {}

    @cached_property
    def _rows(self) -> Tensor:
        """Atoms in double precision, (..., C, L, n)."""
        return self.atoms.transpose(-3, -2).to(torch.float64, memory_format=torch.contiguous_format)

    @cached_property
    def _products(self) -> Tensor:
        return _gram(self._rows, self._rows)

    @property
    def _n(self) -> int:
        return self.atoms.shape[-1]

    def _means(self, cells: int) -> Tensor:
        """Means on equal cells in double precision, (..., C, L, cells)."""
        if cells not in self._resampled:
            self._resampled[cells] = resample_quantiles(self._rows, cells)
        return self._resampled[cells]

    def squared_costs(self, other: "FlatQuantiles") -> Tensor:
        """Mean over directions of W_2^2 between every class of both, (..., C, C').

        Costs within the rounding of the projections, or of the sums, are zero.
        """
        if other is self:
            products = self._products
        else:
            cells = min(self._n, other._n)
            products = _gram(self._means(cells), other._means(cells))
        squares = self._squares()[..., :, None] + other._squares()[..., None, :]
        costs = squares - 2 * products
        single = ROUNDING_UNITS * torch.finfo(self.atoms.dtype).eps
        double = 2 * ROUNDING_UNITS * torch.finfo(torch.float64).eps
        rounding = max(single**2, double)
        return torch.where(costs <= rounding * squares, 0.0, costs)

    def _squares(self) -> Tensor:
        return self._products.diagonal(dim1=-2, dim2=-1)

    def slopes(self, terms: list[tuple["FlatQuantiles", Tensor]]) -> Tensor:
        """Differentiate a weighted sum of squared costs by the atoms, divided by their mass.

        Parameters
        ----------
        terms : list of (FlatQuantiles, Tensor (..., C, C'))
            Classes, and weights of the squared costs to them.

        Returns
        -------
        Tensor (..., L, C, n)
            ``n d/da sum_t sum_cc' w_cc' cost(a_c, t_c')``, where terms with `self` are derived
            by their first argument alone.
        """
        factor = 2 / self.atoms.shape[-3]
        mix = torch.diag_embed(sum(weights.sum(-1) for _, weights in terms))
        slopes = None
        for other, weights in terms:
            if other is self:
                mix = mix - weights
                continue
            attraction = _mix(weights * -factor, other._atoms_on(self._n))
            attraction = resample_quantiles(attraction, self._n)
            slopes = attraction if slopes is None else slopes + attraction
        own = _mix(mix * factor, self.atoms)
        return own if slopes is None else own.add_(slopes)

    def _atoms_on(self, cells: int) -> Tensor:
        """Atoms (..., L, C, n), or their means where there are fewer cells than atoms."""
        if self._n <= cells:
            return self.atoms
        return self._means(cells).transpose(-3, -2).to(self.atoms.dtype)


def _gram(a: Tensor, b: Tensor) -> Tensor:
    """Inner products (..., C, C') of (..., C, L, n) and (..., C', L, n), mean over L and n."""
    n_directions, n = a.shape[-2:]
    splits = next(s for s in range(MAX_SPLITS, 0, -1) if n_directions % s == 0)
    a, b = (t.unflatten(-2, (splits, -1)).flatten(-2).transpose(-3, -2) for t in (a, b))
    return (a @ b.mT).sum(-3) / (n_directions * n)


def _mix(weights: Tensor, atoms: Tensor) -> Tensor:
    """Weighted sums (..., L, C, n) of the classes (..., L, C', n)."""
    return weights.to(atoms.dtype).unsqueeze(-3) @ atoms
