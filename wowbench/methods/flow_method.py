"""A flow as a method: a functional, a scheme and a label rule, put together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from wowbench.labelling.base import Labeller
from wowbench.labelling.wow_coupling import WoWCoupling
from wowbench.methods.base import Method, Outcome, Problem, RunContext, Snapshot
from wowbench.parameters import FromRegistry, Steps
from wowbench.registry import SCHEMES
from wowbench.schemes.base import Scheme
from wowbench.schemes.momentum import Momentum

if TYPE_CHECKING:
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

    def run(self, problem: Problem, context: RunContext) -> Outcome:
        """Flow the source, clip images that are in [0, 1], then label them."""
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

        def finish(state: State) -> Snapshot:
            moved = {part: state[part].to(device) for part in composition.source}
            if not problem.standardised:
                moved["x"] = moved["x"].clamp(0, 1)
            labels = self.labeller.label(moved, composition.target)
            return Snapshot(moved["x"].reshape(-1, *problem.image_shape), labels.flatten())

        last = finish(flow.state)
        # Images that stand for the target are trained on alone, others beside it.
        beside = 0 if problem.same_classes else problem.target.shape[:2].numel()
        return Outcome(
            images=last.images,
            labels=last.labels,
            losses=flow.losses,
            seconds=flow.seconds,
            training_samples=len(last.images) + beside,
            metrics={name: float(flow.state[name]) for name in self.metrics if name in flow.state},
            snapshots={step: finish(parts) for step, parts in flow.snapshots.items()},
        )
