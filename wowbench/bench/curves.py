"""Loss and accuracy of a method's flows against their seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from wowbench.bench.profiles import first_reached, mean_and_error

if TYPE_CHECKING:
    from wowbench.bench.cells import Posed
    from wowbench.evaluators.few_shot import FewShot
    from wowbench.methods.flow_method import FlowMethod
    from wowbench.methods.problem import Problem
    from wowbench.methods.trajectory import Frame, Trajectory


def snapshot_steps(steps: int) -> list[int]:
    """Return steps 1, 2, 5, 10, 20, 50 and so on before the last of `steps`."""
    decades = range(len(str(steps)))
    return [m * 10**e for e in decades for m in (1, 2, 5) if m * 10**e < steps]


@dataclass(frozen=True)
class TimedFlow:
    """A flow on one draw, and how long it took.

    Attributes
    ----------
    posed : Posed
        The draw.
    trajectory : Trajectory
        What the method made of it.
    setup : float
        Seconds before the first step: to compose functional and start.
    """

    posed: Posed
    trajectory: Trajectory
    setup: float

    @property
    def taken(self) -> int:
        """Steps that were taken: fewer than asked for where it stopped at its goal."""
        return len(self.trajectory.losses)

    def seconds_at(self, step: int) -> float:
        """Seconds until a step, setup included: all steps of a flow are the same work."""
        return self.setup + self.trajectory.seconds * min(step, self.taken) / self.taken

    def frame_at(self, step: int) -> Frame:
        """Images and labels after a step; a flow that stopped stays where it is."""
        trajectory = self.trajectory
        return trajectory.frames[step] if step < self.taken else trajectory.last


@dataclass
class Curve:
    """The flows of a method on the draws of a cell, at common steps.

    Attributes
    ----------
    flows : list of TimedFlow
        One for each draw.
    evaluator : FewShot
        What measures accuracies: when they are asked for, as they take far longer than losses.
    """

    flows: list[TimedFlow]
    evaluator: FewShot
    _accuracies: dict[int, list[list[float]]] = field(default_factory=dict)

    @cached_property
    def steps(self) -> list[int]:
        """Steps of the snapshots, with the last that any flow has taken."""
        last = max(flow.taken for flow in self.flows)
        return [*snapshot_steps(last), last]

    @cached_property
    def losses(self) -> list[list[float]]:
        """Held-out loss of each flow (inner lists) at each snapshot."""
        return [
            [flow.posed.loss(flow.frame_at(step)) for flow in self.flows] for step in self.steps
        ]

    def accuracies(self, point: int) -> list[list[float]]:
        """Accuracy of each training (inner lists) of each flow at a snapshot."""
        if point not in self._accuracies:
            step = self.steps[point]
            self._accuracies[point] = [
                flow.posed.accuracies(flow.frame_at(step), self.evaluator) for flow in self.flows
            ]
        return self._accuracies[point]

    def seconds(self, point: int) -> float:
        """Mean over flows of the seconds until a snapshot."""
        return mean_and_error([[flow.seconds_at(self.steps[point])] for flow in self.flows])[0]

    def end_loss(self) -> tuple[float, float | None]:
        """Mean and standard error over flows of the loss at the end."""
        return mean_and_error([[loss] for loss in self.losses[-1]])

    def end_accuracy(self) -> tuple[float, float | None]:
        """Mean of the accuracy at the end, and its standard error, clustered by flow."""
        return mean_and_error(self.accuracies(len(self.steps) - 1))

    def seconds_to_loss(self, goal: float) -> float | None:
        """Seconds until the first snapshot whose mean loss is no more than a goal."""
        means = [mean_and_error([[loss] for loss in losses])[0] for losses in self.losses]
        return self._seconds_to(lambda point: means[point] <= goal, bisect=False)

    def seconds_to_accuracy(self, goal: float, *, bisect: bool) -> float | None:
        """Seconds until the first snapshot whose mean accuracy is at least a goal."""
        return self._seconds_to(
            lambda point: mean_and_error(self.accuracies(point))[0] >= goal, bisect=bisect
        )

    def _seconds_to(self, reached: Callable[[int], bool], *, bisect: bool) -> float | None:
        point = first_reached(len(self.steps), reached, bisect=bisect)
        return None if point is None else self.seconds(point)

    def records(self) -> Iterator[dict]:
        """All numbers of each flow, as JSON types: of accuracies those that were asked for."""
        for number, flow in enumerate(self.flows):
            snapshots = []
            for point, step in enumerate(self.steps):
                known = self._accuracies.get(point)
                snapshots.append(
                    {
                        "step": min(step, flow.taken),
                        "seconds": flow.seconds_at(step),
                        "loss": self.losses[point][number],
                        "accuracies": None if known is None else known[number],
                    }
                )
            yield {
                "flow": number,
                "steps": flow.taken,
                "setup_seconds": flow.setup,
                "flow_seconds": flow.trajectory.seconds,
                "snapshots": snapshots,
            }


def _setup_seconds(method: FlowMethod, problem: Problem) -> float:
    """Time what a method does before its first step."""
    import torch

    start = time.perf_counter()
    method.compose(problem)
    if problem.source.is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - start


def run_flows(method: FlowMethod, draws: list[Posed], evaluator: FewShot) -> Curve:
    """Run a method on each draw.

    Raises
    ------
    DivergedError
        If one of the flows diverges.
    """
    from wowbench.methods.problem import RunContext

    # One step alone, so that no run pays for start-up.
    method.model_copy(update={"steps": 1}).run(draws[0].problem, RunContext(draws[0].seed))
    snapshots = tuple(snapshot_steps(method.steps))
    flows = []
    for posed in draws:
        setup = _setup_seconds(method, posed.problem)
        context = RunContext(posed.seed, snapshots=snapshots)
        flows.append(TimedFlow(posed, method.run(posed.problem, context), setup))
    return Curve(flows, evaluator)


def compare_ends(curve: Curve, reference: Curve, *, bisect: bool) -> dict[str, Any]:
    """Compare a method's flows with the end of the reference's.

    Parameters
    ----------
    curve, reference : Curve
        The method's flows and the reference's, on the same draws.
    bisect : bool
        How accuracies are searched: see `wowbench.bench.profiles.first_reached`.

    Returns
    -------
    dict of str to Any
        As JSON types: ``seconds`` of a flow, mean and standard error of loss and accuracy at its
        ``end``; and for each of these the goal in ``goals``, ``seconds_to`` it, and the same in
        units of the reference's seconds in ``of_reference``, None where it is not reached.
    """
    loss_goal = sum(part or 0.0 for part in reference.end_loss())
    mean, error = reference.end_accuracy()
    accuracy_goal = mean - (error or 0.0)
    seconds = {
        "loss": curve.seconds_to_loss(loss_goal),
        "accuracy": curve.seconds_to_accuracy(accuracy_goal, bisect=bisect),
    }
    whole = reference.seconds(-1)
    (end_loss, loss_error), (end_accuracy, accuracy_error) = curve.end_loss(), curve.end_accuracy()
    return {
        "seconds": curve.seconds(-1),
        "end_loss": end_loss,
        "end_loss_error": loss_error,
        "end_accuracy": end_accuracy,
        "end_accuracy_error": accuracy_error,
        "goals": {"loss": loss_goal, "accuracy": accuracy_goal},
        "seconds_to": seconds,
        "of_reference": {goal: None if s is None else s / whole for goal, s in seconds.items()},
    }
