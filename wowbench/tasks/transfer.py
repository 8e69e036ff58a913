"""Transfer learning: few target images, helped by a flowed source dataset (Tables 2 and 3)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from wowbench.datasets.base import Dataset, DatasetEntry
from wowbench.errors import shown
from wowbench.evaluators.few_shot import Budget, FewShot, Training
from wowbench.methods.base import Method
from wowbench.names import unique
from wowbench.parameters import Count, Repeats
from wowbench.registry import TASKS
from wowbench.seeding import derive_seed
from wowbench.tasks.base import Cell, Draw, Task, require_one_shape


@TASKS.register
class Transfer(Task):
    """Classify a target of which k labelled images per class are known.

    A method moves n source images per class onto the k target images and labels them; a classifier
    is trained on both and tested on the target's test set.

    Parameters
    ----------
    source : dataset
        Dataset that is moved.
    targets : list of datasets
        Datasets that it is moved onto.
    shots : list of int
        Numbers k of labelled target images per class.
    images_per_class : int
        Number n of source images per class.
    spread : {"per_flow", "fixed"}
        Whether each flow draws its own source images and shots, or all share the first flow's
        (as the paper's standard deviations do).
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
    has_published_scores: ClassVar[bool] = True
    takes_target_alone: ClassVar[bool] = True
    tables: ClassVar[tuple[str, ...]] = (
        "wowbench.results.tables.transfer_accuracy:TransferAccuracy",
        "wowbench.results.tables.transfer_runtime:TransferRuntime",
        "wowbench.results.tables.transfer_paired:TransferPaired",
    )
    figures: ClassVar[tuple[str, ...]] = (
        "wowbench.figures.transfer_accuracy:TransferAccuracy",
        "wowbench.figures.transfer_samples:TransferSamples",
        "wowbench.figures.transfer_runtime:TransferRuntime",
        "wowbench.figures.loss_curves:LossCurves",
    )
    axis_fields: ClassVar[frozenset[str]] = Task.axis_fields | {
        "source",
        "targets",
        "shots",
        "trainings",
        "budgets",
    }

    source: DatasetEntry
    targets: list[DatasetEntry] = Field(min_length=1)
    shots: list[Count] = Field([1, 5, 10, 100], min_length=1)
    images_per_class: Count = 200
    spread: Literal["per_flow", "fixed"] = "per_flow"
    training: Training = Training()
    trainings: Repeats = 5
    budgets: list[Budget] = Field(["own"], min_length=1)

    @field_validator("shots", "budgets")
    @classmethod
    def _check_different(cls, values: list) -> list:
        if len(set(values)) < len(values):
            raise ValueError(f"got {shown(values)}; expected different ones")
        return values

    @model_validator(mode="after")
    def _check_shapes(self) -> Transfer:
        unique("targets", [target.slug for target in self.targets])
        for target in self.targets:
            require_one_shape(self.source, target)
        return self

    def cells(self, seed: int) -> list[Cell]:
        """One cell for each target and k; shots of a smaller k are among those of a larger."""
        return [self._cell(target, k, seed) for target in self.targets for k in self.shots]

    def cell_counts(self) -> list[tuple[int, int]]:
        """All methods solve each of them."""
        return [(len(self.targets) * len(self.shots), len(self.methods))]

    def _cell(self, target, k: int, seed: int) -> Cell:
        draws = []
        for flow in range(self.flows):
            number = flow if self.spread == "per_flow" else 0
            draws.append(
                Draw(
                    source=self.source,
                    n=self.images_per_class,
                    source_seed=derive_seed(seed, "source", self.source.slug, number),
                    target=target,
                    k=k,
                    target_seed=derive_seed(seed, "shots", target.slug, number),
                )
            )
        axes = {
            "task": self.name,
            "source": self.source.label,
            "target": target.label,
            "k": k,
        }
        return Cell(
            f"{self.source.slug}-{target.slug}/k{k}", axes, tuple(draws), tuple(self.methods)
        )

    @classmethod
    def published_settings(cls) -> dict[str, Any]:
        """All defaults but the spread: scores take account of either."""
        settings = super().published_settings()
        del settings["spread"]
        return settings

    @property
    def trainings_per_flow(self) -> int:
        """Return `trainings`."""
        return self.trainings

    def evaluators(self, method: Method) -> list[FewShot]:
        """One for each budget; a flow's own is the matched one."""
        budgets = self.budgets if method.target_alone else ["own"]
        return [FewShot(training=self.training, budget=budget) for budget in budgets]

    def test_dataset(self, draw: Draw) -> Dataset:
        """Return the target."""
        return draw.target

    def problem_spec(self) -> dict[str, Any]:
        """Clip moved images to [0, 1], before they are labelled."""
        return {"clip": True}
