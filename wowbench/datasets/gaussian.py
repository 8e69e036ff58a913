"""Gaussian noise: where flows start that start from nothing."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from wowbench.datasets.base import Coordinate, Dataset, LabelledParticles, Split, check_split
from wowbench.parameters import Count, Seed
from wowbench.registry import DATASETS

LARGEST = 2 * 10**8
"""Most numbers that a split may have."""

_NUMBER_OR_LIST = BeforeValidator(
    lambda value: value if isinstance(value, list) else [value],
    json_schema_input_type=Coordinate | list[Coordinate],
)


@DATASETS.register
class Gaussian(Dataset):
    """Independent particles from N(mean, std^2 I), in classes that differ in nothing.

    The rings of Bonet et al. (2025, Figure 1) are reached from ``{mean: [-0.3, 0], std: 0.01}``,
    their "noise to MNIST" starts from ``{dimensions: [1, 28, 28]}``.

    Parameters
    ----------
    dimensions : list of int
        Shape of a particle: [d] for points, [channels, height, width] as of images.
    mean : float or list of float
        Mean of all numbers of a particle; or of each coordinate of a point, of each channel.
    std : float
        Their standard deviation.
    n_blocks : int
        Number of classes.
    per_class : int
        Particles of each class in each split. Fewer are the beginning of more.
    seed : int
        Seed of the particles.
    """

    name: ClassVar[str] = "gaussian"
    summary: ClassVar[str] = "Gaussian noise of any shape, in classes that differ in nothing"
    licence: ClassVar[str] = "none needed"

    dimensions: list[Count] = Field([2], min_length=1, max_length=4)
    mean: Annotated[list[Coordinate], _NUMBER_OR_LIST] = Field([0.0], min_length=1)
    std: Annotated[float, Field(ge=1e-6, le=1e6)] = 1.0
    n_blocks: Count = 3
    per_class: Count = 80
    seed: Seed = 0

    @model_validator(mode="after")
    def _check_sizes(self) -> Gaussian:
        if len(self.mean) not in (1, self.dimensions[0]):
            raise ValueError(
                f"mean has {len(self.mean)} numbers; expected one, or {self.dimensions[0]}, the "
                "first of `dimensions`"
            )
        numbers = self.n_blocks * self.per_class * math.prod(self.dimensions)
        if numbers > LARGEST:
            raise ValueError(
                f"a split would have {numbers:,} numbers; expected at most {LARGEST:,}, as by a "
                "smaller `per_class`"
            )
        return self

    @property
    def shape(self) -> tuple[int, ...]:
        """The `dimensions`."""
        return tuple(self.dimensions)

    @property
    def n_classes(self) -> int:
        """One per block."""
        return self.n_blocks

    def load(self, split: Split, data_root: Path | None = None) -> LabelledParticles:
        """Draw the particles of a split, always the same; `data_root` plays no part."""
        check_split(split)
        size = (self.per_class, *self.shape)
        mean = np.reshape(self.mean, (-1, *(1,) * (len(self.shape) - 1)))
        blocks = [
            mean + self.std * _normal(size, self.seed, (split == "test", block))
            for block in range(self.n_blocks)
        ]
        return LabelledParticles(
            particles=np.concatenate(blocks, dtype=np.float32, casting="same_kind"),
            labels=np.repeat(np.arange(self.n_blocks), self.per_class),
            classes=tuple(f"block {block}" for block in range(self.n_blocks)),
            dataset=self.label,
            split=split,
        )


def _normal(size: tuple[int, ...], seed: int, key: tuple[int, ...]) -> np.ndarray:
    """Independent standard normal numbers, a stream of their own for each seed and key.

    They are the normal quantiles of raw PCG64 outputs, whose stream NumPy keeps for ever, as it
    does not promise of its `standard_normal`.
    """
    from scipy.special import ndtri

    bits = np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key))
    # Of 53 bits, the largest would be rounded to a probability of 1, whose quantile is infinite.
    uniform = ((bits.random_raw(math.prod(size)) >> np.uint64(12)) + 0.5) * 2.0**-52
    return ndtri(uniform).reshape(size)
