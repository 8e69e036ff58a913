"""Whether a class of the source stays together."""

from __future__ import annotations

from typing import ClassVar

from wowbench.evaluators.base import Evaluator, Evidence
from wowbench.registry import EVALUATORS


@EVALUATORS.register
class WholeClasses(Evaluator):
    """How many classes of the source go whole to one class of the target.

    A particle goes to the class of the target particle that is nearest to it, in coordinates.
    "whole_classes" counts the classes all of whose particles go to one class, out of
    "source_classes"; "purity" is the share of particles that go where most of their class do, over
    all classes. Both are of the last frame.
    """

    name: ClassVar[str] = "whole_classes"
    summary: ClassVar[str] = "classes of the source that go whole to one class of the target"
    metrics: ClassVar[dict[str, tuple[float, float]]] = {
        "whole_classes": (0.0, float("inf")),
        "source_classes": (1.0, float("inf")),
        "purity": (0.0, 1.0),
    }

    def score(self, evidence: Evidence, seeds: list[int], device: str) -> list[dict]:
        """Look for the nearest target particle of each moved one."""
        import torch

        drawn, last = evidence.drawn, evidence.trajectory.last
        target = drawn.space.enter(drawn.target)
        k = target.shape[1]
        moved = drawn.space.standardise(last.particles).flatten(1)
        nearest = torch.cdist(moved.double(), target.flatten(0, 1).flatten(1).double()).argmin(1)
        reached = (nearest // k).reshape(len(drawn.source), -1)
        commonest = reached.mode(1, keepdim=True).values
        shares = (reached == commonest).double().mean(1)
        return [
            {"metric": "whole_classes", "value": float((shares == 1).sum())},
            {"metric": "source_classes", "value": float(len(shares))},
            {"metric": "purity", "value": float(shares.mean())},
        ]
