"""Generation: a dataset, or noise, flowed to another one (Figure 2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from wowbench.datasets.base import DatasetEntry
from wowbench.evaluators.base import Evaluator
from wowbench.evaluators.whole_classes import WholeClasses
from wowbench.methods.base import Method
from wowbench.names import unique
from wowbench.parameters import Count
from wowbench.registry import TASKS
from wowbench.seeding import derive_seed
from wowbench.tasks.base import (
    Cell,
    Draw,
    SnapshotStep,
    Task,
    check_snapshots,
    require_one_shape,
)


@TASKS.register
class Generation(Task):
    """Move a dataset onto another one, and look at what becomes of single particles.

    Nothing is clipped.

    Parameters
    ----------
    source : dataset
        Dataset that is moved; ``{name: gaussian, dimensions: [1, 28, 28]}`` is noise.
    targets : list of datasets
        Datasets that it is moved onto.
    images_per_class : int
        Number n of source images per class, and of target images.
    units : {"natural", "target"}
        Pixels in [0, 1], or standardised by the target's training images.
    snapshots : list of int
        Numbers of steps after which particles are shown.
    """

    name: ClassVar[str] = "generation"
    summary: ClassVar[str] = "a dataset, or noise, flowed to another one"
    tables: ClassVar[tuple[str, ...]] = ()
    figures: ClassVar[tuple[str, ...]] = ()
    axis_fields: ClassVar[frozenset[str]] = Task.axis_fields | {"source", "targets", "snapshots"}

    source: DatasetEntry
    targets: list[DatasetEntry] = Field(min_length=1)
    images_per_class: Count = 200
    units: Literal["natural", "target"] = "natural"
    snapshots: list[SnapshotStep] = Field([0])

    @model_validator(mode="after")
    def _check_datasets(self) -> Generation:
        unique("targets", [target.slug for target in self.targets])
        for target in self.targets:
            require_one_shape(self.source, target)
        check_snapshots(self.snapshots, self.methods)
        return self

    def cells(self, seed: int) -> list[Cell]:
        """One cell for each target."""
        return [self._cell(target, seed) for target in self.targets]

    def cell_counts(self) -> list[tuple[int, int]]:
        """All methods move the source onto each of them."""
        return [(len(self.targets), len(self.methods))]

    def _cell(self, target, seed: int) -> Cell:
        draws = tuple(
            Draw(
                source=self.source,
                n=self.images_per_class,
                source_seed=derive_seed(seed, "source", self.source.slug, flow),
                target=target,
                k=self.images_per_class,
                target_seed=derive_seed(seed, "target", target.slug, flow),
                units=self.units,
            )
            for flow in range(self.flows)
        )
        axes = {
            "task": self.name,
            "source": self.source.label,
            "target": target.label,
            "k": self.images_per_class,
        }
        return Cell(f"{self.source.slug}-{target.slug}", axes, draws, tuple(self.methods))

    def evaluators(self, method: Method) -> list[Evaluator]:
        """Count classes that stay together."""
        return [WholeClasses()]

    def snapshot_steps(self) -> Sequence[int]:
        """Return `snapshots`."""
        return self.snapshots
