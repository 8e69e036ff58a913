"""The geodesic between source and target, as a flow to compare others with."""

from __future__ import annotations

from typing import Any, ClassVar

from wowbench.errors import InputError
from wowbench.labelling.wow_coupling import WoWCoupling
from wowbench.methods.base import Method
from wowbench.methods.problem import Pairing, Problem, RunContext
from wowbench.methods.trajectory import Trajectory
from wowbench.parameters import Steps
from wowbench.registry import METHODS


@METHODS.register
class WoWGeodesic(Method):
    r"""Displacement interpolation from the source to the target, at constant speed.

    Classes are coupled by the optimal plan between them, particles by the optimal plan between
    coupled classes, once; after s steps each particle has gone the share t = s / `steps` of the
    straight line to its image,

    .. math:: \mathbb{W}(P_t, Q) = (1 - t) \, \mathbb{W}(P, Q)

    (Bonet et al. 2025, Section 3; McCann 1997 for distributions). The loss is half the squared
    distance that is left, :math:`\tfrac{1}{2} (1 - t)^2 \, \mathbb{W}^2(P, Q)`. No other curve goes
    to the target on a shorter way.

    Parameters
    ----------
    steps : int
        Number of steps.
    """

    name: ClassVar[str] = "wow_geodesic"
    summary: ClassVar[str] = "no flow: the shortest way to the target, at constant speed"
    pairings: ClassVar[frozenset[Pairing]] = frozenset({"free"})
    unpaired: ClassVar[str] = "its classes move freely, and there each stands for a given one"
    label_rule: ClassVar[str] = WoWCoupling.rule
    deterministic: ClassVar[bool] = True

    steps: Steps = 100

    def check_sizes(
        self, *, source_classes: int, n: int, target_classes: int, k: int, **others: Any
    ) -> None:
        """Refuse sizes for which the optimal plans split classes or particles."""
        pairs = {"classes": (source_classes, target_classes), "particles per class": (n, k)}
        for what, (number, wanted) in pairs.items():
            if number % wanted:
                raise InputError(
                    f"method {self.label!r} moves whole classes and particles: the source has "
                    f"{number} {what}; expected a multiple of {wanted}, the target's number"
                )

    def run(self, problem: Problem, context: RunContext) -> Trajectory:
        """Couple source and target once, then move along straight lines."""
        import torch

        from wowbench.flows import Flow, iterate
        from wowbench.geometry.wow import wow_map
        from wowbench.methods.flow_method import label_flow

        self.check_sizes(**problem.sizes)
        source, target = problem.source.flatten(2), problem.target.flatten(2)
        images = wow_map(source, target)
        # The mean over particles of their squared way, since classes and particles weigh alike.
        energy = (images - source).square().sum(-1).mean() / 2
        state = {"x": source.clone(), "done": torch.zeros((), dtype=torch.int64)}

        def step(state, generator):
            done = int(state["done"])
            state["done"] += 1
            state["x"] = torch.lerp(source, images, (done + 1) / self.steps)
            return energy * (1 - done / self.steps) ** 2

        result = iterate(
            step,
            state,
            steps=self.steps,
            snapshots=context.snapshots_before(self.steps),
            checkpoint=context.checkpoint,
            progress=context.progress,
        )
        flow = Flow(state, result.losses, result.snapshots, result.steps, result.seconds)
        return label_flow(flow, problem, WoWCoupling(), {"x": target})
