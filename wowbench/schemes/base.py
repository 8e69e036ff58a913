"""What a scheme is: an update of a state, in place, from gradients."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from wowbench.errors import InputError, closest
from wowbench.parameters import Component
from wowbench.state import GEOMETRIES, Parts, State

if TYPE_CHECKING:
    from torch import Tensor


class Scheme(Component):
    """How gradients move a state: one subclass per file, its fields are its parameters.

    A scheme knows nothing of the functional but the geometry of each part of the state. All that
    it remembers from step to step is in the state, which checkpoints save.

    Attributes
    ----------
    name : str
        Name in configs.
    summary : str
        One line for ``wowbench list schemes``.
    """

    name: ClassVar[str]
    summary: ClassVar[str]

    @abstractmethod
    def start(self, state: State, parts: Parts) -> State:
        """Return what the scheme remembers, before the first step.

        Parameters
        ----------
        state : dict of str to Tensor
            Where the flow starts.
        parts : mapping of str to {"euclidean", "bures"}
            Geometry of each part that is moved.

        Returns
        -------
        dict of str to Tensor
            Tensors of other names, to be kept in the state.
        """

    @abstractmethod
    def step(self, state: State, grads: Mapping[str, Tensor], parts: Parts) -> None:
        """Move every part, in place.

        Parameters
        ----------
        state : dict of str to Tensor
            Parts, and what `start` returned; all are updated in place.
        grads : mapping of str to Tensor
            Gradient at each part, of its shape; not changed. That of a Bures part is symmetric, the
            Euclidean gradient with respect to the matrix.
        parts : mapping of str to {"euclidean", "bures"}
            Geometry of each part.
        """

    def capturable(self, parts: Parts) -> bool:
        """Whether a step on such parts never waits for the device."""
        return True


def parts_of(geometry: str, parts: Parts) -> list[str]:
    """Names of the parts of one geometry.

    Raises
    ------
    InputError
        If the geometry of a part is unknown.
    """
    for part, given in parts.items():
        if given not in GEOMETRIES:
            raise InputError(
                f"the geometry of the part {part!r} is {given!r}; {closest(given, GEOMETRIES)}"
            )
    return [part for part, given in parts.items() if given == geometry]
