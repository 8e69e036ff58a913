"""Flows of distances that see particles and classes along random directions."""

from __future__ import annotations

from typing import ClassVar

from wowbench.distances.sliced import Directions
from wowbench.methods.chosen_labels import ChosenLabels, LabelRule
from wowbench.methods.problem import Pairing


class LabelledFlow(ChosenLabels):
    """Base of flows of a sliced distance between labelled datasets; `functional` says which.

    Parameters
    ----------
    n_directions : int
        Number L of directions drawn anew at each step.
    """

    pairings: ClassVar[frozenset[Pairing]] = frozenset({"free"})
    unpaired: ClassVar[str] = "its classes move freely, and there each stands for a given one"

    n_directions: Directions = 500
    labels: LabelRule = "nearest_majority"
