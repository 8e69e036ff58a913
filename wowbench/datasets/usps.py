"""USPS."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from wowbench.datasets.base import ImageSize, Split
from wowbench.datasets.integrity import verify_libsvm_images
from wowbench.datasets.vision import DIGITS, VisionDataset
from wowbench.registry import DATASETS

if TYPE_CHECKING:
    import torch


@DATASETS.register
class USPS(VisionDataset):
    """Digits from envelopes (Hull 1994).

    Parameters
    ----------
    image_size : int or None, default 28
        Height and width to resize to; MNIST's by default, as in the paper. None keeps 16 x 16.
    """

    name: ClassVar[str] = "USPS"
    summary: ClassVar[str] = "9,298 handwritten digits from envelopes, 16 x 16, grey"
    licence: ClassVar[str] = "none stated"
    classes: ClassVar[tuple[str, ...]] = DIGITS
    native_shape: ClassVar[tuple[int, int, int]] = (1, 16, 16)
    patterns: ClassVar[tuple[str, ...]] = ("usps.bz2", "usps.t.bz2")
    n_images: ClassVar[dict[str, int]] = {"train": 7_291, "test": 2_007}

    image_size: ImageSize | None = 28

    def _files(self, split: Split) -> tuple[str, ...]:
        return (self._torchvision().split_list[split][1],)

    def _url(self) -> str:
        return self._torchvision().split_list["train"][0].rpartition("/")[0]

    def _read(self, root: Path, split: Split) -> tuple[torch.Tensor, torch.Tensor]:
        import torch

        _, file, md5 = self._torchvision().split_list[split]
        verify_libsvm_images(
            root / file,
            n_images=self.n_images[split],
            n_pixels=self.native_shape[1] * self.native_shape[2],
            n_classes=len(self.classes),
            official_md5=md5,
        )
        data = self._open(root, split)
        return torch.from_numpy(data.data)[:, None], torch.tensor(data.targets)
