"""The squared SWB1DG distance, whose labels are Busemann functions of classes on a line."""

from typing import Any

from torch import Tensor

from wowbench.functionals.labelled_projections import LabelledFunctional, Numbers
from wowbench.geometry.quantiles import normal_quantile_means
from wowbench.geometry.sorting import sort_rows


class SlicedBusemann(LabelledFunctional):
    r"""F(P) = SWB1DG^2(P, Q): see `wowbench.distances.swb1dg.SlicedBusemann1DGaussian`.

    The number of a class with sorted projections :math:`p_{(1)} \le \dots \le p_{(n)}` is

    .. math:: \lambda = -\frac{\psi_2}{n} \sum_{i=1}^n (m_1 + s_1 q_i) \, p_{(i)} , \qquad
        n \frac{\partial\lambda}{\partial p_{(i)}} = -\psi_2 (m_1 + s_1 q_i) ,

    with :math:`q_i` the mean of the standard normal quantile function on the i-th of n equal cells
    (Bonet, Cazelles, Drumetz and Courty 2025).

    Parameters
    ----------
    target, distance
        As of `LabelledFunctional`.
    """

    def numbers(self, projections: Tensor, drawn: Any) -> Numbers:
        """Sort each class, and take the mean of its projections times their slopes."""
        ordered, order = sort_rows(projections)
        means = normal_quantile_means(ordered.shape[-1], ordered.dtype, ordered.device)
        first, spread = (drawn.psi[:, 1:] * -drawn.ray).T[..., None]
        slopes = first + spread * means
        values = (ordered @ slopes[..., None]).squeeze(-1) / ordered.shape[-1]
        return Numbers(ordered, order, values, slopes[:, None])
