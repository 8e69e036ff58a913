"""The squared double-sliced Wasserstein distance."""

import torch
from torch import Tensor

from wowbench.distances.dsw import Drawn, integrands, interpolate
from wowbench.functionals.sliced import DistanceFunctional, line_gaps, project
from wowbench.geometry.constants import constant
from wowbench.geometry.sorting import sort_rows, sort_values, unsort_rows
from wowbench.geometry.validation import check_classes, check_same_space


class DoubleSlicedFunctional(DistanceFunctional):
    r"""F(P) = DSW^2(P, Q): see `wowbench.distances.dsw.DoubleSliced`.

    With :math:`A` the R x n matrix that interpolates n sorted projections :math:`p_{(i)}` of a
    class at R levels, and :math:`w` the values of a random function at these times the weights of
    the trapezoidal rule, class c is the number :math:`z_c = \sum_{r,i} w_r A_{ri} p_{(i)}`, and

    .. math:: n C \frac{\partial W_2^2}{\partial p_{(i)}}
        = 2 (z_c - \bar z_c) \; n \sum_r w_r A_{ri} ,

    where :math:`\bar z_c` is the mean of what transport of the C numbers sends :math:`z_c` to; the
    mean is over all directions and the functions of each (Piening and Beinert, *Slicing Wasserstein
    over Wasserstein via functional optimal transport*, 2026).

    Parameters
    ----------
    target : Tensor (C', m, d)
        The classes of Q.
    distance : DoubleSliced
        Draws directions and functions.

    Raises
    ------
    ValueError
        For a target of the wrong shape, dtype or value.
    """

    def evaluate(self, x: Tensor, drawn: Drawn) -> tuple[Tensor, Tensor]:
        """Return F(P) and its WoW gradient ``n C dF/dx``.

        Parameters
        ----------
        x : Tensor (C, n, d)
            The classes of P. Values are not checked to be finite here.
        drawn : Drawn
            What `draw` returned.

        Returns
        -------
        value : Tensor ()
        grad : Tensor (C, n, d)

        Raises
        ------
        ValueError
            For shapes, dtypes or devices that do not fit.
        """
        x = check_classes("x", x, finite=False, ragged=False)
        check_same_space("x", x, "target", self.target)
        weights = integrands(drawn.functions)
        n_levels = weights.shape[-1]
        ordered, order = sort_rows(project(x, drawn.theta))
        to_levels = _interpolation(x.shape[1], n_levels, x.dtype, x.device)
        z, ranks = sort_rows(weights @ (ordered @ to_levels).mT)

        others = sort_values(project(self.target, drawn.theta))
        levels = others @ _interpolation(others.shape[-1], n_levels, x.dtype, x.device)
        goal = sort_values(weights @ levels.mT)
        value, gaps = line_gaps(z.flatten(0, 1), goal.flatten(0, 1))

        gaps = unsort_rows(gaps.view_as(z), ranks)
        slopes = unsort_rows((gaps.mT @ weights) @ to_levels.T, order)
        grad = slopes.flatten(1).T @ drawn.theta
        grad *= 2 * x.shape[1] / (weights.shape[0] * weights.shape[1])
        return value.to(x.dtype), grad.view_as(x)


@constant(maxsize=64)
def _interpolation(n: int, levels: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Map from n sorted atoms to their interpolation at equal levels, ``(n, R)``."""
    return interpolate(torch.eye(n, dtype=dtype, device=device), levels)
