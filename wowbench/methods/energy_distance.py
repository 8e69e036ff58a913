"""The flow of the energy distance, which sees no labels."""

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
class EnergyDistanceFlow(ImageFlow):
    r"""Flow of half the energy distance between all particles and all of the target's.

    .. math:: F(P) = E|X - Y| - \tfrac{1}{2} E|X - X'| - \tfrac{1}{2} E|Y - Y'|

    (Szekely and Rizzo 2013): half the squared MMD of MMDSW (Bonet et al. 2025) with the distance of
    particles in the place of that of classes. It knows no classes, so that those of the source are
    shared out among several of the target's; the label of a whole class, by the WoW coupling, is
    then wrong for some of its particles. What MMDSW has over it is what a kernel on classes adds.

    Gradients have a norm of order 1, some :math:`\sqrt{d}` times those of MMDSW, and nothing is
    drawn: a step is as much smaller, and a flow shorter.
    """

    name: ClassVar[str] = "energy_distance"
    summary: ClassVar[str] = "flow of the energy distance of all particles, without their labels"
    pairings: ClassVar[frozenset[Pairing]] = frozenset({"free"})
    unpaired: ClassVar[str] = "it sees no classes, and there each stands for a given one"
    functional_draws: ClassVar[bool] = False

    scheme: SchemeField = Momentum(lr=0.1, momentum=0.9)
    steps: Steps = 1000

    def functional(self, target: Tensor) -> Functional:
        """Half the energy distance to all target particles."""
        from wowbench.functionals.energy_distance import EnergyDistance

        return EnergyDistance(target)
