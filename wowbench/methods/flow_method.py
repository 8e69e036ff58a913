"""A flow as a method: a functional, a scheme and a label rule, put together."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from wowbench.labelling.base import Labeller
from wowbench.labelling.wow_coupling import WoWCoupling
from wowbench.methods.base import Method
from wowbench.methods.problem import Problem, RunContext
from wowbench.methods.trajectory import Frame, Trajectory
from wowbench.parameters import FromRegistry, Steps
from wowbench.registry import SCHEMES
from wowbench.schemes.base import Scheme
from wowbench.schemes.momentum import Momentum

if TYPE_CHECKING:
    from torch import Tensor

    from wowbench.flows import Flow
    from wowbench.functionals.base import Functional
    from wowbench.state import State

logger = logging.getLogger(__name__)

SchemeField = Annotated[Scheme, FromRegistry(SCHEMES)]
"""Type of the field `scheme`, for methods that have another default."""


@dataclass(frozen=True)
class Composition:
    """What a method makes of a problem.

    Attributes
    ----------
    functional : Functional
        What is decreased.
    source : dict of str to Tensor
        All parts that it moves, where they start; the images are ``x``, ``(C, n, d)``.
    target : dict of str to Tensor
        The same of the target, for the label rule, in the coordinates of the problem.
    leave : callable, optional
        Takes moved images from the coordinates that they flow in to those of the problem.
    """

    functional: Functional
    source: State
    target: State
    leave: Callable[[Tensor], Tensor] | None = None


class FlowMethod(Method):
    """Base of methods that decrease a functional; `compose` says which.

    Parameters
    ----------
    scheme : Scheme
        How gradients become steps; a mapping without a name changes parameters of the default.
    steps : int
        Number of steps, at most.
    until : float, optional
        Share of the functional's first value, on draws held out of all steps, at which the flow
        stops; it takes all steps by default, and where it is not reached, which is said.
    """

    metrics: ClassVar[tuple[str, ...]] = ("held_out_loss",)

    scheme: SchemeField = Momentum(lr=1.0, momentum=0.9)
    steps: Steps = 5000
    until: Annotated[float, Field(gt=0, lt=1)] | None = None

    @property
    def labeller(self) -> Labeller:
        """The rule that labels moved images; the WoW coupling of the classes by default."""
        return WoWCoupling()

    @property
    def label_rule(self) -> str:
        """The rule in a few words."""
        return self.labeller.rule

    def compose(self, problem: Problem) -> Composition:
        """Return the functional for a problem, and the parts that it moves."""
        raise NotImplementedError

    def check_sizes(
        self, *, source_classes: int, n: int, target_classes: int, **others: Any
    ) -> None:
        """Refuse what the label rule cannot label."""
        self.labeller.check(
            f"method {self.label!r}",
            source_classes=source_classes,
            n=n,
            target_classes=target_classes,
        )

    def run(self, problem: Problem, context: RunContext) -> Trajectory:
        """Flow the source, project moved particles to their space, then label them."""
        import torch

        from wowbench.flows import descend

        self.check_sizes(**problem.sizes)
        composition = self.compose(problem)
        device = problem.source.device
        flow = descend(
            composition.functional,
            composition.source,
            self.scheme,
            steps=self.steps,
            until=self.until,
            generator=torch.Generator(device).manual_seed(context.seed),
            snapshots=context.snapshots_before(self.steps),
            checkpoint=context.checkpoint,
            progress=context.progress,
        )

        if flow.goal is not None and bool((flow.held_out > flow.goal).any()):
            logger.warning(
                "%s: not converged after %d steps: the held-out loss is %.3g, and `until` asks for "
                "%.3g; more steps are needed, or its minimum is not 0",
                *(self.label, self.steps, flow.held_out.max(), flow.goal.min()),
            )

        trajectory = label_flow(
            flow,
            problem,
            self.labeller,
            composition.target,
            parts=tuple(composition.source),
            leave=composition.leave,
        )
        measured = {"held_out_loss": flow.held_out, **flow.state}
        metrics = {name: float(measured[name]) for name in self.metrics if name in measured}
        return replace(trajectory, metrics=metrics)


def label_flow(
    flow: Flow,
    problem: Problem,
    labeller: Labeller,
    target: State,
    parts: Collection[str] = ("x",),
    leave: Callable[[Tensor], Tensor] | None = None,
) -> Trajectory:
    """Project moved particles to their space and label them, at each snapshot and at the end.

    Parameters
    ----------
    flow : Flow
        What moved the particles ``x``, ``(C, n, d)``.
    problem : Problem
        What it solved.
    labeller : Labeller
        The label rule.
    target : dict of str to Tensor
        Parts of the target, for the rule.
    parts : collection of str
        Parts of the flow that the rule reads; a part ``weights``, ``(C,)``, goes into frames.
    leave : callable, optional
        As of `Composition`.
    """

    def frame(state: State) -> Frame:
        moved = {part: state[part].to(problem.source.device) for part in parts}
        if leave is not None:
            moved["x"] = leave(moved["x"])
        moved["x"] = problem.space.project(moved["x"])
        labels = labeller.label(moved, target)
        particles = moved["x"].reshape(-1, *problem.shape)
        return Frame(particles, labels.flatten(), moved.get("weights"))

    states = {**flow.snapshots, flow.steps: flow.state}
    return Trajectory(
        frames={step: frame(states[step]) for step in sorted(states)},
        losses=flow.losses,
        seconds=flow.seconds,
    )
