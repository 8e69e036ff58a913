"""The flow of the exact WoW distance."""

from __future__ import annotations

from typing import ClassVar

from wowbench.methods.flow_method import Composition, FlowMethod, SchemeField
from wowbench.methods.problem import Pairing, Problem
from wowbench.parameters import Steps
from wowbench.registry import METHODS
from wowbench.schemes.momentum import Momentum


@METHODS.register
class ExactWoW(FlowMethod):
    r"""Flow of half the squared WoW distance to the target, with exact transport at each step.

    .. math:: F(P) = \tfrac{1}{2} \mathbb{W}^2(P, Q)

    (Bonet et al. 2025, Section 3). Its gradient at a particle is the particle minus the mean of
    its images under the optimal plans, the initial velocity of the geodesic to the target
    reversed. Where the plans are maps the flow stays on that geodesic and the distance falls by
    the factor `1 - lr` at each step without momentum. Each step solves as many transports between
    classes as there are pairs of them, which is affordable for few and small classes only.
    """

    name: ClassVar[str] = "exact_wow"
    summary: ClassVar[str] = "flow of half the squared WoW distance, by exact transport"
    pairings: ClassVar[frozenset[Pairing]] = frozenset({"free"})
    unpaired: ClassVar[str] = "its classes move freely, and there each stands for a given one"
    deterministic: ClassVar[bool] = True

    scheme: SchemeField = Momentum(lr=0.1, momentum=0.0)
    steps: Steps = 100

    def compose(self, problem: Problem) -> Composition:
        """Half the squared distance to all target particles."""
        from wowbench.functionals.energies import HalfSquaredWoW

        source, target = problem.source.flatten(2), problem.target.flatten(2)
        return Composition(HalfSquaredWoW(target), {"x": source}, {"x": target})
