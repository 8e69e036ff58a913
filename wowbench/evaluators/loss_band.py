"""Between which values a loss ends."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from wowbench.evaluators.base import Evaluator, Evidence
from wowbench.registry import EVALUATORS


@EVALUATORS.register
class LossBand(Evaluator):
    """Least and greatest loss of the last steps.

    A flow without momentum that has come as near as its step size lets it goes to and fro, and its
    last loss is where it happened to be.

    Parameters
    ----------
    share : float
        Share of the steps that are the last ones, at least one step.
    """

    name: ClassVar[str] = "loss_band"
    summary: ClassVar[str] = "least and greatest loss of the last steps"
    metrics: ClassVar[dict[str, tuple[float, float]]] = {
        "least_last_loss": (-float("inf"), float("inf")),
        "greatest_last_loss": (-float("inf"), float("inf")),
    }

    share: Annotated[float, Field(gt=0, le=1)] = 0.1

    def score(self, evidence: Evidence, seeds: list[int], device: str) -> list[dict]:
        """Look through the losses; a method that takes no steps has none."""
        losses = evidence.trajectory.losses
        last = losses[-max(1, round(self.share * len(losses))) :]
        if not len(last):
            return []
        return [
            {"metric": "least_last_loss", "value": float(last.min())},
            {"metric": "greatest_last_loss", "value": float(last.max())},
        ]
