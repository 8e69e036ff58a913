"""Classes that are matched by their numbers, and keep them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from wowbench.errors import InputError
from wowbench.labelling.base import Labeller

if TYPE_CHECKING:
    from torch import Tensor

    from wowbench.state import State


class ClassNumbers(Labeller):
    """Class c is matched with class c of the target, and keeps its number."""

    rule: ClassVar[str] = "class numbers"

    def check(self, who: str, *, source_classes: int, n: int, target_classes: int) -> None:
        """Refuse unlike numbers of classes."""
        if source_classes != target_classes:
            raise InputError(
                f"{who}: the source has {source_classes} classes and the target {target_classes}; "
                "expected as many, since classes are matched by their numbers"
            )

    def label(self, moved: State, target: State) -> Tensor:
        """Return the number of each particle's class."""
        import torch

        classes, n = moved["x"].shape[:2]
        return torch.arange(classes, device=moved["x"].device)[:, None].repeat(1, n)
