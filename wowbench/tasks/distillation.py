"""Dataset distillation: few synthetic images per class in place of a whole dataset (Table 1)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from wowbench.datasets.base import Dataset, DatasetEntry
from wowbench.errors import shown
from wowbench.evaluation.protocols import Paper, ProtocolEntry
from wowbench.evaluators.distilled import Distilled
from wowbench.methods.base import Method
from wowbench.methods.problem import Pairing
from wowbench.names import unique
from wowbench.parameters import Count, Repeats
from wowbench.registry import TASKS
from wowbench.seeding import derive_seed
from wowbench.tasks.base import Cell, Draw, FlowTask, SnapshotStep, check_snapshots

ALL_AVAILABLE = "all_available"


STEPS = "wowbench.figures.distillation_steps:DistillationSteps"
"""The figure of accuracies over the steps of flows."""


@TASKS.register
class Distillation(FlowTask):
    """Make a few images per class on which classifiers learn what the whole dataset teaches.

    A method starts from real images and moves them towards the dataset. Classifiers
    are trained on the moved images alone and tested on the dataset's test set. Images are
    standardised by the training set's mean and standard deviation of each channel.

    Parameters
    ----------
    datasets : list of datasets
        Datasets that are distilled, each on its own.
    images_per_class : list of int
        Numbers of synthetic images per class.
    target_images : int or "all_available"
        Real images per class that methods see; "all_available": the size of the smallest class.
    batch_size : int
        Real images of each class that a step draws anew.
    snapshots : list of int
        Numbers of steps after which moved images are evaluated too.
    protocols : list of protocols
        Ways to train the classifiers, side by side: names, or mappings of the parameters of
        `wowbench.evaluation.protocols.Paper` ("paper") or `DistributionMatching` ("dm"). One way
        may be there with several networks.
    trainings : int
        Number of trainings of each evaluation.
    """

    name: ClassVar[str] = "distillation"
    summary: ClassVar[str] = "few synthetic images per class in place of a whole dataset"
    has_published_scores: ClassVar[bool] = True
    pairing: ClassVar[Pairing] = "by_number"
    tables: ClassVar[tuple[str, ...]] = (
        "wowbench.results.tables.distillation_accuracy:DistillationAccuracy",
        "wowbench.results.tables.distillation_paired:DistillationPaired",
        "wowbench.results.tables.distillation_architectures:DistillationArchitectures",
        "wowbench.results.tables.distillation_ranking:DistillationRanking",
    )
    figures: ClassVar[tuple[str, ...]] = (
        "wowbench.figures.distillation_accuracy:DistillationAccuracy",
        "wowbench.figures.distillation_images:DistillationImages",
        STEPS,
        "wowbench.figures.loss_curves:LossCurves",
    )
    axis_fields: ClassVar[frozenset[str]] = FlowTask.axis_fields | {
        "datasets",
        "images_per_class",
        "protocols",
        "snapshots",
        "trainings",
    }

    datasets: list[DatasetEntry] = Field(min_length=1)
    images_per_class: list[Count] = Field([1, 10, 50], min_length=1)
    target_images: Count | Literal["all_available"] = 5000
    batch_size: Count = 256
    snapshots: list[SnapshotStep] = Field([])
    protocols: list[ProtocolEntry] = Field([Paper()], min_length=1)
    trainings: Repeats = 5

    @field_validator("images_per_class")
    @classmethod
    def _check_images_per_class(cls, counts: list[int]) -> list[int]:
        if len(set(counts)) < len(counts):
            raise ValueError(f"got {shown(counts)}; expected different integers")
        return counts

    @model_validator(mode="after")
    def _check_sizes(self) -> Distillation:
        unique("datasets", [dataset.slug for dataset in self.datasets])
        unique("protocols", [protocol.label for protocol in self.protocols])
        check_snapshots(self.snapshots, self.methods)
        if self.target_images != ALL_AVAILABLE:
            sizes = {"batch_size": self.batch_size, "images_per_class": max(self.images_per_class)}
            for name, size in sizes.items():
                if size > self.target_images:
                    raise ValueError(
                        f"{name} is {size}; expected at most {self.target_images}, the "
                        "`target_images` of a class"
                    )
        return self

    def cells(self, seed: int) -> list[Cell]:
        """One cell for each dataset and number of images, and one for its whole training set.

        A draw of fewer images is the beginning of a draw of more; all draws of a flow share the
        real images.
        """
        moving, whole = self._moving_and_whole()
        cells = []
        for dataset in self.datasets:
            if moving:
                cells += [self._cell(dataset, p, seed, moving) for p in self.images_per_class]
            if whole:
                cells.append(self._cell(dataset, 0, seed, whole))
        return cells

    def cell_counts(self) -> list[tuple[int, int]]:
        """Methods that take the whole target do so once a dataset."""
        moving, whole = self._moving_and_whole()
        n = len(self.datasets)
        counts = [(n * len(self.images_per_class), len(moving)), (n, len(whole))]
        return [(cells, methods) for cells, methods in counts if methods]

    def _moving_and_whole(self) -> tuple[tuple[Method, ...], ...]:
        return tuple(
            tuple(method for method in self.methods if method.whole_target == whole)
            for whole in (False, True)
        )

    def _cell(self, dataset: Dataset, p: int, seed: int, methods: tuple[Method, ...]) -> Cell:
        """Problem of p images per class; 0 stands for the whole training set."""
        k = None if self.target_images == ALL_AVAILABLE else self.target_images
        draws = tuple(
            Draw(
                source=dataset,
                n=max(p, 1),
                source_seed=derive_seed(seed, "start", dataset.slug, flow),
                target=dataset,
                k=k,
                target_seed=derive_seed(seed, "target", dataset.slug, flow),
                units="target",
                minimum_k=self.batch_size if p and k is None else 1,
            )
            for flow in range(self.flows)
        )
        axes = {
            "task": self.name,
            "source": dataset.label,
            "target": dataset.label,
            "k": p,
        }
        return Cell(f"{dataset.slug}/{f'p{p}' if p else 'all'}", axes, draws, methods)

    @property
    def trainings_per_flow(self) -> int:
        """Return `trainings`."""
        return self.trainings

    def evaluators(self, method: Method) -> list[Distilled]:
        """One for each protocol."""
        return [Distilled(training=protocol) for protocol in self.protocols]

    def test_dataset(self, draw: Draw) -> Dataset:
        """Return the dataset itself."""
        return draw.target

    def problem_spec(self) -> dict[str, Any]:
        """Show each step a batch of the target."""
        return {"batch_size": self.batch_size}

    def listing(self) -> tuple[str, ...]:
        """List all reports but `STEPS`, where no step is kept."""
        return tuple(path for path in super().listing() if self.snapshots or path != STEPS)

    def snapshot_steps(self) -> list[int]:
        """Return `snapshots`."""
        return self.snapshots
