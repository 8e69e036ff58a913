"""A flow as a method: a functional, a scheme and a label rule, put together."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

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
    from wowbench.flows import Flow
    from wowbench.functionals.base import Functional
    from wowbench.state import State

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
        The same of the target, for the label rule.
    """

    functional: Functional
    source: State
    target: State


class FlowMethod(Method):
    """Base of methods that decrease a functional; `compose` says which.

    Parameters
    ----------
    scheme : Scheme
        How gradients become steps; a mapping without a name changes parameters of the default.
    steps : int
        Number of steps.
    """

    scheme: SchemeField = Momentum(lr=1.0, momentum=0.9)
    steps: Steps = 5000

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
            generator=torch.Generator(device).manual_seed(context.seed),
            snapshots=context.snapshots_before(self.steps),
            checkpoint=context.checkpoint,
            progress=context.progress,
        )

        trajectory = label_flow(
            flow, problem, self.labeller, composition.target, parts=tuple(composition.source)
        )
        metrics = {name: float(flow.state[name]) for name in self.metrics if name in flow.state}
        return replace(trajectory, metrics=metrics)


def label_flow(
    flow: Flow,
    problem: Problem,
    labeller: Labeller,
    target: State,
    parts: Collection[str] = ("x",),
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
    """

    def frame(state: State) -> Frame:
        moved = {part: state[part].to(problem.source.device) for part in parts}
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
