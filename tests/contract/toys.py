"""Methods that keep to the contract."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

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
