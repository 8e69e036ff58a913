"""What a dataset is: named, typed parameters, and two splits of labelled particles."""

from __future__ import annotations

import abc
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar, Literal, get_args

import numpy as np
from pydantic import Field, model_validator

from wowbench.errors import InputError, closest
from wowbench.names import Slug
from wowbench.parameters import FromRegistry, Parameters, check_id
from wowbench.registry import DATASETS

Split = Literal["train", "test"]
ImageSize = Annotated[int, Field(ge=2, le=4096)]

Coordinate = Annotated[float, Field(ge=-1e6, le=1e6)]
"""Coordinate of a computed point."""


@dataclass(frozen=True, eq=False)
class LabelledParticles:
    """Particles with their classes: one split of a dataset.

    Parameters
    ----------
    particles : numpy.ndarray, shape (N, *shape)
        Images as uint8 of shape (N, channels, height, width), pixels in 0..255; or finite float32
        numbers of any shape.
    labels : numpy.ndarray, int64, shape (N,)
        Index of each particle's class, in 0..C-1.
    classes : tuple of str, length C
        Names of the classes.
    dataset : str
        Label of the dataset, for messages and results.
    split : {"train", "test"}
        Which split this is.
    bundled : bool
        Whether these come from the subset inside the package.
    measured : mapping of str to float
        What loading it has measured, by the names in the dataset's `metrics`.

    Raises
    ------
    InputError
        If a dtype, a shape, a value or a label is not as above.
    """

    particles: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    dataset: str
    split: Split
    bundled: bool = False
    measured: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self):
        particles, labels = self.particles, self.labels
        stored = {np.dtype(np.uint8): particles.ndim == 4, np.dtype(np.float32): particles.ndim > 1}
        if not stored.get(particles.dtype, False):
            raise InputError(
                f"{self}: particles must be an array, uint8 of shape (N, channels, height, width) "
                f"or float32 of shape (N, ...), got {particles.dtype} of shape "
                f"{tuple(particles.shape)}"
            )
        if labels.dtype != np.int64 or labels.shape != particles.shape[:1]:
            raise InputError(
                f"{self}: labels must be an int64 array of shape ({len(particles)},), "
                f"got {labels.dtype} of shape {tuple(labels.shape)}"
            )
        if particles.size == 0:
            raise InputError(f"{self}: there is no particle")
        finite = np.isfinite(particles)
        if not finite.all():
            odd = np.argwhere(~finite)[0]
            raise InputError(
                f"{self}: particle {odd[0]} has the value {particles[tuple(odd)]}; expected "
                "finite numbers"
            )
        low, high = int(labels.min()), int(labels.max())
        if low < 0 or high >= len(self.classes):
            raise InputError(
                f"{self}: labels must lie in 0..{len(self.classes) - 1}, got {low}..{high}"
            )

    def __len__(self) -> int:
        return len(self.particles)

    def __str__(self) -> str:
        subset = " (bundled subset)" if self.bundled else ""
        return f"{self.dataset}{subset}, {self.split} split"

    __repr__ = __str__

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one particle: channels, height and width of an image, (d,) of a point."""
        return self.particles.shape[1:]

    @property
    def noun(self) -> str:
        """What its particles are called in messages."""
        return "images" if len(self.shape) == 3 else "points"


class Dataset(Parameters, abc.ABC):
    """A labelled dataset; subclasses add their parameters as typed fields.

    A config names it by `name`, with its parameters beside: ``{name: MNIST, bundled: true}``.

    Parameters
    ----------
    id : str, optional
        Name in results in place of `name`, where a config has one dataset in two ways.
    bundled : bool, default False
        Use the subset inside the package, for which nothing has to be downloaded.

    Attributes
    ----------
    name : str
        Name in configs.
    summary : str
        One line for ``wowbench list datasets``.
    licence : str
        Terms under which its data may be used.
    has_bundled_subset : bool
        Whether the package holds a subset of it.
    has_one_split : bool
        Whether its test split is its training split, as of a shape of which nothing is random.
    metrics : dict of str to (float, float)
        What loading it measures, with the range of each; see `LabelledParticles`.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    licence: ClassVar[str]
    has_bundled_subset: ClassVar[bool] = False
    has_one_split: ClassVar[bool] = False
    metrics: ClassVar[dict[str, tuple[float, float]]] = {}

    id: Slug | None = None
    bundled: bool = False

    @model_validator(mode="after")
    def _check_id_and_bundled(self) -> Dataset:
        check_id(self.id, self.name, DATASETS)
        if self.bundled and not self.has_bundled_subset:
            raise ValueError(f"the package holds no subset of {self.name}; leave out `bundled`")
        return self

    @property
    def label(self) -> str:
        """Name in results: `id` where given, else the registered name."""
        return self.id or self.name

    @property
    def slug(self) -> str:
        """Name in paths: the label, with the bundled subset told apart."""
        return f"{self.label}-bundled" if self.bundled else self.label

    @property
    @abc.abstractmethod
    def shape(self) -> tuple[int, ...] | None:
        """Of one particle, or None where only the files can tell.

        Channels, height and width of an image; (d,) of a point of R^d.
        """

    @property
    def n_classes(self) -> int | None:
        """Number of classes, or None where only the files can tell."""
        return None

    @abc.abstractmethod
    def load(self, split: Split, data_root: Path | None = None) -> LabelledParticles:
        """Read one split.

        Parameters
        ----------
        split : {"train", "test"}
            Which split.
        data_root : Path, optional
            Folder of the data files; see `resolve_data_root` for the default.

        Returns
        -------
        LabelledParticles
            Always the same particles in the same order.

        Raises
        ------
        InputError
            If files are missing, truncated or altered.
        """

    def fingerprint(self, data_root: Path | None = None) -> str:
        """Name the state of the data files that `load` reads, so that a change of them is seen.

        Parameters
        ----------
        data_root : Path, optional
            As for `load`.

        Returns
        -------
        str
            The same as long as the files are; empty for a dataset without files of its own, and
            for files that are absent and will be downloaded. Torch is not imported, no file is
            needed, and few bytes are read.
        """
        return ""


def resolve_data_root(data_root: str | os.PathLike | None) -> Path:
    """Folder of the data files: the argument, else ``$WOWBENCH_DATA``, else ``./data``."""
    return expanded(Path(data_root or os.environ.get("WOWBENCH_DATA") or "data"))


def expanded(path: Path) -> Path:
    """Replace a leading ``~`` by the home folder; `InputError` where there is none."""
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise InputError(f"{path}: {error}; expected a path without '~'") from None


def check_split(split: str) -> None:
    """Raise `InputError` unless `split` is "train" or "test"."""
    if split not in get_args(Split):
        raise InputError(f"unknown split {split!r}; {closest(split, get_args(Split))}")


def resized(images: np.ndarray, image_size: int | None) -> np.ndarray:
    """Resize to squares, bilinear with antialiasing; None leaves the images as they are.

    Parameters
    ----------
    images : numpy.ndarray, uint8, shape (N, channels, height, width)
        Images; sides that differ are not kept in proportion.
    image_size : int or None
        New height and width, in pixels.

    Returns
    -------
    numpy.ndarray, uint8, shape (N, channels, image_size, image_size)
    """
    if image_size is None or images.shape[-2:] == (image_size, image_size):
        return images
    import torch
    from torchvision.transforms.v2 import InterpolationMode
    from torchvision.transforms.v2.functional import resize

    return resize(
        torch.from_numpy(images),
        [image_size, image_size],
        interpolation=InterpolationMode.BILINEAR,
        antialias=True,
    ).numpy()


DatasetEntry = Annotated[Dataset, FromRegistry(DATASETS)]
