"""Whole classes, labelled by the WoW coupling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from wowbench.labelling.base import Labeller

if TYPE_CHECKING:
    from torch import Tensor

    from wowbench.state import State


LEAST = 1e-6
"""Weight that a class without mass is coupled with."""


class WoWCoupling(Labeller):
    """Classes get the label of the target class that they are coupled with.

    For functionals that do not tell which class is which, so that a class may end on a target class
    other than the one it started from.
    """

    rule: ClassVar[str] = "WoW coupling of the classes"

    def label(self, moved: State, target: State) -> Tensor:
        """Label the particles `x` by their class weights, if any: see `label_by_wow_coupling`."""
        return label_by_wow_coupling(moved["x"], target["x"], weights=moved.get("weights"))


def label_by_wow_coupling(
    flowed: Tensor, target: Tensor | Sequence[Tensor], *, weights: Tensor | None = None
) -> Tensor:
    """Label whole classes by the WoW coupling of flowed and target classes.

    Parameters
    ----------
    flowed : Tensor
        Flowed particles, `(C, n, d)`.
    target : Tensor or sequence of Tensor
        Target particles, `(C', m, d)` or C' tensors `(n_c, d)`.
    weights : Tensor, optional
        Weights `(C,)` of the flowed classes, of sum 1; uniform by default. Those below `LEAST` are
        raised to it, so that a class without mass has a label too.

    Returns
    -------
    Tensor
        Labels `(C, n)`, int64 in 0..C'-1: every particle gets the target class that its class is
        coupled with. With as many classes on both sides each label is given to one class (see
        `wowbench.geometry.align_classes`).

    Raises
    ------
    ValueError
        For classes of the wrong shape, dtype, device or value.

    Notes
    -----
    The label rule of Bonet, Vauthier and Korba (2025) for flows on P2(P2(R^d)).
    """
    from wowbench.geometry import align_classes
    from wowbench.geometry.validation import check_classes, check_same_space

    flowed = check_classes("flowed", flowed, ragged=False)
    target = check_classes("target", target)
    check_same_space("target", target, "flowed", flowed)
    if weights is not None:
        weights = weights.clamp_min(LEAST)
        weights = weights / weights.sum()
    labels = align_classes(flowed, target, x_class_weights=weights)
    return labels[:, None].repeat(1, flowed.shape[1])
