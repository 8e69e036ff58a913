"""The flow of the energy distance, which sees no labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from wowbench.methods.chosen_labels import ChosenLabels, LabelRule
from wowbench.methods.problem import Pairing
from wowbench.parameters import Steps
from wowbench.registry import METHODS

if TYPE_CHECKING:
    from torch import Tensor

    from wowbench.functionals.base import Functional


@METHODS.register
class EnergyDistanceFlow(ChosenLabels):
    r"""Flow of half the energy distance between all particles and all of the target's.

    .. math:: F(P) = E|X - Y| - \tfrac{1}{2} E|X - X'| - \tfrac{1}{2} E|Y - Y'|

    (Szekely and Rizzo 2013): half the squared MMD of MMDSW (Bonet et al. 2025) with the distance of
    particles in the place of that of classes. It knows no classes, so that those of the source are
    shared out among all of the target's and each particle is labelled by its nearest neighbour: of
    MNIST's, moved to five images of each class of Fashion-MNIST, whole classes would have another
    label for three particles in four. What MMDSW has over it is what a kernel on classes adds.

    Gradients have a norm of at most 2 whatever the dimension, some :math:`\sqrt{d}` times those of
    MMDSW, and nothing is drawn: a thousand steps get to the end.
    """

    name: ClassVar[str] = "energy_distance"
    summary: ClassVar[str] = "flow of the energy distance of all particles, without their labels"
    pairings: ClassVar[frozenset[Pairing]] = frozenset({"free"})
    unpaired: ClassVar[str] = "it sees no classes, and there each stands for a given one"
    functional_draws: ClassVar[bool] = False

    labels: LabelRule = "nearest"
    steps: Steps = 1000

    def functional(self, target: Tensor) -> Functional:
        """Half the energy distance to all target particles."""
        from wowbench.functionals.energy_distance import EnergyDistance

        return EnergyDistance(target)
