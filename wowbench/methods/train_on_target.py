"""The baseline that moves nothing: train on the few target images alone."""

from __future__ import annotations

from typing import ClassVar

from wowbench.methods.base import Method
from wowbench.methods.problem import Pairing, Problem, RunContext
from wowbench.methods.trajectory import Frame, Trajectory
from wowbench.registry import METHODS


@METHODS.register
class TrainOnTarget(Method):
    """Train on the target's labelled images alone (Bonet et al. 2025, Table 2, first row).

    What a training may then cost is for the evaluation to say: an epoch over the C * k target
    images, or as many steps as with flowed images beside them.
    """

    name: ClassVar[str] = "train_on_target"
    summary: ClassVar[str] = "no flow: the k target images per class alone"
    pairings: ClassVar[frozenset[Pairing]] = frozenset({"free"})
    label_rule: ClassVar[str] = "none needed"
    deterministic: ClassVar[bool] = True
    target_alone: ClassVar[bool] = True

    def run(self, problem: Problem, context: RunContext) -> Trajectory:
        """Return no particles."""
        import torch

        none = problem.source.new_empty(0, *problem.shape)
        return Trajectory({0: Frame(none, torch.empty(0, dtype=torch.int64))}, torch.empty(0))
