"""Particles labelled by the nearest particle of the target, each for itself or by a vote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wowbench.labelling.base import Labeller

if TYPE_CHECKING:
    from torch import Tensor

    from wowbench.state import State


class Nearest(Labeller):
    """Particles get the label of the nearest particle of the target.

    Parameters
    ----------
    majority : bool, default False
        Whether the particles of a class vote, so that all of them get the label of most.
    """

    def __init__(self, *, majority: bool = False):
        self.majority = majority

    @property
    def rule(self) -> str:
        """The rule in a few words."""
        return "majority of the nearest neighbours" if self.majority else "nearest neighbour"

    def label(self, moved: State, target: State) -> Tensor:
        """Label the particles `x`: see `label_by_nearest`."""
        return label_by_nearest(moved["x"], target["x"], majority=self.majority)


def label_by_nearest(flowed: Tensor, target: Tensor, *, majority: bool = False) -> Tensor:
    """Label particles by the nearest particle of the target.

    Parameters
    ----------
    flowed : Tensor
        Flowed particles, `(C, n, d)`.
    target : Tensor
        Target particles, `(C', m, d)`.
    majority : bool, default False
        Whether all particles of a class get the label that most of them have, the first of several.

    Returns
    -------
    Tensor
        Labels `(C, n)`, int64 in 0..C'-1.

    Raises
    ------
    ValueError
        For classes of the wrong shape, dtype, device or value.

    Notes
    -----
    With the vote, the label rule of Bonet, Cazelles, Drumetz and Courty, *Busemann functions in the
    Wasserstein space* (2025), for flows of labelled datasets.
    """
    import torch

    from wowbench.geometry.validation import check_classes, check_same_space

    flowed = check_classes("flowed", flowed, ragged=False)
    target = check_classes("target", target, ragged=False)
    check_same_space("target", target, "flowed", flowed)
    # In single precision products of many pixels would round neighbours together.
    distances = torch.cdist(flowed.flatten(0, 1).double(), target.flatten(0, 1).double())
    labels = (distances.argmin(1) // target.shape[1]).view(flowed.shape[:2])
    if not majority:
        return labels
    votes = torch.nn.functional.one_hot(labels, len(target)).sum(1)
    return votes.argmax(1, keepdim=True).repeat(1, flowed.shape[1])
