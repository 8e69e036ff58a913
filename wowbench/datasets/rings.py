"""Rings of the plane."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from wowbench.datasets.base import Coordinate, Dataset, LabelledParticles, Split, check_split
from wowbench.registry import DATASETS


@DATASETS.register
class Rings(Dataset):
    """Points at equal angles on circles side by side, one circle per class.

    Figure 1 and Appendix D.2 of Bonet et al. (2025). Class c has the points ``(c spacing, 0) +
    radius (cos a, sin a)`` with the angles ``a = 2 pi i / per_class``. Nothing in it is random, so
    that the test split has the points of the training split.

    Parameters
    ----------
    n_rings : int
        Number C of rings.
    per_class : int
        Number of points on each.
    radius : float
        Radius of each.
    spacing : float
        First coordinate of a ring's centre less that of the ring before it.
    """

    name: ClassVar[str] = "rings"
    summary: ClassVar[str] = "points on circles of the plane, one circle per class"
    licence: ClassVar[str] = "none needed"
    has_one_split: ClassVar[bool] = True

    n_rings: Annotated[int, Field(gt=0, le=1000)] = 3
    per_class: Annotated[int, Field(gt=0, le=10**5)] = 80
    radius: Annotated[float, Field(gt=0, le=1e6)] = 0.3
    spacing: Coordinate = -0.75

    @property
    def shape(self) -> tuple[int]:
        """The plane."""
        return (2,)

    @property
    def n_classes(self) -> int:
        """One per ring."""
        return self.n_rings

    def load(self, split: Split, data_root: Path | None = None) -> LabelledParticles:
        """Compute the points; `data_root` plays no part, and `split` only in the name."""
        check_split(split)
        angles = np.linspace(0, 2 * np.pi, self.per_class, endpoint=False)
        ring = self.radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        centres = self.spacing * np.arange(self.n_rings)[:, None] * [1, 0]
        points = centres[:, None] + ring
        return LabelledParticles(
            particles=points.reshape(-1, 2).astype(np.float32),
            labels=np.repeat(np.arange(self.n_rings), self.per_class),
            classes=tuple(f"ring {c}" for c in range(self.n_rings)),
            dataset=self.label,
            split=split,
        )
