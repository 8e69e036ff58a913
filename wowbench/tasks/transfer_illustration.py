"""Transfer learning, illustrated by accuracies over the epochs of a training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field, field_validator, model_validator

from wowbench.evaluators.few_shot import Training
from wowbench.evaluators.few_shot_by_epoch import FewShotByEpoch, Images, check_epochs
from wowbench.methods.base import Method
from wowbench.parameters import Count, Repeats
from wowbench.registry import TASKS
from wowbench.tasks.base import SnapshotStep, check_snapshots
from wowbench.tasks.few_shot_task import FewShotTask, require_different


@TASKS.register
class TransferIllustration(FewShotTask):
    """Train on few target images and flowed ones, and test along the way.

    As transfer, but for what becomes of the flowed images: they are labelled as they are, and
    clipped to [0, 1] or rescaled where they are trained on, alone or with those of the flow's
    whole trajectory. A method that leaves the target alone is scored by that.

    Parameters
    ----------
    source, targets, shots, images_per_class, spread
        As in `FewShotTask`.
    training : mapping
        Parameters of `wowbench.evaluators.few_shot.Training`.
    trainings : int
        Number of trainings of each evaluation.
    epochs : list of int
        Numbers of epochs after which the accuracy is taken.
    images : list of {"clipped", "rescaled", "trajectory"}
        What is trained on beside the target's images: see
        `wowbench.evaluators.few_shot_by_epoch.FewShotByEpoch`.
    snapshots : list of int
        Numbers of steps whose images make the trajectory, beside the last ones.
    """

    name: ClassVar[str] = "transfer_illustration"
    summary: ClassVar[str] = "few-shot classification by epochs, and what it is trained on"
    tables: ClassVar[tuple[str, ...]] = (
        "wowbench.results.tables.illustration_accuracy:IllustrationAccuracy",
    )
    figures: ClassVar[tuple[str, ...]] = (
        "wowbench.figures.illustration_accuracy:IllustrationAccuracy",
    )
    axis_fields: ClassVar[frozenset[str]] = FewShotTask.axis_fields | {
        "trainings",
        "epochs",
        "images",
    }

    shots: list[Count] = Field([5], min_length=1)
    training: Training = Training()
    trainings: Repeats = 5
    epochs: list[Count] = Field(list(range(5, 51, 5)), min_length=1)
    images: list[Images] = Field(["clipped", "rescaled", "trajectory"], min_length=1)
    snapshots: list[SnapshotStep] = Field(list(range(1, 2500, 250)))

    @field_validator("images")
    @classmethod
    def _check_images(cls, images: list[Images]) -> list[Images]:
        return require_different(images)

    @model_validator(mode="after")
    def _check_along_the_way(self) -> TransferIllustration:
        check_epochs(self.epochs, self.training)
        check_snapshots(self.snapshots, self.methods)
        return self

    @property
    def trainings_per_flow(self) -> int:
        """Return `trainings`."""
        return self.trainings

    def evaluators(self, method: Method) -> list[FewShotByEpoch]:
        """One for each way to use the images of a flow."""
        ways = ["none"] if method.target_alone else self.images
        return [
            FewShotByEpoch(training=self.training, epochs=self.epochs, images=images)
            for images in ways
        ]

    def snapshot_steps(self) -> Sequence[int]:
        """Return `snapshots`."""
        return self.snapshots
