"""Datasets that torchvision reads and downloads.

Files lie below the data root as torchvision lays them out:

- ``MNIST/raw``, ``FashionMNIST/raw``, ``KMNIST/raw``: four idx files each
  (``train-images-idx3-ubyte``, ...), or their ``.gz`` archives;
- ``USPS``: ``usps.bz2`` and ``usps.t.bz2``;
- ``SVHN``: ``train_32x32.mat`` and ``test_32x32.mat``;
- ``CIFAR10``: the folder ``cifar-10-batches-py``, or ``cifar-10-python.tar.gz``.

The last three are also found in the data root itself, where torchvision puts them when it is
given the data root.
"""

from __future__ import annotations

import abc
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from wowbench.datasets.base import (
    Dataset,
    ImageSize,
    LabelledParticles,
    Split,
    check_split,
    resized,
    resolve_data_root,
)
from wowbench.datasets.download import download
from wowbench.datasets.listing import listing_digest
from wowbench.errors import InputError

DIGITS = tuple("0123456789")


class VisionDataset(Dataset):
    """A dataset that torchvision has under the same name.

    Parameters
    ----------
    image_size : int, optional
        Height and width to resize to (bilinear, antialiased); as in the files where absent.

    Attributes
    ----------
    classes : tuple of str
        Names of the classes.
    native_shape : tuple of int
        Channels, height and width in the files.
    patterns : tuple of str
        Patterns of the files' paths below the dataset's own folder.
    """

    classes: ClassVar[tuple[str, ...]]
    native_shape: ClassVar[tuple[int, int, int]]
    patterns: ClassVar[tuple[str, ...]]

    image_size: ImageSize | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        channels, height, width = self.native_shape
        return channels, self.image_size or height, self.image_size or width

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.classes)

    def load(self, split: Split, data_root: Path | None = None) -> LabelledParticles:
        """Read one split, downloading the files that are absent."""
        check_split(split)
        if self.bundled:
            from wowbench.datasets.bundled import read_bundled

            images, labels = read_bundled(self.name, split)
        else:
            root = self._complete_root(split, data_root)
            try:
                images, labels = self._read(root, split)
            except OSError as error:
                raise InputError(
                    f"{self.label}: cannot read {error.filename or root}: {error.strerror or error}"
                ) from error
        return LabelledParticles(
            particles=resized(images, self.image_size),
            labels=labels,
            classes=self.classes,
            dataset=self.label,
            split=split,
            bundled=self.bundled,
        )

    def fingerprint(self, data_root: Path | None = None) -> str:
        """Digest of the bundled files, or of the names, sizes and dates of the files in place."""
        if self.bundled:
            from wowbench.datasets.bundled import bundled_digest

            return bundled_digest(self.name)
        own = (f"{self.name}/{pattern}" for pattern in self.patterns)
        return listing_digest(resolve_data_root(data_root), (*own, *self.patterns))

    def _complete_root(self, split: Split, data_root: Path | None) -> Path:
        """Return torchvision's root, once the files of `split` are below it."""
        root = self._root(resolve_data_root(data_root))
        if not all((root / file).is_file() for file in self._files(split)):
            download(
                self.name,
                root,
                missing=[file for file in self._all_files() if not (root / file).is_file()],
                archives=self._archives(),
                url=self._url(),
                fetch=lambda folder: self._open(folder, split, download=True),
                hint="; or set `bundled: true`" if self.has_bundled_subset else "",
            )
        return root

    def _root(self, data_root: Path) -> Path:
        """Return the dataset's own folder, or `data_root` where its files are there."""
        own = data_root / self.name
        files = (*self._all_files(), *self._archives())
        found = (f for f in (own, data_root) if any((f / file).is_file() for file in files))
        return next(found, own)

    def _all_files(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self._files("train"), *self._files("test"))))

    def _torchvision(self) -> type:
        from torchvision import datasets

        return getattr(datasets, self.name)

    def _open(self, root: Path, split: Split, *, download: bool = False) -> Any:
        """Open the torchvision dataset whose root is `root`."""
        return self._torchvision()(root, train=split == "train", download=download)

    def _archives(self) -> dict[str, str]:
        """Name the archives from which torchvision extracts the files, each with its md5."""
        return {}

    @abc.abstractmethod
    def _files(self, split: Split) -> tuple[str, ...]:
        """Name the files below torchvision's root that it needs for a split."""

    @abc.abstractmethod
    def _url(self) -> str:
        """Say where the files can be had."""

    @abc.abstractmethod
    def _read(self, root: Path, split: Split) -> tuple[np.ndarray, np.ndarray]:
        """Check a split's files, then read images (N, channels, height, width) and labels (N,)."""
