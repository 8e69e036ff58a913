"""Where the loss of a flow starts, and between which values it ends."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from wowbench.evaluators.base import Evaluator, Evidence
from wowbench.registry import EVALUATORS


@EVALUATORS.register
class LossLevels(Evaluator):
    """Loss before the first step, and its lowest and highest value in the last steps.

    A single last value would be one draw of directions, or one phase of an oscillation: a flow
    without momentum that has come as near as its step size lets it goes to and fro. Of a method
    that takes no steps there is none.

    Parameters
    ----------
    share : float
        Share of the steps that are the last ones, at least one step.
    """

    name: ClassVar[str] = "loss_levels"
    summary: ClassVar[str] = "first loss, and the range of the last losses"
    metrics: ClassVar[dict[str, tuple[float, float]]] = {
        "first_loss": (float("-inf"), float("inf")),
        "last_loss_low": (float("-inf"), float("inf")),
        "last_loss_high": (float("-inf"), float("inf")),
    }

    share: Annotated[float, Field(gt=0, le=1)] = 0.01

    def score(self, evidence: Evidence, seeds: list[int], device: str) -> list[dict]:
        """Read the losses off the trajectory."""
        losses = evidence.trajectory.losses
        if len(losses) == 0:
            return []
        end = losses[-max(1, round(self.share * len(losses))) :]
        levels = {"first_loss": losses[0], "last_loss_low": end.min(), "last_loss_high": end.max()}
        return [{"metric": metric, "value": float(value)} for metric, value in levels.items()]
