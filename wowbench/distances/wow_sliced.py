"""The WoW distance with the sliced-Wasserstein distance between classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from wowbench.distances.base import Estimate
from wowbench.distances.class_costs import sliced_costs
from wowbench.distances.sliced import Sliced, mean_estimate
from wowbench.registry import DISTANCES

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@DISTANCES.register
class SlicedWoW(Sliced):
    r"""Squared WoW distance with the sliced ground, by exact outer transport.

    .. math:: D^2(P, Q) = \min_\Gamma \sum_{c, c'} \Gamma_{cc'} SW_2^2(\mu_c, \nu_{c'})

    (the ground of Bonet, Vauthier and Korba 2025, section 4, in the distance of their section 2),
    with equal weights of the classes. The error is that of the cost of the plan found; as a minimum
    over estimated costs, the value lies below the true one by a term of order 1/L where plans are
    far apart.
    """

    name: ClassVar[str] = "wow_sliced"
    summary: ClassVar[str] = "Wasserstein over sliced Wasserstein: exact transport of classes"

    def estimate(  # noqa: D102
        self, a: list[Tensor], b: list[Tensor], generator: torch.Generator
    ) -> Estimate:
        from wowbench.geometry.exact import solve_transport

        (costs,) = sliced_costs(a, b, self.n_directions, generator)
        plan = solve_transport(costs.mean(0).cpu().numpy(), None, None)
        rows, columns, mass = plan.to(costs.device)
        return mean_estimate(costs[:, rows, columns] @ mass)
