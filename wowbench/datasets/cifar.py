"""CIFAR-10."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np

from wowbench.datasets.base import Split
from wowbench.datasets.integrity import verify_checksum
from wowbench.datasets.vision import VisionDataset
from wowbench.registry import DATASETS


@DATASETS.register
class CIFAR10(VisionDataset):
    """Photographs of animals and vehicles (Krizhevsky 2009)."""

    name: ClassVar[str] = "CIFAR10"
    summary: ClassVar[str] = "60,000 photographs of animals and vehicles, 32 x 32, colour"
    licence: ClassVar[str] = "none stated"
    classes: ClassVar[tuple[str, ...]] = (
        *("airplane", "automobile", "bird", "cat", "deer"),
        *("dog", "frog", "horse", "ship", "truck"),
    )
    native_shape: ClassVar[tuple[int, int, int]] = (3, 32, 32)
    patterns: ClassVar[tuple[str, ...]] = ("cifar-10-batches-py/*",)

    def _checksums(self) -> dict[str, str]:
        source = self._torchvision()
        meta = (source.meta["filename"], source.meta["md5"])
        files = (*source.train_list, *source.test_list, meta)
        return {f"{source.base_folder}/{file}": md5 for file, md5 in files}

    def _files(self, split: Split) -> tuple[str, ...]:
        # torchvision wants all of them, whichever split it reads.
        return tuple(self._checksums())

    def _archives(self) -> dict[str, str]:
        source = self._torchvision()
        return {source.filename: source.tgz_md5}

    def _url(self) -> str:
        return self._torchvision().url

    def _read(self, root: Path, split: Split) -> tuple[np.ndarray, np.ndarray]:
        for file, md5 in self._checksums().items():
            verify_checksum(root / file, "md5", md5)
        data = self._open(root, split)
        images = np.ascontiguousarray(data.data.transpose(0, 3, 1, 2))
        return images, np.array(data.targets, np.int64)
