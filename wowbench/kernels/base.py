"""What a kernel is: a function of a sliced-Wasserstein distance, and its derivative."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from wowbench.parameters import Component

if TYPE_CHECKING:
    from torch import Tensor


class Kernel(Component):
    """A function of ``cost = SW_p^p(mu, nu)``: one subclass per file, whose fields parametrise it.

    Nothing else in the package knows its formula.

    Attributes
    ----------
    name : str
        Name in configs.
    summary : str
        One line for ``wowbench list kernels``: the formula.
    p : {1, 2}
        Power of the cost that `value` and `derivative` are functions of.
    conditionally_positive_definite : bool
        Whether ``sum_ij a_i a_j K(mu_i, mu_j) >= 0`` for all weights of sum 0, so that the MMD is
        real.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    p: ClassVar[int]
    conditionally_positive_definite: ClassVar[bool] = False

    @abstractmethod
    def value(self, cost: Tensor) -> Tensor:
        """Compute K(mu, nu) for costs ``SW_p^p`` of any shape."""

    @abstractmethod
    def derivative(self, cost: Tensor) -> Tensor:
        """Compute the derivative of `value` with respect to the cost; finite at cost 0."""
