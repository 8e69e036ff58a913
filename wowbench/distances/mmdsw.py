"""The MMD with a kernel on the sliced-Wasserstein distance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from wowbench.distances.base import Estimate
from wowbench.distances.class_costs import sliced_costs
from wowbench.distances.sliced import Sliced, mean_estimate
from wowbench.kernels.base import Kernel
from wowbench.kernels.riesz import Riesz
from wowbench.parameters import FromRegistry
from wowbench.registry import DISTANCES, KERNELS

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@DISTANCES.register
class MMDSW(Sliced):
    r"""Squared MMD of two distributions over classes, with a kernel K(mu, nu) of SW(mu, nu).

    .. math::

        \mathrm{MMD}^2(P, Q) = \frac{1}{C^2} \sum_{c, k} K(\mu_c, \mu_k)
            - \frac{2}{C C'} \sum_{c, k} K(\mu_c, \nu_k)
            + \frac{1}{C'^2} \sum_{c, k} K(\nu_c, \nu_k)

    (Bonet, Vauthier and Korba 2025, section 4: twice what their flow decreases). Classes have equal
    weights. All costs share their L directions. K is a function of a mean over them, so that the
    value has a bias of order 1/L beside its error, which is of first order in the costs (delta
    method).

    Parameters
    ----------
    kernel : Kernel
        K as a function of SW, with its parameters: see ``wowbench list kernels``.
    """

    name: ClassVar[str] = "mmdsw"
    summary: ClassVar[str] = "squared MMD with a sliced-Wasserstein kernel between classes"

    kernel: Annotated[Kernel, FromRegistry(KERNELS)] = Riesz()

    def estimate(  # noqa: D102
        self, a: list[Tensor], b: list[Tensor], generator: torch.Generator
    ) -> Estimate:
        kernel, sides = self.kernel, ((0, 0), (0, 1), (1, 1))
        found = sliced_costs(a, b, self.n_directions, generator, p=kernel.p, sides=sides)
        value, linear = 0.0, 0.0
        for costs, factor in zip(found, (1, -2, 1), strict=True):
            mean = costs.mean(0)
            value = value + factor * kernel.value(mean).mean()
            linear = linear + factor * (kernel.derivative(mean) * costs).mean((1, 2))
        return Estimate(float(value), mean_estimate(linear).error)
