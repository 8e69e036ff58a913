"""The WoW distance."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from wowbench.distances.base import Distance, Estimate
from wowbench.distances.class_costs import exact_costs, transport_value
from wowbench.registry import DISTANCES

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@DISTANCES.register
class WoW(Distance):
    r"""Squared WoW distance, by exact inner and outer transport.

    .. math:: \mathbb{W}(P, Q)^2 = \min_\Gamma \sum_{c, c'} \Gamma_{cc'} W_2^2(\mu_c, \nu_{c'})

    (Bonet, Vauthier and Korba 2025, section 2), with equal weights of the classes. A pair of
    classes takes a matrix of all pairs of points: memory is quadratic in the size of a class.
    """

    name: ClassVar[str] = "wow"
    summary: ClassVar[str] = "Wasserstein over Wasserstein: exact transport of classes, inside too"
    stochastic: ClassVar[bool] = False

    def estimate(  # noqa: D102
        self, a: list[Tensor], b: list[Tensor], generator: torch.Generator
    ) -> Estimate:
        return Estimate(transport_value(exact_costs(a, b)))
