"""Generation: a dataset, or noise, flowed to another one (Figure 2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field, model_validator

from wowbench.datasets.base import DatasetEntry
from wowbench.evaluators.base import Evaluator
from wowbench.evaluators.loss_levels import LossLevels
from wowbench.evaluators.whole_classes import WholeClasses
from wowbench.methods.base import Method
from wowbench.names import unique
from wowbench.parameters import Count
from wowbench.registry import TASKS
from wowbench.space import Units
from wowbench.tasks.base import (
    Cell,
    FlowTask,
    SnapshotStep,
    check_snapshots,
    longest_flow,
    require_one_shape,
)

SHOWN = 16
"""Number of snapshots where none are asked for: those of Figure 2."""


@TASKS.register
class Generation(FlowTask):
    """Move a dataset onto another one, and look at what becomes of single particles.

    Nothing is clipped.

    Parameters
    ----------
    source : dataset
        Dataset that is moved; ``{name: gaussian, id: noise, dimensions: [1, 28, 28]}`` is noise.
    targets : list of datasets
        Datasets that it is moved onto.
    images_per_class : int
        Number n of source images per class, and of target images.
    units : {"natural", "own", "target"}
        Pixels in [0, 1], or standardised by each side's own training images, or by the target's.
    snapshots : list of int, optional
        Numbers of steps after which particles are shown, beside the last one; by default 16 at
        equal distances, from the start to the end of the longest flow.
    """

    name: ClassVar[str] = "generation"
    summary: ClassVar[str] = "a dataset, or noise, flowed to another one"
    tables: ClassVar[tuple[str, ...]] = (
        "wowbench.results.tables.flow_losses:FlowLosses",
        "wowbench.results.tables.generation_classes:GenerationClasses",
    )
    figures: ClassVar[tuple[str, ...]] = (
        "wowbench.figures.generation_trajectories:GenerationTrajectories",
        "wowbench.figures.flow_losses:FlowLosses",
    )
    axis_fields: ClassVar[frozenset[str]] = FlowTask.axis_fields | {
        "source",
        "targets",
        "snapshots",
    }

    source: DatasetEntry
    targets: list[DatasetEntry] = Field(min_length=1)
    images_per_class: Count = 200
    units: Units = "natural"
    snapshots: list[SnapshotStep] | None = None

    @model_validator(mode="after")
    def _check_datasets(self) -> Generation:
        unique("targets", [target.slug for target in self.targets])
        for target in self.targets:
            require_one_shape(self.source, target)
        check_snapshots(self.snapshots or (), self.methods)
        return self

    def cells(self, seed: int) -> list[Cell]:
        """One cell for each target."""
        n, units = self.images_per_class, self.units
        return [
            self.cell_between(self.source, target, n, seed, units=units) for target in self.targets
        ]

    def cell_counts(self) -> list[tuple[int, int]]:
        """All methods move the source onto each of them."""
        return [(len(self.targets), len(self.methods))]

    def evaluators(self, method: Method) -> list[Evaluator]:
        """Take the losses, and count classes that stay together."""
        return [LossLevels(), WholeClasses()]

    def snapshot_steps(self) -> Sequence[int]:
        """Return `snapshots`, or else those at equal distances."""
        if self.snapshots is not None:
            return self.snapshots
        steps = longest_flow(self.methods)
        return sorted({round(i * steps / (SHOWN - 1)) for i in range(SHOWN)})
