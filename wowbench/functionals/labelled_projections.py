r"""Distances that place each particle and its class on lines, as functionals.

Along direction l the particle :math:`x_i` of class c is at

.. math:: z_i = \psi_1 p_i + \lambda(\mu_c) , \qquad p_i = \langle\theta_\ell, x_i\rangle ,

where the number :math:`\lambda` is a function of the projections of the class, and F(P) is the mean
over L directions of :math:`W_2^2` between the z of all N = n C particles of P and those of Q. With
:math:`\bar z_i` the mean of what transport on the line sends :math:`z_i` to, and
:math:`g_i = N \, \partial W_2^2 / \partial z_i = 2 (z_i - \bar z_i)`,

.. math:: N \frac{\partial W_2^2}{\partial p_i} = \psi_1 g_i
    + \Big(\frac{1}{n} \sum_{j \in c} g_j\Big) \, n \frac{\partial\lambda}{\partial p_i} .
"""

from abc import abstractmethod
from typing import Any, NamedTuple

import torch
from torch import Tensor

from wowbench.functionals.sliced import DistanceFunctional, line_gaps, project
from wowbench.geometry.sorting import sort_rows, sort_values, unsort_rows
from wowbench.geometry.validation import check_classes, check_same_space


class Numbers(NamedTuple):
    """Numbers that stand for classes along L directions."""

    projections: Tensor
    """Projections ``(L, C, n)`` of their particles, in any order within a class."""
    order: Tensor | None
    """Particle that each of them is of, ``(L, C, n)``; None where they are in order."""
    values: Tensor
    """The numbers, ``(L, C)``."""
    slopes: Tensor
    """Their derivatives by `projections`, times n: ``(L, C, n)``, or what broadcasts to it."""


class LabelledFunctional(DistanceFunctional):
    """F(P), the squared distance to Q of a `LabelledProjections`, with a gradient in closed form.

    Parameters
    ----------
    target : Tensor (C', m, d)
        The classes of Q.
    distance : LabelledProjections
        Draws directions and what goes with them.

    Raises
    ------
    ValueError
        For a target of the wrong shape, dtype or value.
    """

    @abstractmethod
    def numbers(self, projections: Tensor, drawn: Any) -> Numbers:
        """Find the numbers of classes, from projections ``(L, C, n)`` and what was drawn."""

    def evaluate(self, x: Tensor, drawn: Any) -> tuple[Tensor, Tensor]:
        """Return F(P) and its WoW gradient ``n C dF/dx``.

        Parameters
        ----------
        x : Tensor (C, n, d)
            The classes of P. Values are not checked to be finite here.
        drawn : NamedTuple
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
        weights = drawn.psi[:, :1, None]
        source, target = (self.numbers(project(y, drawn.theta), drawn) for y in (x, self.target))
        ordered, order = sort_rows(_positions(source, weights))
        goal = sort_values(_positions(target, weights))
        value, gaps = line_gaps(ordered, goal)
        gaps = unsort_rows(gaps, order).view_as(source.projections)
        slopes = gaps.mean(-1, keepdim=True) * source.slopes
        slopes = torch.addcmul(slopes, weights, gaps)
        if source.order is not None:
            slopes = unsort_rows(slopes, source.order)
        grad = (slopes.flatten(1).T @ drawn.theta).mul_(2 / len(drawn.theta))
        return value.to(x.dtype), grad.view_as(x)


def _positions(numbers: Numbers, weights: Tensor) -> Tensor:
    """Place all particles on the lines: z, ``(L, N)``."""
    return torch.addcmul(numbers.values[..., None], weights, numbers.projections).flatten(1)
