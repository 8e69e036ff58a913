"""Folders of images, one a class."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from wowbench.datasets.base import Dataset, ImageSize, LabelledImages, Split, check_split, resized
from wowbench.datasets.listing import listing_digest
from wowbench.errors import InputError
from wowbench.parameters import Slug
from wowbench.registry import DATASETS

if TYPE_CHECKING:
    import torch

_PILLOW_MODES = {1: "L", 3: "RGB"}
_EIGHT_BIT_MODES = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr"}


@DATASETS.register
class ImageFolder(Dataset):
    """Images as ``path/train/<class>/*`` and ``path/test/<class>/*``, as torchvision has it.

    The classes are the folders' names, sorted; images are in the order of their file names.

    Parameters
    ----------
    id : str
        Name of this dataset in results and paths.
    path : path
        Folder that holds ``train`` and ``test``; a relative one is relative to the working
        directory.
    image_size : int, optional
        Height and width to resize each image to (bilinear, antialiased), without keeping its
        proportions. Where absent, all images must have the same size.
    channels : {1, 3}, default 3
        Grey or colour; images of the other kind are converted.
    """

    name: ClassVar[str] = "folder"
    summary: ClassVar[str] = "your own images, one folder a class"
    licence: ClassVar[str] = "that of your images"

    id: Slug
    path: Path
    image_size: ImageSize | None = None
    channels: Literal[1, 3] = 3

    @property
    def image_shape(self) -> tuple[int, int, int] | None:
        """Channels, height and width; None where `image_size` is absent."""
        size = self.image_size
        return None if size is None else (self.channels, size, size)

    def load(self, split: Split, data_root: Path | None = None) -> LabelledImages:
        """Read one split; `data_root` plays no part."""
        check_split(split)
        import torch
        from torchvision import datasets

        classes = self._classes()
        root = self._folder(split)
        try:
            samples = datasets.ImageFolder(root).samples
        except FileNotFoundError as error:
            raise InputError(f"{self.label}: {root}: {error}") from error
        images = None
        for i, (file, _) in enumerate(samples):
            image = self._read(Path(file))
            if images is None:
                first, images = file, image.new_empty(len(samples), *image.shape)
            if image.shape != images.shape[1:]:
                raise InputError(
                    f"{self.label}: {file} has {_size(image)} pixels and {first} has "
                    f"{_size(images)}; set `image_size`"
                )
            images[i] = image
        return LabelledImages(
            images=images,
            labels=torch.tensor([label for _, label in samples]),
            classes=classes,
            dataset=self.label,
            split=split,
        )

    def fingerprint(self, data_root: Path | None = None) -> str:
        """Digest of the names, sizes and dates of all images."""
        patterns = ("train/*", "train/*/*", "test/*", "test/*/*")
        return listing_digest(self.path.expanduser(), patterns)

    def _folder(self, split: Split) -> Path:
        folder = self.path.expanduser() / split
        if not folder.is_dir():
            raise InputError(
                f"{self.label}: there is no folder {folder}; expected one folder a class in "
                f"{folder.parent}/train and in {folder.parent}/test"
            )
        return folder

    def _classes(self) -> tuple[str, ...]:
        """Names of the classes, which must be the same in both splits."""
        train, test = (
            {entry.name for entry in self._folder(split).iterdir() if entry.is_dir()}
            for split in ("train", "test")
        )
        if train != test:
            differing = sorted(train ^ test)[0]
            raise InputError(
                f"{self.label}: the classes of train and test differ: {differing!r} is only in "
                f"{'train' if differing in train else 'test'} of {self.path}"
            )
        return tuple(sorted(train))

    def _read(self, file: Path) -> torch.Tensor:
        """One image, uint8, shape (channels, height, width)."""
        from PIL import Image
        from torchvision.transforms.v2.functional import pil_to_tensor

        try:
            with Image.open(file) as image:
                if image.mode not in _EIGHT_BIT_MODES:
                    raise ValueError(f"pixels of mode {image.mode}, not of 8 bits")
                converted = image.convert(_PILLOW_MODES[self.channels])
        except (OSError, SyntaxError, ValueError) as error:
            raise InputError(f"{self.label}: cannot read the image {file}: {error}") from error
        return resized(pil_to_tensor(converted)[None], self.image_size)[0]


def _size(images: torch.Tensor) -> str:
    return " x ".join(str(side) for side in images.shape[-2:])
