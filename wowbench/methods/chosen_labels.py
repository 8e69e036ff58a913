"""Flows of images whose label rule is a parameter."""

from __future__ import annotations

from typing import Literal

from wowbench.labelling.base import Labeller
from wowbench.labelling.nearest import Nearest
from wowbench.labelling.wow_coupling import WoWCoupling
from wowbench.methods.image_flow import ImageFlow

LabelRule = Literal["wow_coupling", "nearest", "nearest_majority"]
"""Name of a label rule that any problem allows."""


class ChosenLabels(ImageFlow):
    """Base of flows whose classes may come apart, or end together.

    Parameters
    ----------
    labels : {"wow_coupling", "nearest", "nearest_majority"}
        How moved images get their labels: whole classes by the WoW coupling (Bonet et al. 2025);
        each image from the nearest of the target's; or whole classes by the majority of these.
    """

    labels: LabelRule = "wow_coupling"

    @property
    def labeller(self) -> Labeller:
        """The rule of that name."""
        if self.labels == "wow_coupling":
            return WoWCoupling()
        return Nearest(majority=self.labels == "nearest_majority")
