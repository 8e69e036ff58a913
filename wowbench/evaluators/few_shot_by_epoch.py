"""Accuracy over the epochs of a training on few target images and flowed ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, model_validator

from wowbench.errors import shown
from wowbench.evaluation.sizes import MINIMUM_SIZE
from wowbench.evaluators.base import Evaluator, Evidence
from wowbench.evaluators.few_shot import Training, with_target
from wowbench.parameters import Count
from wowbench.registry import EVALUATORS

if TYPE_CHECKING:
    from torch import Tensor

Images = Literal["none", "clipped", "rescaled", "trajectory"]
"""What is trained on beside the target's images: see `FewShotByEpoch`."""


@EVALUATORS.register
class FewShotByEpoch(Evaluator):
    """Accuracy on the target's test set after several numbers of epochs of one training.

    Each classifier is trained once, and tested along the way.

    Parameters
    ----------
    training : mapping
        Parameters of `wowbench.evaluators.few_shot.Training`; its epochs are the training's.
    epochs : list of int
        Numbers of epochs after which the accuracy is taken.
    images : {"none", "clipped", "rescaled", "trajectory"}
        What is trained on beside the target's images: nothing; the flow's last particles,
        clipped to [0, 1], or each rescaled so that its darkest pixel is 0 and its brightest 1; or
        the particles of all frames, clipped, with the labels that they have in the last one.
    """

    name: ClassVar[str] = "few_shot_by_epoch"
    summary: ClassVar[str] = "classifiers of few-shot learning after several numbers of epochs"
    metrics: ClassVar[dict[str, tuple[float, float]]] = {"accuracy_at_epoch": (0.0, 1.0)}
    reads: ClassVar[frozenset[str]] = frozenset({"test"})

    training: Training = Training()
    epochs: list[Count] = Field(min_length=1)
    images: Images

    @model_validator(mode="after")
    def _check_epochs(self) -> FewShotByEpoch:
        check_epochs(self.epochs, self.training)
        return self

    @property
    def minimum_size(self) -> int:
        """That of the network."""
        return MINIMUM_SIZE[self.training.network]

    def columns(self) -> dict[str, str]:
        """Return the images, as the protocol."""
        return {"protocol": self.images}

    def score(self, evidence: Evidence, seeds: list[int], device: str) -> list[dict]:
        """Train once; one test accuracy per training and number of epochs."""
        from wowbench.evaluation.accuracy import accuracy
        from wowbench.evaluation.optimisers import AdamW
        from wowbench.evaluation.training import train_classifiers

        training, drawn = self.training, evidence.drawn
        images, labels = with_target(drawn, *self._flowed(evidence))
        steps_per_epoch = -(-len(images) // training.batch_size)
        trained = train_classifiers(
            images,
            labels,
            network=training.network,
            n_classes=len(drawn.classes),
            seeds=seeds,
            steps=training.epochs * steps_per_epoch,
            at_steps=[epoch * steps_per_epoch for epoch in self.epochs],
            batch_size=training.batch_size,
            optimiser=AdamW(lr=training.lr, weight_decay=training.weight_decay),
            device=device,
        )
        test_set = evidence.test_set()
        return [
            {
                "training_seed": i,
                "metric": "accuracy_at_epoch",
                "epoch": epoch,
                "value": float(score),
            }
            for epoch in self.epochs
            for i, score in enumerate(
                accuracy(trained.at_steps[epoch * steps_per_epoch], *test_set)
            )
        ]

    def _flowed(self, evidence: Evidence) -> tuple[Tensor, Tensor]:
        """Choose what is trained on beside the target, in coordinates, with its labels."""
        import torch

        trajectory, space = evidence.trajectory, evidence.drawn.space
        particles, labels = trajectory.last.particles, trajectory.last.labels
        if self.images == "none":
            particles, labels = particles[:0], labels[:0]
        elif self.images == "rescaled":
            particles = rescaled(particles)
        else:
            if self.images == "trajectory":
                frames = trajectory.frames.values()
                particles = torch.cat([frame.particles for frame in frames])
                labels = labels.repeat(len(frames))
            particles = particles.clamp(0, 1)
        return space.standardise(particles), labels


def check_epochs(epochs: list[int], training: Training) -> None:
    """Refuse numbers of epochs that a training does not reach, and equal ones.

    Raises
    ------
    ValueError
        In one line.
    """
    if len(set(epochs)) < len(epochs):
        raise ValueError(f"epochs are {shown(epochs)}; expected different ones")
    if max(epochs) > training.epochs:
        raise ValueError(
            f"epochs has {max(epochs)}, and the training has {training.epochs} epochs; expected at "
            f"most {training.epochs}"
        )


def rescaled(images: Tensor) -> Tensor:
    """Rescale each image to the range [0, 1].

    Parameters
    ----------
    images : Tensor, shape (N, ...)
        Images; one whose pixels are all equal becomes 0.

    Returns
    -------
    Tensor
        ``(x - min x) / (max x - min x)`` of each image x, as in the notebook of Bonet et al.
        (2025).
    """
    low, high = images.flatten(1).aminmax(dim=1)
    low, high = (bound.reshape(-1, *(1,) * (images.dim() - 1)) for bound in (low, high))
    return (images - low) / (high - low).where(high > low, 1)
