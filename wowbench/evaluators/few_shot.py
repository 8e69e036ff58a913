"""Classifiers trained on few target images and flowed ones together (Table 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from wowbench.evaluation.sizes import MINIMUM_SIZE
from wowbench.evaluators.base import Evaluator, Evidence
from wowbench.parameters import Count, Decay, Parameters, StepSize
from wowbench.registry import EVALUATORS

if TYPE_CHECKING:
    from torch import Tensor

    from wowbench.jobs.drawn import Drawn

Budget = Literal["own", "matched"]
"""What a training may cost: see `FewShot`."""


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


@EVALUATORS.register
class FewShot(Evaluator):
    """Accuracy on the target's test set of classifiers trained on target and flowed images.

    Parameters
    ----------
    training : mapping
        Parameters of `Training`.
    budget : {"own", "matched"}
        Whether an epoch is a pass over the images that are there, as in Bonet et al. (2025), or
        has as many steps as with all source images beside the target's. It tells what a flow adds
        from what more optimiser steps add, where a method leaves the target alone.
    """

    name: ClassVar[str] = "few_shot"
    summary: ClassVar[str] = "classifiers trained on the target's and the flowed images"
    metrics: ClassVar[dict[str, tuple[float, float]]] = {"accuracy": (0.0, 1.0)}
    reads: ClassVar[frozenset[str]] = frozenset({"test"})

    training: Training = Training()
    budget: Budget = "own"

    @property
    def minimum_size(self) -> int:
        """That of the network."""
        return MINIMUM_SIZE[self.training.network]

    def columns(self) -> dict[str, str]:
        """Return the budget."""
        return {"budget": self.budget}

    def score(self, evidence: Evidence, seeds: list[int], device: str) -> list[dict]:
        """Train on target and flowed images together; one test accuracy per training."""
        from wowbench.evaluation.accuracy import accuracy
        from wowbench.evaluation.optimisers import AdamW
        from wowbench.evaluation.training import train_classifiers

        training, drawn, last = self.training, evidence.drawn, evidence.trajectory.last
        images, labels = with_target(drawn, drawn.space.standardise(last.particles), last.labels)
        trained = train_classifiers(
            images,
            labels,
            network=training.network,
            n_classes=len(drawn.classes),
            seeds=seeds,
            steps=training.epochs * self._steps_per_epoch(evidence, len(images)),
            batch_size=training.batch_size,
            optimiser=AdamW(lr=training.lr, weight_decay=training.weight_decay),
            device=device,
        )
        scores = accuracy(trained.networks, *evidence.test_set())
        return [
            {"training_seed": i, "metric": "accuracy", "value": float(score)}
            for i, score in enumerate(scores)
        ]

    def _steps_per_epoch(self, evidence: Evidence, samples: int) -> int:
        drawn = evidence.drawn
        if self.budget == "matched":
            samples = sum(side.shape[:2].numel() for side in (drawn.source, drawn.target))
        return -(-samples // self.training.batch_size)


def with_target(drawn: Drawn, particles: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Put labelled particles, in coordinates, behind a draw's target particles and their labels."""
    import torch

    classes, k = drawn.target.shape[:2]
    target = drawn.space.enter(drawn.target).flatten(0, 1)
    known = torch.arange(classes).repeat_interleave(k)
    return torch.cat([target, particles]), torch.cat([known, labels])
