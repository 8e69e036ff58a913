"""Transfer learning: few target images, helped by a flowed source dataset (Tables 2 and 3)."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field, field_validator

from wowbench.evaluators.few_shot import Budget, FewShot, Training
from wowbench.methods.base import Method
from wowbench.parameters import Repeats
from wowbench.registry import TASKS
from wowbench.tasks.few_shot_task import FewShotTask, require_different


@TASKS.register
class Transfer(FewShotTask):
    """Classify a target of which k labelled images per class are known.

    A method moves n source images per class onto the k target images and labels them; a classifier
    is trained on both and tested on the target's test set.

    Parameters
    ----------
    source, targets, shots, images_per_class, spread
        As in `FewShotTask`.
    training : mapping
        Parameters of `wowbench.evaluators.few_shot.Training`.
    trainings : int
        Number of trainings of each evaluation.
    budgets : list of {"own", "matched"}
        What a training may cost where a method leaves the target alone; flows are evaluated once.
        See `wowbench.evaluators.few_shot.FewShot`.
    """

    name: ClassVar[str] = "transfer"
    summary: ClassVar[str] = "few-shot classification helped by a flowed source dataset"
    tables: ClassVar[tuple[str, ...]] = (
        "wowbench.results.tables.transfer_accuracy:TransferAccuracy",
        "wowbench.results.tables.transfer_runtime:TransferRuntime",
        "wowbench.results.tables.transfer_convergence:TransferConvergence",
        "wowbench.results.tables.transfer_paired:TransferPaired",
    )
    figures: ClassVar[tuple[str, ...]] = (
        "wowbench.figures.transfer_accuracy:TransferAccuracy",
        "wowbench.figures.transfer_samples:TransferSamples",
        "wowbench.figures.transfer_runtime:TransferRuntime",
        "wowbench.figures.loss_curves:LossCurves",
    )
    axis_fields: ClassVar[frozenset[str]] = FewShotTask.axis_fields | {"trainings", "budgets"}

    training: Training = Training()
    trainings: Repeats = 5
    budgets: list[Budget] = Field(["own"], min_length=1)

    @field_validator("budgets")
    @classmethod
    def _check_budgets(cls, budgets: list[Budget]) -> list[Budget]:
        return require_different(budgets)

    @property
    def trainings_per_flow(self) -> int:
        """Return `trainings`."""
        return self.trainings

    def evaluators(self, method: Method) -> list[FewShot]:
        """One for each budget; a flow's own is the matched one."""
        budgets = self.budgets if method.target_alone else ["own"]
        return [FewShot(training=self.training, budget=budget) for budget in budgets]

    def problem_spec(self) -> dict[str, Any]:
        """Clip moved images to [0, 1], before they are labelled."""
        return {"clip": True}
