"""What changes in a flow from step to step, and the geometry of what a scheme moves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

State = dict[str, "Tensor"]
"""All that changes from step to step of a flow, by name."""

EUCLIDEAN, BURES = "euclidean", "bures"
GEOMETRIES = (EUCLIDEAN, BURES)
"""Geometries of a part of a state: free coordinates, or symmetric positive matrices."""

Parts = Mapping[str, str]
"""Parts of a state that are moved, by name, each with its geometry."""
