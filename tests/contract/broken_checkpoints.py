"""Methods that do not go on from where they were, in one way each."""

from __future__ import annotations

from toys import Good

from wowbench.methods.problem import Problem, RunContext
from wowbench.methods.trajectory import Trajectory


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
