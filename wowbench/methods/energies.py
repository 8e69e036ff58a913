"""Flows of a potential and of an interaction energy, the two parts of an MMD, each alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from wowbench.kernels.base import Kernel
from wowbench.kernels.riesz import Riesz
from wowbench.methods.flow_method import Composition, FlowMethod, SchemeField
from wowbench.methods.problem import Pairing, Problem
from wowbench.parameters import FromRegistry, Steps
from wowbench.registry import KERNELS, METHODS
from wowbench.schemes.momentum import Momentum

if TYPE_CHECKING:
    from torch import Tensor

    from wowbench.functionals.base import Functional


class Energy(FlowMethod):
    """Base of flows of an energy of the particles alone; `functional` says which."""

    pairings: ClassVar[frozenset[Pairing]] = frozenset({"free"})
    unpaired: ClassVar[str] = "its classes move freely, and there each stands for a given one"
    deterministic: ClassVar[bool] = True

    scheme: SchemeField = Momentum(lr=0.1, momentum=0.0)
    steps: Steps = 100

    def functional(self, target: Tensor) -> Functional:
        """Return the energy, for target particles ``(C', m, d)``."""
        raise NotImplementedError

    def compose(self, problem: Problem) -> Composition:
        """Return the energy, for flat particles."""
        source, target = problem.source.flatten(2), problem.target.flatten(2)
        return Composition(self.functional(target), {"x": source}, {"x": target})


@METHODS.register
class PotentialEnergy(Energy):
    r"""Flow of a potential energy: each class moves to the mixture of all target classes.

    .. math:: F(P) = \int V(\mu) \, dP(\mu), \quad
        V(\mu) = \tfrac{1}{2} W_2^2(\mu, \bar\nu), \quad \bar\nu = \int \nu \, dQ(\nu)

    (Bonet et al. 2025, Section 3). Classes do not know of each other, so that each flows as in the
    space of distributions: on rings every class spreads over all three rings. All particles
    together then match the target's, and the WoW distance stays far from 0: what a flow loses that
    sees particles without their classes.
    """

    name: ClassVar[str] = "potential_energy"
    summary: ClassVar[str] = "each class flows to the mixture of all target classes, on its own"

    def functional(self, target: Tensor) -> Functional:
        """Half the squared distance to the mixture, the mean over classes."""
        from wowbench.functionals import energies

        return energies.PotentialEnergy(target.flatten(0, 1))


@METHODS.register
class InteractionEnergy(Energy):
    r"""Flow of an interaction energy: classes repel each other, and know of no target.

    .. math:: F(P) = \tfrac{1}{2} \iint K(\mu, \nu) \, dP(\mu) \, dP(\nu)

    with K a function of the distance of the means of two classes (Bonet et al. 2025, Section 3).
    Each class is translated as a whole, and the mean over classes stays: on rings the spots fly
    apart from where they start, by as much as the kernel reaches. In an MMD this term keeps two
    classes from going to the same class of the target.

    Parameters
    ----------
    kernel : Kernel
        K, with the distance of the means in the place of SW.
    """

    name: ClassVar[str] = "interaction_energy"
    summary: ClassVar[str] = "classes repel each other, and know of no target"

    kernel: Annotated[Kernel, FromRegistry(KERNELS)] = Riesz()

    def functional(self, target: Tensor) -> Functional:
        """Interaction of the classes; the target plays no part."""
        from wowbench.functionals import energies

        return energies.InteractionEnergy(self.kernel)
