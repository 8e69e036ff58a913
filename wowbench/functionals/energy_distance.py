"""Half the energy distance between all particles and all of the target's, whatever their class."""

import torch
from torch import Tensor

from wowbench.functionals.base import ParticleFunctional
from wowbench.geometry.products import ROUNDING_UNITS
from wowbench.geometry.validation import check_classes, check_same_space

PAIRS_PER_BLOCK = 1 << 22
"""Distances that are held at a time: 16 MB in float32."""


class EnergyDistance(ParticleFunctional):
    r"""Half the energy distance between the mixtures of the classes of P and of Q.

    .. math:: F(P) = E|X - Y| - \tfrac{1}{2} E|X - X'| - \tfrac{1}{2} E|Y - Y'|

    (Szekely and Rizzo, *Energy statistics: a class of statistics based on distances*, 2013), which
    is half the squared MMD with the kernel :math:`-|x - y|` between particles. The gradient at a
    particle is the mean of the unit vectors from the target's particles less that of the unit
    vectors from all others. In time quadratic and in memory linear in the number of particles.

    Parameters
    ----------
    target : Tensor (C', m, d)
        The particles of Q.

    Raises
    ------
    ValueError
        For a target of the wrong shape, dtype or value.

    Examples
    --------
    >>> import torch
    >>> EnergyDistance(torch.tensor([[[2.0]]])).evaluate(torch.tensor([[[0.0]]]))
    (tensor(2.), tensor([[[-1.]]]))
    """

    def __init__(self, target: Tensor):
        self.target = check_classes("target", target, ragged=False)

    def evaluate(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return F(P) and its WoW gradient ``n C dF/dx``.

        Particles at a distance within the rounding of the dtype neither attract nor repel.

        Parameters
        ----------
        x : Tensor (C, n, d)
            The particles of P. Values are not checked to be finite here.

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
        # Centred points lose less to cancellation.
        centre = self.target.mean((0, 1))
        points, others = x.flatten(0, 1) - centre, self.target.flatten(0, 1) - centre
        to_target, pull = _mean_distances(points, others)
        to_itself, push = _mean_distances(points, points)
        of_target, _ = _mean_distances(others, others)
        value = to_target.mean() - to_itself.mean() / 2 - of_target.mean() / 2
        return value.to(x.dtype), (pull - push).view_as(x)


def _mean_distances(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Mean distance of each point ``(n, d)`` to all ``(m, d)``, in float64, and its gradient."""
    distances, gradients = zip(
        *(_of_block(block, y) for block in x.split(max(1, PAIRS_PER_BLOCK // len(y)))), strict=True
    )
    return torch.cat(distances), torch.cat(gradients)


def _of_block(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    x_squares, y_squares = x.square().sum(1, keepdim=True), y.square().sum(1)
    squares = torch.addmm(y_squares, x, y.T, alpha=-2).add_(x_squares)
    rounding = ROUNDING_UNITS * torch.finfo(x.dtype).eps * (x_squares + y_squares.max())
    near = squares <= rounding
    inverses = squares.masked_fill_(near, torch.inf).rsqrt_()
    distances = inverses.reciprocal().masked_fill_(near, 0.0)
    pull = (x * inverses.sum(1, keepdim=True)).addmm_(inverses, y, alpha=-1)
    return distances.mean(1, dtype=torch.float64), pull.div_(len(y))
