"""A method that keeps to the contract, and others that break it in one way each."""

from __future__ import annotations

import os
import random
from typing import ClassVar

from pydantic import Field, field_serializer

from wowbench.errors import InputError
from wowbench.methods.base import Method
from wowbench.methods.problem import Problem, RunContext
from wowbench.methods.trajectory import Frame, Trajectory


class Good(Method):
    """Move each image towards another one of its class, by noise too.

    Nobody and Nowhere (2023).

    Parameters
    ----------
    speed, noise : float
        Share of the way that a step goes, and standard deviation of what it adds.
    steps : int
        Number of steps.
    """

    name: ClassVar[str] = "good"
    summary: ClassVar[str] = "images that move towards others"
    pairings: ClassVar[frozenset[str]] = frozenset({"free"})
    label_rule: ClassVar[str] = "class numbers"
    metrics: ClassVar[tuple[str, ...]] = ("distance",)

    speed: float = Field(0.5, gt=0)
    noise: float = Field(0.1, ge=0)
    steps: int = Field(100, gt=0)

    def run(self, problem: Problem, context: RunContext) -> Trajectory:
        from wowbench.flows import iterate

        state = self.start(problem)
        flow = iterate(
            self.step,
            state,
            steps=self.steps,
            generator=self.generator(context),
            snapshots=self.snapshots(context),
            checkpoint=context.checkpoint,
            progress=context.progress,
        )
        return self.trajectory(problem, state["x"], flow)

    def start(self, problem):
        goal = problem.target[:, :1]
        rows = [c % len(goal) for c in range(len(problem.source))]
        return {"x": problem.source.clone(), "goal": goal[rows].clone()}

    def generator(self, context):
        import torch

        return torch.Generator().manual_seed(context.seed)

    def snapshots(self, context):
        return context.snapshots_before(self.steps)

    def step(self, state, generator):
        import torch

        x, way = state["x"], state["goal"] - state["x"]
        noise = torch.empty_like(x).normal_(generator=generator)
        x += self.speed * way + self.noise * noise
        return way.square().mean()

    def particles(self, problem, x):
        return problem.space.project(x).flatten(0, 1)

    def labels(self, problem):
        import torch

        classes = torch.arange(len(problem.source)) % len(problem.target)
        return classes.repeat_interleave(problem.source.shape[1])

    def losses(self, flow):
        return flow.losses

    def measure(self, flow):
        return {"distance": float(flow.losses[-1])}

    def trajectory(self, problem, x, flow):
        labels = self.labels(problem)
        states = {**flow.snapshots, self.steps: {"x": x}}
        return Trajectory(
            frames={
                at: Frame(self.particles(problem, states[at]["x"]), labels) for at in sorted(states)
            },
            losses=self.losses(flow),
            seconds=flow.seconds,
            metrics=self.measure(flow),
        )


class Still(Method):
    """Leave all images where they are, without steps (Nobody, 2023)."""

    name: ClassVar[str] = "still"
    summary: ClassVar[str] = "images that stay"
    pairings: ClassVar[frozenset[str]] = frozenset({"by_number", "free"})
    label_rule: ClassVar[str] = "the first class"
    deterministic: ClassVar[bool] = True

    def run(self, problem: Problem, context: RunContext) -> Trajectory:
        import torch

        particles = problem.source.flatten(0, 1)
        labels = torch.zeros(len(particles), dtype=torch.int64)
        return Trajectory({0: Frame(particles, labels)}, torch.empty(0))


class Documented(Good):
    """Nobody (2023).

    Parameters
    ----------
    sped : float
        A parameter that is called otherwise.
    """


class Undocumented(Good):
    """Nobody (2023)."""

    taste: float = 1.0


class LongSummary(Good):
    """Nobody (2023)."""

    summary: ClassVar[str] = "images that move\ntowards others"


class NoSummary(Good):
    """Nobody (2023)."""

    summary: ClassVar[str] = " "


class NoLabelRule(Good):
    """Nobody (2023)."""

    label_rule: ClassVar[str] = ""


class UnknownPairing(Good):
    """Nobody (2023)."""

    pairings: ClassVar[frozenset[str]] = frozenset({"free", "freely"})


class NoPairing(Good):
    """Nobody (2023)."""

    pairings: ClassVar[frozenset[str]] = frozenset()


class NoReference(Good):
    """Move images in 2023, and cite nobody."""


class NoDocstring(Good):
    pass


class LostInJson(Good):
    """Nobody (2023)."""

    @field_serializer("speed")
    def _round(self, value: float) -> float:
        return 2 * value


class UnfitForJson(Good):
    """Nobody (2023).

    Parameters
    ----------
    limit : float
        Of nothing.
    """

    limit: float = float("inf")


class OddMetricName(Good):
    """Nobody (2023)."""

    metrics: ClassVar[tuple[str, ...]] = ("distance", "The Distance")


class MetricOfJobs(Good):
    """Nobody (2023)."""

    metrics: ClassVar[tuple[str, ...]] = ("distance", "accuracy")


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


class NoCheckpoint(Good):
    """Nobody (2023)."""

    def run(self, problem: Problem, context: RunContext) -> Trajectory:
        return super().run(
            problem, RunContext(context.seed, None, context.progress, context.snapshots)
        )


class CheckpointRemoved(Good):
    """Nobody (2023)."""

    def run(self, problem: Problem, context: RunContext) -> Trajectory:
        trajectory = super().run(problem, context)
        if context.checkpoint is not None:
            context.checkpoint.remove()
        return trajectory


class StateForgotten(Good):
    """Nobody (2023)."""

    def start(self, problem):
        self.__dict__["velocity"] = 0
        return super().start(problem)

    def step(self, state, generator):
        loss = super().step(state, generator)
        self.__dict__["velocity"] += 0.05
        state["x"] += self.velocity
        return loss


class SavesOnlyWhatIsCaught(Good):
    """Nobody (2023)."""

    def run(self, problem: Problem, context: RunContext) -> Trajectory:
        given = context.checkpoint
        if given is None:
            return super().run(problem, context)
        memory = _Memory(given)
        try:
            return super().run(
                problem, RunContext(context.seed, memory, context.progress, context.snapshots)
            )
        finally:
            memory.write()


class FailsElsewhere(Good):
    """Nobody (2023)."""

    def __setstate__(self, state):
        raise RuntimeError("elsewhere")


class _Memory:
    """A checkpoint that is written at the end of the process alone."""

    def __init__(self, given):
        self.given = given
        self.saved = None

    def is_due(self):
        return True

    def load(self, check):
        return self.given.load(check)

    def save(self, tensors, step, seconds):
        self.saved = {name: tensor.clone() for name, tensor in tensors.items()}, step, seconds

    def write(self):
        if self.saved is not None:
            self.given.save(*self.saved)
