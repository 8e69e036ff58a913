"""Classifiers trained on distilled images alone (Table 1)."""

from __future__ import annotations

from typing import Any, ClassVar

from wowbench.evaluation.protocols import Protocol, ProtocolEntry
from wowbench.evaluation.sizes import MINIMUM_SIZE
from wowbench.evaluators.base import Evaluator, Evidence
from wowbench.registry import EVALUATORS


@EVALUATORS.register
class Distilled(Evaluator):
    """Accuracy on the target's test set of classifiers trained on the moved images alone.

    Where there are snapshots, "accuracy_at_step" has a row for each, and for the last images.

    Parameters
    ----------
    training : protocol
        Way to train the classifiers: see `wowbench.evaluation.protocols`.
    """

    name: ClassVar[str] = "distilled"
    summary: ClassVar[str] = "classifiers trained on the moved images alone"
    metrics: ClassVar[dict[str, tuple[float, float]]] = {
        "accuracy": (0.0, 1.0),
        "accuracy_at_step": (0.0, 1.0),
    }
    reads: ClassVar[frozenset[str]] = frozenset({"test"})

    training: ProtocolEntry

    @property
    def minimum_size(self) -> int:
        """That of the network."""
        return MINIMUM_SIZE[self.training.network]

    @property
    def protocol(self) -> Protocol:
        """The training, by whose label its rows are known."""
        return self.training

    def score(self, evidence: Evidence, seeds: list[int], device: str) -> list[dict]:
        """Train on the images alone; one test accuracy per training, and per snapshot."""
        from wowbench.evaluation.accuracy import accuracy

        space, test_set = evidence.drawn.space, evidence.test_set()
        frames = evidence.trajectory.frames
        at_step = {}
        for step, frame in frames.items():
            trained = self.training.train(
                space.standardise(frame.particles),
                frame.labels,
                n_classes=len(evidence.drawn.classes),
                seeds=seeds,
                device=device,
            )
            at_step[step] = accuracy(trained.networks, *test_set).tolist()
        rows = _rows(at_step[max(at_step)], metric="accuracy")
        if len(frames) > 1:
            for step, values in at_step.items():
                rows += _rows(values, metric="accuracy_at_step", step=step)
        return rows


def _rows(values: list[float], **columns: Any) -> list[dict]:
    return [{"training_seed": i, **columns, "value": value} for i, value in enumerate(values)]
