"""Domain adaptation: a source dataset is flowed to what a classifier knows (Figure 3)."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field, model_validator

from wowbench.datasets.base import Dataset, DatasetEntry
from wowbench.evaluation.classifier import ClassifierTraining
from wowbench.evaluators.base import Evaluator
from wowbench.evaluators.frozen_classifier import FrozenClassifier
from wowbench.graph import Graph, Ref
from wowbench.methods.base import Method
from wowbench.names import unique
from wowbench.parameters import Count
from wowbench.registry import TASKS
from wowbench.seeding import derive_seed
from wowbench.space import Units
from wowbench.tasks.base import (
    Cell,
    Draw,
    FlowTask,
    longest_flow,
    require_one_shape,
)


@TASKS.register
class Adaptation(FlowTask):
    """Move a dataset onto another one until a classifier of the latter reads it.

    A classifier is trained on target images. A method moves source images onto the same target
    images; at each snapshot the classifier is tested on them as they are, unclipped, against the
    labels that they have by then.

    Parameters
    ----------
    sources : list of datasets
        Datasets that are moved, each on its own.
    target : dataset
        Dataset that the classifier is trained on.
    test : dataset, optional
        Dataset on whose test split the classifier is tested; the target by default.
    images_per_class : int
        Number n of source images per class, and of target images.
    units : {"natural", "own", "target"}
        Pixels in [0, 1], or standardised by each side's own training images, or by the target's.
    snapshot_every : int
        The classifier is tested after every so many steps and one, as published, and at the start.
    classifier : mapping
        Parameters of `wowbench.evaluation.classifier.ClassifierTraining`.
    """

    name: ClassVar[str] = "adaptation"
    summary: ClassVar[str] = "a classifier of the target, tested on a source that is flowed to it"
    tables: ClassVar[tuple[str, ...]] = (
        "wowbench.results.tables.adaptation_accuracy:AdaptationAccuracy",
    )
    figures: ClassVar[tuple[str, ...]] = (
        "wowbench.figures.adaptation_accuracy:AdaptationAccuracy",
    )
    axis_fields: ClassVar[frozenset[str]] = FlowTask.axis_fields | {"sources", "target", "test"}

    sources: list[DatasetEntry] = Field(min_length=1)
    target: DatasetEntry
    test: DatasetEntry | None = None
    images_per_class: Count = 500
    units: Units = "natural"
    snapshot_every: Count = 5000
    classifier: ClassifierTraining = ClassifierTraining()

    @model_validator(mode="after")
    def _check_datasets(self) -> Adaptation:
        unique("sources", [source.slug for source in self.sources])
        for source in self.sources:
            require_one_shape(source, self.target)
        if self.test is not None:
            require_one_shape(self.test, self.target)
        return self

    @model_validator(mode="after")
    def _check_snapshots(self) -> Adaptation:
        longest = longest_flow(self.methods)
        if self.snapshot_every > longest > 0:
            raise ValueError(
                f"snapshot_every is {self.snapshot_every}, and the longest flow takes {longest} "
                f"steps; expected at most {longest}"
            )
        return self

    def cells(self, seed: int) -> list[Cell]:
        """One cell for each source; flows differ by the source's images alone."""
        options = {"units": self.units, "one_target": True}
        return [
            self.cell_between(source, self.target, self.images_per_class, seed, **options)
            for source in self.sources
        ]

    def cell_counts(self) -> list[tuple[int, int]]:
        """All methods move each source."""
        return [(len(self.sources), len(self.methods))]

    def evaluators(self, method: Method) -> list[Evaluator]:
        """Return the classifier's test."""
        return [FrozenClassifier()]

    def minimum_size(self) -> int:
        """Return that of the classifier."""
        return self.classifier.minimum_size

    def train(self, graph: Graph, cell: Cell, draw: Draw) -> Ref:
        """Ask for one classifier, which all sources and flows share."""
        return graph.train(
            f"{self.label}/{self.target.slug}",
            self.classifier,
            draw,
            axes={"experiment": self.label, "target": self.target.label},
            seed=derive_seed(graph.seed, "classifier", self.target.slug),
        )

    def test_dataset(self, draw: Draw) -> Dataset:
        """Return `test`, or else the target."""
        return self.test or self.target

    def settings(self) -> dict[str, Any]:
        """Return those of the base, and on what the classifier is tested."""
        return super().settings() | {"test": (self.test or self.target).label}

    def snapshot_steps(self) -> list[int]:
        """List the start, and as many as the longest flow has."""
        return [0, *range(1, longest_flow(self.methods), self.snapshot_every)]
