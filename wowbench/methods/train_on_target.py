"""The baselines that move nothing: train on the few target images alone."""

from __future__ import annotations

from typing import ClassVar

from wowbench.methods.base import Method, Outcome, Problem, RunContext
from wowbench.registry import METHODS


@METHODS.register
class TrainOnTarget(Method):
    """Train on the target's labelled images alone (Bonet et al. 2025, Table 2, first row).

    An epoch is one pass over the C * k target images, so that at k = 1 it takes far fewer
    optimiser steps than a method that adds the flowed images.
    """

    name: ClassVar[str] = "train_on_target"
    summary: ClassVar[str] = "no flow: the k target images per class alone"
    tasks: ClassVar[frozenset[str]] = frozenset({"transfer"})
    label_rule: ClassVar[str] = "none needed"
    deterministic: ClassVar[bool] = True

    def run(self, problem: Problem, context: RunContext) -> Outcome:
        """Return no images; an epoch has C * k samples."""
        return _no_images(problem, problem.target.shape[0] * problem.target.shape[1])


@METHODS.register
class TrainOnTargetMatched(Method):
    """Train on the target's images alone, for as many steps as with flowed images beside them.

    Separates what a flow adds from what more optimiser steps add; the comparison of Bonet et al.
    (2025) leaves them together.
    """

    name: ClassVar[str] = "train_on_target_matched"
    summary: ClassVar[str] = "no flow, but the optimiser steps of a method that adds n images"
    tasks: ClassVar[frozenset[str]] = frozenset({"transfer"})
    label_rule: ClassVar[str] = "none needed"
    deterministic: ClassVar[bool] = True

    def run(self, problem: Problem, context: RunContext) -> Outcome:
        """Return no images; an epoch has C * k + C * n samples."""
        images = [t.shape[0] * t.shape[1] for t in (problem.source, problem.target)]
        return _no_images(problem, sum(images))


def _no_images(problem: Problem, training_samples: int) -> Outcome:
    import torch

    return Outcome(
        images=problem.source.new_empty(0, *problem.image_shape),
        labels=torch.empty(0, dtype=torch.int64),
        losses=torch.empty(0),
        seconds=0.0,
        training_samples=training_samples,
    )
