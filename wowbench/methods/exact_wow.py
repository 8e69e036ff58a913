"""The flow of the exact WoW distance."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from wowbench.methods.flow_method import SchemeField
from wowbench.methods.image_flow import ImageFlow
from wowbench.methods.problem import Pairing
from wowbench.parameters import Steps
from wowbench.registry import METHODS
from wowbench.schemes.momentum import Momentum

if TYPE_CHECKING:
    from torch import Tensor

    from wowbench.functionals.base import Functional


@METHODS.register
class ExactWoW(ImageFlow):
    r"""Flow of half the squared WoW distance to the target, with exact transport at each step.

    .. math:: F(P) = \tfrac{1}{2} \mathbb{W}^2(P, Q)

    (Bonet et al. 2025, Section 3). Its gradient at a particle is the particle minus the mean of
    its images under the optimal plans, the initial velocity of the geodesic to the target
    reversed. Where the plans are maps the flow stays on that geodesic and the distance falls by
    the factor `1 - lr` at each step without momentum; so it does in images, where a hundred steps
    leave 3e-5 of it. Each step solves as many transports between classes as there are pairs of
    them, each of which takes time cubic in the particles of a class.
    """

    name: ClassVar[str] = "exact_wow"
    summary: ClassVar[str] = "flow of half the squared WoW distance, by exact transport"
    pairings: ClassVar[frozenset[Pairing]] = frozenset({"free"})
    unpaired: ClassVar[str] = "its classes move freely, and there each stands for a given one"
    functional_draws: ClassVar[bool] = False

    scheme: SchemeField = Momentum(lr=0.1, momentum=0.0)
    steps: Steps = 100

    def functional(self, target: Tensor) -> Functional:
        """Half the squared distance to all target particles."""
        from wowbench.functionals.energies import HalfSquaredWoW

        return HalfSquaredWoW(target)
