"""SVHN."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from wowbench.datasets.base import Split
from wowbench.datasets.integrity import verify_checksum
from wowbench.datasets.vision import DIGITS, VisionDataset
from wowbench.registry import DATASETS


@DATASETS.register
class SVHN(VisionDataset):
    """House numbers from street views (Netzer et al. 2011), without the extra images."""

    name: ClassVar[str] = "SVHN"
    summary: ClassVar[str] = "99,289 digits of house numbers, 32 x 32, colour"
    licence: ClassVar[str] = "non-commercial use only"
    classes: ClassVar[tuple[str, ...]] = DIGITS
    native_shape: ClassVar[tuple[int, int, int]] = (3, 32, 32)
    patterns: ClassVar[tuple[str, ...]] = ("train_32x32.mat", "test_32x32.mat")

    def _open(self, root: Path, split: Split, *, download: bool = False) -> Any:
        return self._torchvision()(root, split=split, download=download)

    def _files(self, split: Split) -> tuple[str, ...]:
        return (self._torchvision().split_list[split][1],)

    def _url(self) -> str:
        return self._torchvision().split_list["train"][0].rpartition("/")[0]

    def _read(self, root: Path, split: Split) -> tuple[np.ndarray, np.ndarray]:
        _, file, md5 = self._torchvision().split_list[split]
        verify_checksum(root / file, "md5", md5)
        data = self._open(root, split)
        return np.ascontiguousarray(data.data), data.labels
