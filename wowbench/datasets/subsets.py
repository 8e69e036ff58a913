"""Pairs of subsets of two datasets, or disjoint ones of one, whose distances are measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, model_validator

from wowbench.datasets.splits import members_by_class, members_per_class
from wowbench.parameters import Count, Parameters, Repeats, Seed
from wowbench.seeding import derive_seed

if TYPE_CHECKING:
    import numpy as np

    from wowbench.datasets.base import LabelledParticles


def _check_order(sizes: tuple[int, int]) -> tuple[int, int]:
    if sizes[0] > sizes[1]:
        raise ValueError(f"got {list(sizes)}; expected the smallest size, then the largest")
    return sizes


Sizes = Annotated[tuple[Count, Count], AfterValidator(_check_order)]
"""Smallest and largest number of particles of a subset, in all."""


class Subsets(Parameters):
    """Which pairs of subsets are drawn.

    Parameters
    ----------
    pairs : int
        Number of pairs.
    sizes : (int, int), optional
        Smallest and largest number of particles of a subset. Both of a pair have as many, all
        numbers are equally likely, and classes are as large as it falls.
    per_class : int, optional
        Number of particles of each class. Either this or `sizes` is given.
    source_seed, target_seed : int
        Seeds of both sides.
    """

    pairs: Repeats
    sizes: Sizes | None = None
    per_class: Count | None = None
    source_seed: Seed
    target_seed: Seed

    @model_validator(mode="after")
    def _check_one_size(self) -> Subsets:
        if (self.sizes is None) == (self.per_class is None):
            raise ValueError("expected either `sizes` or `per_class`")
        return self

    def members(
        self,
        pair: int,
        source: LabelledParticles,
        target: LabelledParticles,
        *,
        disjoint: bool,
    ) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Choose the particles of one pair.

        Parameters
        ----------
        pair : int
            Number of the pair.
        source, target : LabelledParticles
            What both sides are drawn from.
        disjoint : bool
            Whether both are one dataset, no particle of which is in both subsets: the second one
            then continues the draw of the first.

        Returns
        -------
        source, target : list of C and C' numpy.ndarray, int64
            Places of the particles of each class.

        Raises
        ------
        InputError
            If there are too few particles.
        """
        first = derive_seed(self.source_seed, pair)
        second = first if disjoint else derive_seed(self.target_seed, pair)
        if self.per_class is not None:
            size, draw = self.per_class, members_per_class
        else:
            low, high = self.sizes
            size = low + derive_seed(self.source_seed, "size", pair) % (high - low + 1)
            draw = members_by_class
        skip = size if disjoint else 0
        a, b = draw(source, size, seed=first), draw(target, size, seed=second, skip=skip)
        return list(a), list(b)
