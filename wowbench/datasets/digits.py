"""scikit-learn's digits, which need no data files."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np

from wowbench.datasets.base import (
    Dataset,
    ImageSize,
    LabelledParticles,
    Split,
    check_split,
    resized,
)
from wowbench.datasets.splits import permutation
from wowbench.registry import DATASETS

SPLIT_SEED = 0
TEST_FRACTION = 0.2


@DATASETS.register
class Digits(Dataset):
    """Handwritten digits of 8 x 8 pixels, a fifth of each class for the test.

    The split is stratified and always the same. The pixels' levels 0..16 become 0..255.

    Parameters
    ----------
    image_size : int, optional
        Height and width to resize to (bilinear, antialiased); 8 where absent.
    """

    name: ClassVar[str] = "digits"
    summary: ClassVar[str] = "1,797 handwritten digits of scikit-learn, 8 x 8, grey"
    licence: ClassVar[str] = "CC BY 4.0"

    image_size: ImageSize | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        return 1, self.image_size or 8, self.image_size or 8

    @property
    def n_classes(self) -> int:
        """Ten digits."""
        return 10

    def load(self, split: Split, data_root: Path | None = None) -> LabelledParticles:
        """Read one split; `data_root` plays no part."""
        check_split(split)
        from sklearn.datasets import load_digits

        data = load_digits()
        chosen = []
        for label in range(len(data.target_names)):
            members = np.flatnonzero(data.target == label)
            members = members[permutation(len(members), seed=SPLIT_SEED, label=label)]
            n_test = round(TEST_FRACTION * len(members))
            chosen.append(members[:n_test] if split == "test" else members[n_test:])
        chosen = np.sort(np.concatenate(chosen))
        images = np.rint(data.images[chosen] * (255 / 16)).astype(np.uint8)
        return LabelledParticles(
            particles=resized(images[:, None], self.image_size),
            labels=data.target[chosen].astype(np.int64),
            classes=tuple(str(name) for name in data.target_names),
            dataset=self.label,
            split=split,
        )
