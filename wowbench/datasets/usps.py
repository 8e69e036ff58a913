"""USPS."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np

from wowbench.datasets.base import ImageSize, Split
from wowbench.datasets.integrity import verify_libsvm_images
from wowbench.datasets.vision import DIGITS, VisionDataset
from wowbench.registry import DATASETS


@DATASETS.register
class USPS(VisionDataset):
    """Digits from envelopes (Hull 1994).

    Parameters
    ----------
    image_size : int or None, default 28
        Height and width to resize to; MNIST's by default, as in the paper. None keeps 16 x 16.

    Attributes
    ----------
    n_images : dict
        Number of images of each split.
    archives : dict
        Name and official md5 of the file of each split.
    """

    name: ClassVar[str] = "USPS"
    summary: ClassVar[str] = "9,298 handwritten digits from envelopes, 16 x 16, grey"
    licence: ClassVar[str] = "none stated"
    classes: ClassVar[tuple[str, ...]] = DIGITS
    native_shape: ClassVar[tuple[int, int, int]] = (1, 16, 16)
    patterns: ClassVar[tuple[str, ...]] = ("usps.bz2", "usps.t.bz2")
    n_images: ClassVar[dict[str, int]] = {"train": 7_291, "test": 2_007}
    archives: ClassVar[dict[str, tuple[str, str]]] = {
        "train": ("usps.bz2", "ec16c51db3855ca6c91edd34d0e9b197"),
        "test": ("usps.t.bz2", "8ea070ee2aca1ac39742fdd1ef5ed118"),
    }

    image_size: ImageSize | None = 28

    def _files(self, split: Split) -> tuple[str, ...]:
        return (self.archives[split][0],)

    def _url(self) -> str:
        return self._torchvision().split_list["train"][0].rpartition("/")[0]

    def _read(self, root: Path, split: Split) -> tuple[np.ndarray, np.ndarray]:
        from sklearn.datasets import load_svmlight_file

        file, md5 = self.archives[split]
        height, width = self.native_shape[1:]
        verify_libsvm_images(
            root / file,
            n_images=self.n_images[split],
            n_pixels=height * width,
            n_classes=len(self.classes),
            official_md5=md5,
        )
        pixels, labels = load_svmlight_file(
            str(root / file), n_features=height * width, dtype=np.float32
        )
        # From -1..1, rounded down, as torchvision does.
        levels = ((pixels.toarray() + 1) / 2 * 255).astype(np.uint8)
        return levels.reshape(-1, 1, height, width), labels.astype(np.int64) - 1
