"""Half the squared sliced MMD as a function of the class weights, the particles held."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from wowbench.geometry.sliced import Slices, check_directions
from wowbench.geometry.validation import check_classes, check_same_space, check_weights
from wowbench.kernels.base import Kernel


@dataclass(frozen=True)
class QuadraticEnergy:
    """F as a function of the class weights, with the particles held.

    Attributes
    ----------
    kernel : Tensor (C, C)
        K, conditionally positive definite.
    linear : Tensor (C,)
        b.
    constant : Tensor ()
        The rest of F.
    costs : Tensor (C, C)
        Squared distances D^2 between the classes.
    gradient : callable
        Maps weights `(C,)` to the WoW gradient in the particles, `(C, n, d)`.
    """

    kernel: Tensor
    linear: Tensor
    constant: Tensor
    costs: Tensor
    gradient: Callable[[Tensor], Tensor]

    def value(self, weights: Tensor) -> Tensor:
        """F at weights `(C,)`, a number."""
        weights = weights.to(self.kernel.dtype)
        return weights @ self.kernel @ weights / 2 - self.linear @ weights + self.constant


class WeightedSlicedMMD:
    """F(P) = 1/2 MMD^2(P, Q) with a kernel on SW, both sides with class weights.

    Parameters
    ----------
    target : Tensor
        The particles of Q, `(C', m, d)`.
    kernel : Kernel
        See `wowbench.kernels`.
    target_weights : Tensor, optional
        Positive weights `(C',)` of the classes of Q, of sum 1; uniform by default.
    """

    def __init__(self, target: Tensor, kernel: Kernel, *, target_weights: Tensor | None = None):
        self.target = check_classes("target", target)
        self.kernel = kernel
        self.target_weights = check_weights("target_weights", target_weights, self.target)

    def at(self, x: Tensor, directions: Tensor) -> QuadraticEnergy:
        """F as a function of the weights of the classes of `x`.

        Parameters
        ----------
        x : Tensor
            The particles of P, `(C, n, d)`.
        directions : Tensor
            Unit vectors `(L, d)`, the same for all pairs of classes.

        Returns
        -------
        QuadraticEnergy
            In float64, with `D = SW_p`, p being the kernel's.

        Raises
        ------
        ValueError
            For shapes, dtypes or devices that do not fit.
        """
        x = check_classes("x", x, finite=False)
        check_same_space("x", x, "target", self.target)
        check_directions(directions, x)
        p, q = self.kernel.p, self.target_weights.double()
        mine, other = Slices(x, directions, p=p), Slices(self.target, directions, p=p)
        costs, cross = mine.costs(mine), mine.costs(other)
        slope, cross_slope = self.kernel.derivative(costs), self.kernel.derivative(cross)

        def gradient(weights: Tensor) -> Tensor:
            return mine.gradient([(mine, slope * weights), (other, -cross_slope * q)])

        return QuadraticEnergy(
            kernel=self.kernel.value(costs),
            linear=self.kernel.value(cross) @ q,
            constant=q @ self.kernel.value(other.costs(other)) @ q / 2,
            costs=costs ** (2 / p),
            gradient=gradient,
        )
