"""What a label rule is: a check of sizes before a flow, and labels after it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from torch import Tensor

    from wowbench.state import State


class Labeller(ABC):
    """A rule that labels moved particles. Its module imports no torch at its top.

    Attributes
    ----------
    rule : str
        The rule in a few words.
    """

    rule: ClassVar[str]

    def check(  # noqa: B027
        self, who: str, *, source_classes: int, n: int, target_classes: int
    ) -> None:
        """Refuse sizes that the rule cannot label; by default none.

        Parameters
        ----------
        who : str
            Begins the message.
        source_classes, n : int
            Number C of moved classes, and of particles of each.
        target_classes : int
            Number C' of the target's classes.

        Raises
        ------
        InputError
            In one line.
        """

    @abstractmethod
    def label(self, moved: State, target: State) -> Tensor:
        """Return the labels of moved particles.

        Parameters
        ----------
        moved : dict of str to Tensor
            Parts of the flow's state: the particles `x`, `(C, n, d)`, and what they carry.
        target : dict of str to Tensor
            The same of the target: `x` is `(C', m, d)`; what its classes carry has a row per class.

        Returns
        -------
        Tensor (C, n)
            int64 in 0..C'-1.
        """
