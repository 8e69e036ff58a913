r"""Squared costs with the part of the means exact, so that directions estimate the rest alone.

A shift of a measure on the line adds its square to W_2^2, and the square of a projection has the
mean :math:`|m|^2 / d` over the sphere of :math:`R^d`. With the means m and m' of mu and nu
(Peyre and Cuturi, *Computational Optimal Transport*, 2019, remark 2.19, along each direction),

.. math::

    SW_2^2(\mu, \nu) = \frac{1}{d} |m - m'|^2 + SW_2^2(\bar\mu, \bar\nu) ,

where :math:`\bar\mu` and :math:`\bar\nu` are centred. Means are compared as atoms of mass 1 along
the d coordinate axes, so that their costs and slopes are the products of all others.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from wowbench.geometry.products import FlatQuantiles
from wowbench.geometry.sliced import Slices
from wowbench.geometry.validation import Classes


class CentredSlices:
    """Classes of particles of equal mass, seen along directions but for their means.

    Costs are ``SW_2^2`` with exact transport; on average over directions they are those of
    `wowbench.geometry.sliced.Slices`, as are gradients.

    Parameters
    ----------
    x : Tensor (..., C, n, d) or list of C tensors (n_c, d)
        Classes of particles. Leading axes need classes of one size on either side.
    directions : Tensor (L, d) or (..., L, d)
        Unit vectors.
    movable : bool
        Whether `gradient` is asked for.
    precision : {None, "tf32", "bf16"}
        Of the products with the directions: see `wowbench.geometry.precision.product`.

    Examples
    --------
    Two atoms, at a squared distance of 25 in the plane, whichever the direction:

    >>> import torch
    >>> theta = torch.tensor([[1.0, 0.0]])
    >>> one = CentredSlices(torch.tensor([[[0.0, 0.0]]]), theta)
    >>> one.costs(CentredSlices(torch.tensor([[[3.0, 4.0]]]), theta))
    tensor([[12.5000]], dtype=torch.float64)
    """

    def __init__(
        self,
        x: Classes,
        directions: Tensor,
        *,
        movable: bool = True,
        precision: str | None = None,
    ):
        if isinstance(x, Tensor):
            means = x.mean(-2)
            centred = x - means.unsqueeze(-2)
        else:
            means = torch.stack([points.mean(0) for points in x])
            centred = [points - mean for points, mean in zip(x, means, strict=True)]
        self._slices = Slices(centred, directions, movable=movable, precision=precision)
        self._means = FlatQuantiles(means.mT.unsqueeze(-1))

    def costs(self, other: "CentredSlices") -> Tensor:
        """``SW_2^2`` between every class of `self` and of `other`, (..., C, C'), float64."""
        return self._means.squared_costs(other._means) + self._slices.costs(other._slices)

    def gradient(self, terms: Sequence[tuple["CentredSlices", Tensor]]) -> Classes:
        """Gradient of a weighted sum of costs, divided by the mass of each particle.

        A particle moves its centred class by its own step less the mean of all steps. The slopes
        of a centred class have the mean 0 already, since quantile functions of both sides have.

        Parameters
        ----------
        terms : sequence of (CentredSlices, Tensor (..., C, C'))
            As in `wowbench.geometry.sliced.Slices.gradient`.

        Returns
        -------
        Tensor (..., C, n, d) or list of C tensors (n_c, d)
        """
        means = self._means.slopes([(other._means, weights) for other, weights in terms])
        means = means.squeeze(-1).mT
        centred = self._slices.gradient([(other._slices, weights) for other, weights in terms])
        if isinstance(centred, Tensor):
            return centred.add_(means.unsqueeze(-2))
        return [slopes.add_(mean) for slopes, mean in zip(centred, means, strict=True)]
