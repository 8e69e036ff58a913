"""Labelled images that somebody made for a dataset: class folders, or one file of tensors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wowbench.datasets.image_files import image_files, read_image, visible_entries
from wowbench.errors import InputError, closest, one_line
from wowbench.names import class_folders, class_slug
from wowbench.tensorfile import content_digest

if TYPE_CHECKING:
    from wowbench.datasets.base import LabelledParticles

TENSORS = "dataset.safetensors"
"""Name of the file of tensors that an export has."""


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Images with the classes of a dataset.

    Attributes
    ----------
    images : numpy.ndarray, uint8 or float32, shape (N, channels, height, width)
        Bytes as files of images have them; or numbers, where 0 is black and 1 is white.
    labels : numpy.ndarray, int64, shape (N,)
        Number of the class of each.
    """

    images: np.ndarray
    labels: np.ndarray

    @property
    def digest(self) -> str:
        """SHA-256 of images and labels."""
        return content_digest({"images": self.images, "labels": self.labels})


def read_image_set(folder: Path, dataset: LabelledParticles) -> LabelledImages:
    """Read images made for a dataset.

    Parameters
    ----------
    folder : Path
        With ``dataset.safetensors`` in it, as ``wowbench export`` writes it, that is read;
        otherwise it has one folder of images for each class. A class goes by its name, its number,
        or both, as in ``8_Bag``. Images are read in the order of classes and file names, and
        converted to grey or colour, as the dataset has them.
    dataset : LabelledParticles
        A split of the dataset.

    Raises
    ------
    InputError
        In one line, for what cannot be read, a class that the dataset does not have, one without
        an image, or an image of another shape.
    """
    where = f"images {folder}"
    if not folder.is_dir():
        raise InputError(f"{where}: there is no such folder")
    read = _read_tensors if (folder / TENSORS).exists() else _read_folders
    found = read(folder, dataset, where)
    counts = np.bincount(found.labels, minlength=len(dataset.classes))
    empty = [name for name, count in zip(dataset.classes, counts, strict=True) if count == 0]
    if empty:
        raise InputError(
            f"{where}: there is no image of {', '.join(map(repr, empty))}; expected at least one "
            f"of each class of {dataset.dataset}"
        )
    return found


def _read_folders(folder: Path, dataset: LabelledParticles, where: str) -> LabelledImages:
    entries = visible_entries(folder, where)
    if not any(entry.is_dir() for entry in entries):
        raise InputError(
            f"{where}: it has neither {TENSORS} nor a folder of images for each class of "
            f"{dataset.dataset}"
        )
    numbers = _class_numbers([entry.name for entry in entries], dataset, where)
    images, labels = [], []
    for entry in sorted(entries, key=lambda entry: numbers[entry.name]):
        for file in image_files(entry, where):
            image = read_image(file, dataset.shape[0], where)
            _check_shape(image.shape, dataset, f"{where}: {entry.name}/{file.name}")
            images.append(image)
            labels.append(numbers[entry.name])
    return LabelledImages(np.stack(images), np.array(labels, np.int64))


def _read_tensors(folder: Path, dataset: LabelledParticles, where: str) -> LabelledImages:
    from safetensors import SafetensorError, safe_open

    where = f"{where}: {TENSORS}"
    try:
        with safe_open(folder / TENSORS, "np") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            contents = json.loads((file.metadata() or {}).get("wowbench", "{}"))
    except (SafetensorError, OSError, TypeError, ValueError) as error:
        raise InputError(f"{where}: {one_line(error)}; expected what export writes") from None
    images, labels = _checked(tensors, where)
    _check_shape(images.shape[1:], dataset, f"{where}: each of its images")
    names = _names_of(contents, dataset, where)
    if labels.min() < 0 or labels.max() >= len(names):
        raise InputError(
            f"{where}: labels go from {labels.min()} to {labels.max()}; expected 0 to "
            f"{len(names) - 1}, one of its {len(names)} classes"
        )
    numbers = _class_numbers(names, dataset, where)
    return LabelledImages(images, np.array([numbers[name] for name in names], np.int64)[labels])


def _checked(tensors: Mapping[str, np.ndarray], where: str) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels of a file, of the dtypes and sizes that they must have."""
    for name in ("images", "labels"):
        if name not in tensors:
            raise InputError(
                f"{where}: there is no tensor {name!r}; it has {', '.join(sorted(tensors))}"
            )
    images, labels = tensors["images"], tensors["labels"]
    if images.dtype not in (np.uint8, np.float32) or images.ndim != 4 or images.size == 0:
        raise InputError(
            f"{where}: `images` is {images.dtype} of shape {images.shape}; expected float32 or "
            "uint8 of shape (N, channels, height, width)"
        )
    if labels.dtype != np.int64 or labels.shape != images.shape[:1]:
        raise InputError(
            f"{where}: `labels` is {labels.dtype} of shape {labels.shape}; expected int64 of shape "
            f"({len(images)},)"
        )
    if not np.isfinite(images).all():
        raise InputError(f"{where}: `images` has a pixel that is infinite or not a number")
    return images, labels


def _names_of(contents: Any, dataset: LabelledParticles, where: str) -> list[str]:
    """Names of the classes of a file; the dataset's, where it says none."""
    names = contents.get("classes") if isinstance(contents, dict) else contents
    if names is None:
        return list(dataset.classes)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InputError(f"{where}: `classes` in its metadata is no list of names")
    return names


def _check_shape(shape: tuple[int, ...], dataset: LabelledParticles, what: str) -> None:
    if tuple(shape) != dataset.shape:
        raise InputError(
            f"{what} has the shape {tuple(shape)}; expected {dataset.shape}, that of "
            f"{dataset.dataset}"
        )


def _class_numbers(names: list[str], dataset: LabelledParticles, where: str) -> dict[str, int]:
    """Numbers of the dataset's classes, by the names that images have for them."""
    slugs = [class_slug(name) for name in dataset.classes]
    known = {str(number): number for number in range(len(slugs))}
    known |= {slug: number for number, slug in enumerate(slugs) if slugs.count(slug) == 1}
    for spelling in (class_folders(dataset.classes), dataset.classes):
        known |= {name: number for number, name in enumerate(spelling)}
    numbers: dict[str, int] = {}
    for name in names:
        if name not in known:
            raise InputError(
                f"{where}: {name!r} is no class of {dataset.dataset}; "
                f"{closest(name, dataset.classes)}"
            )
        number = known[name]
        other = next((other for other in numbers if numbers[other] == number), None)
        if other is not None:
            raise InputError(
                f"{where}: {other!r} and {name!r} both stand for {dataset.classes[number]!r}; "
                "expected each class once"
            )
        numbers[name] = number
    return numbers
