"""How far flowed particles are from the target."""

from __future__ import annotations

from typing import ClassVar

from wowbench.evaluators.base import Evaluator, Evidence
from wowbench.registry import EVALUATORS


@EVALUATORS.register
class WoWDistance(Evaluator):
    r"""WoW distance of each frame to the target, by exact inner and outer transport.

    .. math:: \mathbb{W}(P, Q)^2 = \min_\Gamma \sum_{c, c'} \Gamma_{cc'} W_2^2(\mu_c, \nu_{c'})

    (Bonet et al. 2025, Section 2), in coordinates, with uniform class weights, or those of the
    frame where the method moves them. "wow_distance" is of the last frame, "wow_distance_at_step"
    of each.
    """

    name: ClassVar[str] = "wow_distance"
    summary: ClassVar[str] = "exact WoW distance to the target at each snapshot"
    metrics: ClassVar[dict[str, tuple[float, float]]] = {
        "wow_distance": (0.0, float("inf")),
        "wow_distance_at_step": (0.0, float("inf")),
    }

    def score(self, evidence: Evidence, seeds: list[int], device: str) -> list[dict]:
        """Solve the transport of each frame; classes are those of the source."""
        from wowbench.geometry import wow_distance

        drawn = evidence.drawn
        target = drawn.space.enter(drawn.target).flatten(2).double()
        at_step = {}
        for step, frame in evidence.trajectory.frames.items():
            moved = drawn.space.standardise(frame.particles).double()
            classes = moved.reshape(len(drawn.source), -1, target.shape[-1])
            # A class without mass takes no part, and the transport wants positive weights.
            weights = frame.weights
            if weights is not None:
                classes, weights = classes[weights > 0], weights[weights > 0].double()
            at_step[step] = float(wow_distance(classes, target, x_class_weights=weights))
        rows = [{"metric": "wow_distance", "value": at_step[max(at_step)]}]
        return rows + [
            {"metric": "wow_distance_at_step", "step": step, "value": value}
            for step, value in at_step.items()
        ]
