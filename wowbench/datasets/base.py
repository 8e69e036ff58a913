"""What a dataset is: named, typed parameters, and two splits of labelled images."""

from __future__ import annotations

import abc
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, get_args

from pydantic import Field, model_validator

from wowbench.errors import InputError, closest
from wowbench.names import Slug
from wowbench.parameters import Parameters, check_id
from wowbench.registry import DATASETS

if TYPE_CHECKING:
    import torch

Split = Literal["train", "test"]
ImageSize = Annotated[int, Field(ge=2, le=4096)]


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Images with their classes: one split of a dataset.

    Parameters
    ----------
    images : torch.Tensor, uint8, shape (N, channels, height, width)
        Pixels in 0..255.
    labels : torch.Tensor, int64, shape (N,)
        Index of each image's class, in 0..C-1.
    classes : tuple of str, length C
        Names of the classes.
    dataset : str
        Label of the dataset, for messages and results.
    split : {"train", "test"}
        Which split this is.
    bundled : bool
        Whether these come from the subset inside the package.

    Raises
    ------
    InputError
        If a dtype, a shape or a label is not as above.
    """

    images: torch.Tensor
    labels: torch.Tensor
    classes: tuple[str, ...]
    dataset: str
    split: Split
    bundled: bool = False

    def __post_init__(self):
        import torch

        if self.images.dtype != torch.uint8 or self.images.ndim != 4:
            raise InputError(
                f"{self}: images must be uint8 of shape (N, channels, height, width), "
                f"got {self.images.dtype} of shape {tuple(self.images.shape)}"
            )
        if self.labels.dtype != torch.int64 or self.labels.shape != self.images.shape[:1]:
            raise InputError(
                f"{self}: labels must be int64 of shape ({len(self.images)},), "
                f"got {self.labels.dtype} of shape {tuple(self.labels.shape)}"
            )
        if len(self) == 0:
            raise InputError(f"{self}: there is no image")
        low, high = int(self.labels.min()), int(self.labels.max())
        if low < 0 or high >= len(self.classes):
            raise InputError(
                f"{self}: labels must lie in 0..{len(self.classes) - 1}, got {low}..{high}"
            )

    def __len__(self) -> int:
        return len(self.images)

    def __str__(self) -> str:
        subset = " (bundled subset)" if self.bundled else ""
        return f"{self.dataset}{subset}, {self.split} split"

    __repr__ = __str__

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        return tuple(self.images.shape[1:])


class Dataset(Parameters, abc.ABC):
    """A labelled image dataset; subclasses add their parameters as typed fields.

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
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    licence: ClassVar[str]
    has_bundled_subset: ClassVar[bool] = False

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
    def image_shape(self) -> tuple[int, int, int] | None:
        """Channels, height and width, or None where only the files can tell."""

    @property
    def n_classes(self) -> int | None:
        """Number of classes, or None where only the files can tell."""
        return None

    @abc.abstractmethod
    def load(self, split: Split, data_root: Path | None = None) -> LabelledImages:
        """Read one split.

        Parameters
        ----------
        split : {"train", "test"}
            Which split.
        data_root : Path, optional
            Folder of the data files; see `resolve_data_root` for the default.

        Returns
        -------
        LabelledImages
            Always the same images in the same order.

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


def resized(images: torch.Tensor, image_size: int | None) -> torch.Tensor:
    """Resize to squares, bilinear with antialiasing; None leaves the images as they are.

    Parameters
    ----------
    images : torch.Tensor, uint8, shape (N, channels, height, width)
        Images; sides that differ are not kept in proportion.
    image_size : int or None
        New height and width, in pixels.

    Returns
    -------
    torch.Tensor, uint8, shape (N, channels, image_size, image_size)
    """
    if image_size is None or tuple(images.shape[-2:]) == (image_size, image_size):
        return images
    from torchvision.transforms.v2 import InterpolationMode
    from torchvision.transforms.v2.functional import resize

    return resize(
        images,
        [image_size, image_size],
        interpolation=InterpolationMode.BILINEAR,
        antialias=True,
    )
