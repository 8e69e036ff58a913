"""Squared distances between the means of matched classes."""

from typing import ClassVar

from torch import Tensor

from wowbench.functionals.base import ParticleFunctional
from wowbench.geometry.validation import check_classes, check_matched


class DistributionMatching(ParticleFunctional):
    """F(P) = (1/C) sum_c |mean(mu_c) - mean(nu_c)|^2, for classes that are matched by number.

    On embedded particles, the objective of Zhao and Bilen, "Dataset condensation with
    distribution matching", WACV 2023, equation 4, divided by C.

    Parameters
    ----------
    target : Tensor (C, m, d)
        The classes nu_c.

    Raises
    ------
    ValueError
        For a target of the wrong shape, dtype or value.
    """

    capturable: ClassVar[bool] = True

    def __init__(self, target: Tensor):
        self.target = check_classes("target", target)

    def evaluate(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return F(P) and its WoW gradient ``n C dF/dx``, equal for all particles of a class.

        Parameters
        ----------
        x : Tensor (C, n, d)
            The classes mu_c. Values are not checked to be finite here.

        Returns
        -------
        value : Tensor ()
        grad : Tensor (C, n, d)

        Raises
        ------
        ValueError
            For shapes, dtypes or devices that do not fit.
        """
        x = check_matched(x, self.target)
        difference = x.mean(1, keepdim=True) - self.target.mean(1, keepdim=True)
        return difference.square().sum((1, 2)).mean(), (2 * difference).expand_as(x)
