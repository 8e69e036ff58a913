"""Folders of images, one per class."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from wowbench.datasets.base import (
    Dataset,
    ImageSize,
    LabelledParticles,
    Split,
    check_split,
    expanded,
    resized,
)
from wowbench.datasets.image_files import image_files, read_image, visible_entries
from wowbench.datasets.listing import listing_digest
from wowbench.errors import InputError
from wowbench.names import Slug
from wowbench.parameters import FolderPath
from wowbench.registry import DATASETS


@DATASETS.register
class ImageFolder(Dataset):
    """Images as ``path/train/<class>/*`` and ``path/test/<class>/*``, and nothing else.

    The classes are the folders' names, sorted; images are in the order of their file names. What
    is hidden (a name with a dot in front, Thumbs.db, desktop.ini) is left out.

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
    summary: ClassVar[str] = "your own images, one folder per class"
    licence: ClassVar[str] = "that of your images"

    id: Slug
    path: FolderPath
    image_size: ImageSize | None = None
    channels: Literal[1, 3] = 3

    @property
    def shape(self) -> tuple[int, int, int] | None:
        """Channels, height and width; None where `image_size` is absent."""
        size = self.image_size
        return None if size is None else (self.channels, size, size)

    def load(self, split: Split, data_root: Path | None = None) -> LabelledParticles:
        """Read one split; `data_root` plays no part."""
        check_split(split)
        classes = self._classes()
        root = expanded(self.path) / split
        files = [(f, i) for i, c in enumerate(classes) for f in image_files(root / c, self.label)]
        images = None
        for i, (file, _) in enumerate(files):
            image = self._read(file)
            if images is None:
                first, images = file, np.empty((len(files), *image.shape), np.uint8)
            if image.shape != images.shape[1:]:
                raise InputError(
                    f"{self.label}: {file} has {_size(image)} pixels and {first} has "
                    f"{_size(images)}; set `image_size`"
                )
            images[i] = image
        return LabelledParticles(
            particles=images,
            labels=np.array([label for _, label in files], np.int64),
            classes=classes,
            dataset=self.label,
            split=split,
        )

    def fingerprint(self, data_root: Path | None = None) -> str:
        """Digest of the names, sizes and dates of all images."""
        patterns = ("train/*", "train/*/*", "test/*", "test/*/*")
        return listing_digest(expanded(self.path), patterns)

    def _classes(self) -> tuple[str, ...]:
        """Names of the classes, which must be the same in both splits."""
        train, test = (self._class_folders(split) for split in ("train", "test"))
        if train.keys() != test.keys():
            differing = sorted(train.keys() ^ test.keys())[0]
            raise InputError(
                f"{self.label}: the classes of train and test differ: {differing!r} is only in "
                f"{'train' if differing in train else 'test'} of {self.path}"
            )
        places: dict[Path, Path] = {}
        for folder in (*train.values(), *test.values()):
            other = places.setdefault(folder.resolve(), folder)
            if other is not folder:
                raise InputError(
                    f"{self.label}: {other} and {folder} are the same folder, by a link; expected "
                    "a folder for each class and split"
                )
        return tuple(train)

    def _class_folders(self, split: Split) -> dict[str, Path]:
        """Folders of a split by their names, sorted."""
        root = expanded(self.path) / split
        if not root.is_dir():
            raise InputError(
                f"{self.label}: there is no folder {root}; expected one folder per class in "
                f"{root.parent}/train and in {root.parent}/test"
            )
        entries = visible_entries(root, self.label)
        for entry in entries:
            if not entry.is_dir():
                raise InputError(f"{self.label}: {entry} is no folder; expected one per class")
        if len(entries) < 2:
            raise InputError(
                f"{self.label}: {root} has {len(entries)} class folders; expected at least 2"
            )
        return {entry.name: entry for entry in entries}

    def _read(self, file: Path) -> np.ndarray:
        """One image, uint8, shape (channels, height, width)."""
        return resized(read_image(file, self.channels, self.label)[None], self.image_size)[0]


def _size(images: np.ndarray) -> str:
    return " x ".join(str(side) for side in images.shape[-2:])
