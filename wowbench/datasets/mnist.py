"""MNIST and the datasets in its format."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np

from wowbench.datasets.base import Split
from wowbench.datasets.integrity import (
    checksum,
    verify_against_gzip,
    verify_checksum,
    verify_idx,
)
from wowbench.datasets.vision import DIGITS, VisionDataset
from wowbench.registry import DATASETS


class IdxDataset(VisionDataset):
    """A dataset in four idx files: 60,000 training and 10,000 test images of 28 x 28, grey.

    Attributes
    ----------
    n_images : dict
        Number of images of each split.
    raw_md5 : dict
        md5 of the files without compression, where known; torchvision has only the archives'.
        Other files are checked by their header and length, and by the official archive where it
        lies beside them.
    """

    native_shape: ClassVar[tuple[int, int, int]] = (1, 28, 28)
    patterns: ClassVar[tuple[str, ...]] = ("raw/*-ubyte",)
    n_images: ClassVar[dict[str, int]] = {"train": 60_000, "test": 10_000}
    raw_md5: ClassVar[dict[str, str]] = {}

    def _root(self, data_root: Path) -> Path:
        return data_root

    def _files(self, split: Split) -> tuple[str, ...]:
        stem = f"{self.name}/raw/{'train' if split == 'train' else 't10k'}"
        return f"{stem}-images-idx3-ubyte", f"{stem}-labels-idx1-ubyte"

    def _archives(self) -> dict[str, str]:
        return {f"{self.name}/raw/{file}": md5 for file, md5 in self._torchvision().resources}

    def _url(self) -> str:
        return self._torchvision().mirrors[0]

    def _read(self, root: Path, split: Split) -> tuple[np.ndarray, np.ndarray]:
        n = self.n_images[split]
        images, labels = (root / file for file in self._files(split))
        self._verify(images, (n, *self.native_shape[1:]))
        self._verify(labels, (n,))
        return (
            np.fromfile(images, np.uint8, offset=16).reshape(n, *self.native_shape),
            np.fromfile(labels, np.uint8, offset=8).astype(np.int64),
        )

    def _verify(self, path: Path, shape: tuple[int, ...]) -> None:
        if path.name in self.raw_md5:
            verify_checksum(path, "md5", self.raw_md5[path.name])
            return
        verify_idx(path, shape)
        archive = path.with_name(f"{path.name}.gz")
        if not archive.is_file():
            return
        official = dict(self._torchvision().resources)[archive.name]
        if checksum(archive, "md5") == official:
            verify_against_gzip(path, archive)


@DATASETS.register
class MNIST(IdxDataset):
    """Handwritten digits (LeCun et al. 1998)."""

    name: ClassVar[str] = "MNIST"
    summary: ClassVar[str] = "70,000 handwritten digits, 28 x 28, grey"
    licence: ClassVar[str] = "CC BY-SA 3.0"
    has_bundled_subset: ClassVar[bool] = True
    classes: ClassVar[tuple[str, ...]] = DIGITS
    raw_md5: ClassVar[dict[str, str]] = {
        "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    }


@DATASETS.register
class FashionMNIST(IdxDataset):
    """Pictures of clothes (Xiao et al. 2017)."""

    name: ClassVar[str] = "FashionMNIST"
    summary: ClassVar[str] = "70,000 pictures of clothes, 28 x 28, grey"
    licence: ClassVar[str] = "MIT"
    has_bundled_subset: ClassVar[bool] = True
    classes: ClassVar[tuple[str, ...]] = (
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    )
    raw_md5: ClassVar[dict[str, str]] = {
        "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
        "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
        "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
    }


@DATASETS.register
class KMNIST(IdxDataset):
    """Cursive Japanese characters (Clanuwat et al. 2018)."""

    name: ClassVar[str] = "KMNIST"
    summary: ClassVar[str] = "70,000 cursive Japanese characters, 28 x 28, grey"
    licence: ClassVar[str] = "CC BY-SA 4.0"
    classes: ClassVar[tuple[str, ...]] = (
        *("o", "ki", "su", "tsu", "na"),
        *("ha", "ma", "ya", "re", "wo"),
    )
