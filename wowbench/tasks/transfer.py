"""Transfer learning: few target images, helped by a flowed source dataset (Tables 2 and 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from wowbench.errors import shown
from wowbench.evaluation.sizes import MINIMUM_SIZE
from wowbench.names import unique
from wowbench.parameters import Count, Decay, Parameters, StepSize
from wowbench.registry import TASKS
from wowbench.seeding import derive_seed
from wowbench.tasks.base import Cell, DatasetEntry, Draw, Task

if TYPE_CHECKING:
    from wowbench.datasets.base import LabelledImages
    from wowbench.jobs.files import DrawnImages, Flowed


class Training(Parameters):
    """How classifiers are trained (Bonet et al. 2025, Appendix D).

    Parameters
    ----------
    network : {"lenet5"}
        Architecture.
    epochs, batch_size : int
        Passes over the training samples, and samples per step.
    lr, weight_decay : float
        Of AdamW.
    """

    network: Literal["lenet5"] = "lenet5"
    epochs: Count = 50
    batch_size: Count = 64
    lr: StepSize = 3e-4
    weight_decay: Decay = 1e-4


class Evaluation(Parameters):
    """Parameters of the evaluation of a flow.

    Parameters
    ----------
    training : mapping
        Parameters of `Training`.
    """

    training: Training


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
        Parameters of `Training`.
    """

    name: ClassVar[str] = "transfer"
    summary: ClassVar[str] = "few-shot classification helped by a flowed source dataset"
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
    metrics: ClassVar[dict[str, tuple[float, float]]] = {"accuracy": (0.0, 1.0)}
    evaluation: ClassVar[type[Parameters]] = Evaluation
    axis_fields: ClassVar[frozenset[str]] = Task.axis_fields | {"source", "targets", "shots"}

    source: DatasetEntry
    targets: list[DatasetEntry] = Field(min_length=1)
    shots: list[Count] = Field([1, 5, 10, 100], min_length=1)
    images_per_class: Count = 200
    spread: Literal["per_flow", "fixed"] = "per_flow"
    training: Training = Training()

    @field_validator("shots")
    @classmethod
    def _check_shots(cls, shots: list[int]) -> list[int]:
        if len(set(shots)) < len(shots):
            raise ValueError(f"got {shown(shots)}; expected different integers")
        return shots

    @model_validator(mode="after")
    def _check_shapes(self) -> Transfer:
        unique("targets", [target.slug for target in self.targets])
        for target in self.targets:
            shapes = (self.source.image_shape, target.image_shape)
            if None not in shapes and shapes[0] != shapes[1]:
                raise ValueError(
                    f"source {self.source.label} has images of shape {shapes[0]} and target "
                    f"{target.label} of shape {shapes[1]}; they must be equal (set `image_size`)"
                )
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
                    minimum_size=MINIMUM_SIZE[self.training.network],
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

    def evaluation_spec(self) -> dict:
        """Parameters of the training, under ``training``."""
        return {"training": self.training.model_dump(mode="json")}

    @classmethod
    def evaluate(
        cls,
        evaluation: Evaluation,
        seeds: list[int],
        draw: DrawnImages,
        flowed: Flowed,
        test: LabelledImages,
        device: str,
    ) -> list[dict]:
        """Train on target and flowed images together; one test accuracy per training."""
        import math

        import torch

        from wowbench.datasets.splits import to_unit_interval
        from wowbench.evaluation.accuracy import accuracy
        from wowbench.evaluation.optimisers import AdamW
        from wowbench.evaluation.training import train_classifiers

        training = evaluation.training
        classes, k = draw.target.shape[:2]
        images = torch.cat([to_unit_interval(draw.target).flatten(0, 1), flowed.images])
        labels = torch.cat([torch.arange(classes).repeat_interleave(k), flowed.labels])
        trained = train_classifiers(
            images,
            labels,
            network=training.network,
            n_classes=classes,
            seeds=seeds,
            steps=training.epochs * math.ceil(flowed.training_samples / training.batch_size),
            batch_size=training.batch_size,
            optimiser=AdamW(lr=training.lr, weight_decay=training.weight_decay),
            device=device,
        )
        scores = accuracy(trained, to_unit_interval(test.images), test.labels)
        return [
            {"training_seed": i, "metric": "accuracy", "value": float(score)}
            for i, score in enumerate(scores)
        ]
