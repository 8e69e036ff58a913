"""Flows of classes that are matched with the target's once, at the start."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from wowbench.errors import InputError
from wowbench.methods.flow_method import Composition
from wowbench.methods.image_flow import ImageFlow
from wowbench.methods.problem import Pairing, Problem


class MatchedFlow(ImageFlow):
    """Base of flows that match classes by the WoW coupling before their first step, and keep to it.

    The coupling is that of Bonet et al. (2025), section 2, of pixels whatever the scenario.
    `functional` compares class c with class c of the target that it is given.
    """

    pairings: ClassVar[frozenset[Pairing]] = frozenset({"free"})
    unpaired: ClassVar[str] = "it matches classes itself, and there they are matched by number"

    def check_sizes(self, *, source_classes: int, target_classes: int, **others: Any) -> None:
        """Refuse unlike numbers of classes, and what images and label rule do not allow."""
        super().check_sizes(source_classes=source_classes, target_classes=target_classes, **others)
        if source_classes != target_classes:
            raise InputError(
                f"method {self.label!r}: the source has {source_classes} classes and the target "
                f"{target_classes}; expected as many, since classes are matched one to one"
            )

    def compose(self, problem: Problem) -> Composition:
        """Return the functional of the scenario, for a target in the order of the source."""
        from wowbench.geometry import align_classes

        target = {"x": problem.target.flatten(2)}
        order = align_classes(problem.source.flatten(2), target["x"])
        composition = super().compose(replace(problem, target=problem.target[order]))
        return replace(composition, target=target)
