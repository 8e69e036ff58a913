"""A classifier of the target, tested on flowed particles that it has not seen (Figure 3)."""

from __future__ import annotations

from typing import ClassVar

from wowbench.errors import InputError
from wowbench.evaluators.base import Evaluator, Evidence
from wowbench.registry import EVALUATORS


@EVALUATORS.register
class FrozenClassifier(Evaluator):
    """Share of flowed particles that a classifier of the target puts into their aligned classes.

    Bonet et al. (2025), Section 5: the label of a particle is that of its trajectory's frame, by
    default the target class with which the WoW coupling aligns its class. "accuracy" is of the
    last frame, "accuracy_at_step" of each, and "test_accuracy" is the classifier's own on the test
    split, which no flow can be expected to pass.
    """

    name: ClassVar[str] = "frozen_classifier"
    summary: ClassVar[str] = "a classifier of the target, tested on flowed particles"
    metrics: ClassVar[dict[str, tuple[float, float]]] = {
        "accuracy": (0.0, 1.0),
        "accuracy_at_step": (0.0, 1.0),
        "test_accuracy": (0.0, 1.0),
    }
    reads: ClassVar[frozenset[str]] = frozenset({"test", "classifier"})

    def score(self, evidence: Evidence, seeds: list[int], device: str) -> list[dict]:
        """Classify every frame, and the test split."""
        from wowbench.evaluation.accuracy import accuracy

        classifier, space = evidence.classifier, evidence.drawn.space
        if classifier.image_shape != space.shape:
            raise InputError(
                f"the classifier takes images of shape {classifier.image_shape}; expected "
                f"{space.shape}, that of the particles"
            )
        networks = [classifier.network.to(device)]
        frames = evidence.trajectory.frames
        at_step = {
            step: float(accuracy(networks, space.standardise(frame.particles), frame.labels))
            for step, frame in frames.items()
        }
        rows = [{"metric": "accuracy", "value": at_step[max(at_step)]}]
        rows += [
            {"metric": "accuracy_at_step", "step": step, "value": value}
            for step, value in at_step.items()
        ]
        test_accuracy = float(accuracy(networks, *evidence.test_set()))
        return [*rows, {"metric": "test_accuracy", "value": test_accuracy}]
