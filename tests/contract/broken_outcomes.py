"""Methods whose outcome breaks the contract, in one way each."""

from __future__ import annotations

import os
import random
import time
from typing import ClassVar

from toys import Good

from wowbench.errors import InputError
from wowbench.methods.problem import Problem, RunContext
from wowbench.methods.trajectory import Trajectory


class UndeclaredMetric(Good):
    """Nobody (2023)."""

    metrics: ClassVar[tuple[str, ...]] = ()


class SeedIgnored(Good):
    """Nobody (2023)."""

    def generator(self, context):
        import torch

        return torch.Generator().manual_seed(0)


class NotDeterministic(Good):
    """Nobody (2023)."""

    deterministic: ClassVar[bool] = True


class Unseeded(Good):
    """Nobody (2023)."""

    def generator(self, context):
        import torch

        generator = torch.Generator()
        generator.manual_seed(int.from_bytes(os.urandom(4), "big"))
        return generator


class WritesGlobalState(Good):
    """Nobody (2023)."""

    def step(self, state, generator):
        import numpy as np

        np.random.rand()  # noqa: NPY002
        return super().step(state, generator)


class SeedsGlobally(Good):
    """Nobody (2023)."""

    def generator(self, context):
        random.seed(context.seed)
        return super().generator(context)


class ReadsGlobalState(Good):
    """Nobody (2023)."""

    def step(self, state, generator):
        import torch

        with torch.random.fork_rng(devices=[]):
            state["x"] += 0.1 * torch.rand(())
        return super().step(state, generator)


class SnapshotsIgnored(Good):
    """Nobody (2023)."""

    def snapshots(self, context):
        return ()


class SnapshotsOfTheEnd(Good):
    """Nobody (2023)."""

    def trajectory(self, problem, x, flow):
        for kept in flow.snapshots.values():
            kept["x"] = x
        return super().trajectory(problem, x, flow)


class SnapshotsThatDisturb(Good):
    """Nobody (2023)."""

    def snapshots(self, context):
        self.__dict__["noise"] = 0.1 + len(context.snapshots)
        return super().snapshots(context)


class ProblemChanged(Good):
    """Nobody (2023)."""

    def start(self, problem):
        return super().start(problem) | {"x": problem.source}


class OneShape(Good):
    """Nobody (2023)."""

    def particles(self, problem, x):
        return super().particles(problem, x).reshape(-1, 1, 28, 28)


class ClassForClass(Good):
    """Nobody (2023)."""

    def start(self, problem):
        return {"x": problem.source.clone(), "goal": problem.target[:, :1].clone()}


class RefusesLate(Good):
    """Nobody (2023)."""

    def labels(self, problem):
        if len(problem.target) != len(problem.source):
            raise InputError("method 'good': 3 classes")
        return super().labels(problem)


class RefusesAtLength(Good):
    """Nobody (2023)."""

    def check_sizes(self, *, k: int, **others) -> None:
        if k == 1:
            raise InputError("method 'good': one image\nis too few")


class RefusesOddShapes(Good):
    """Nobody (2023)."""

    def check_sizes(self, *, shape, **others) -> None:
        if shape != (1, 28, 28):
            raise InputError("method 'good': images of 28 x 28")


class RefusesAll(Good):
    """Nobody (2023)."""

    def check_sizes(self, **sizes) -> None:
        raise InputError("method 'good': nothing is good enough")


class Unclipped(Good):
    """Nobody (2023)."""

    def particles(self, problem, x):
        return x.flatten(0, 1)


class LabelsOfTheSource(Good):
    """Nobody (2023)."""

    def labels(self, problem):
        import torch

        return torch.arange(len(problem.source)).repeat_interleave(problem.source.shape[1])


class OneLoss(Good):
    """Nobody (2023)."""

    def losses(self, flow):
        return flow.losses[-1:]


class LossAsColumn(Good):
    """Nobody (2023)."""

    def losses(self, flow):
        return flow.losses[:, None]


class OtherLosses(Good):
    """Nobody (2023)."""

    def losses(self, flow):
        return 2 * flow.losses


class Silent(Good):
    """Nobody (2023)."""

    def run(self, problem: Problem, context: RunContext) -> Trajectory:
        return super().run(
            problem, RunContext(context.seed, context.checkpoint, None, context.snapshots)
        )


class SharesWithAll(Good):
    """Nobody (2023)."""

    shared: ClassVar[dict[str, int]] = {}

    def step(self, state, generator):
        self.shared["seed"] = generator.initial_seed()
        time.sleep(0.005)
        state["x"] += 0.01 * self.shared["seed"]
        return super().step(state, generator)


class SharesAndSaysSo(SharesWithAll):
    """Nobody (2023)."""

    concurrent: ClassVar[bool] = False
