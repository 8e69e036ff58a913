"""Whole classes, labelled by the WoW coupling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from wowbench.labelling.base import Labeller

if TYPE_CHECKING:
    from torch import Tensor

    from wowbench.state import State


class WoWCoupling(Labeller):
    """Classes get the label of the target class that they are coupled with.

    For functionals that do not tell which class is which, so that a class may end on a target class
    other than the one it started from.
    """

    rule: ClassVar[str] = "WoW coupling of the classes"

    def label(self, moved: State, target: State) -> Tensor:
        """Label the particles `x`: see `label_by_wow_coupling`."""
        return label_by_wow_coupling(moved["x"], target["x"])


def label_by_wow_coupling(flowed: Tensor, target: Tensor | Sequence[Tensor]) -> Tensor:
    """Label whole classes by the WoW coupling of flowed and target classes.

    Parameters
    ----------
    flowed : Tensor
        Flowed particles, `(C, n, d)`.
    target : Tensor or sequence of Tensor
        Target particles, `(C', m, d)` or C' tensors `(n_c, d)`.

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
    return align_classes(flowed, target)[:, None].repeat(1, flowed.shape[1])
