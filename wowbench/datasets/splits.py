"""Draws of images by class, and their way to numbers in [0, 1]."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wowbench.errors import InputError

if TYPE_CHECKING:
    import torch

    from wowbench.datasets.base import LabelledImages


def permutation(size: int, *, seed: int, label: int) -> np.ndarray:
    """Permutation of 0..`size`-1 that depends on the seed and the class alone.

    It is the order of raw PCG64 outputs, whose stream NumPy keeps for ever, as it does not
    promise of its `permutation`.

    Parameters
    ----------
    size : int
        Length.
    seed : int
        Seed, at least 0.
    label : int
        Index of the class.

    Returns
    -------
    numpy.ndarray, int64, shape (size,)
    """
    bits = np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(label,)))
    return np.argsort(bits.random_raw(size), kind="stable")


def draw_per_class(labelled: LabelledImages, n_per_class: int, *, seed: int) -> torch.Tensor:
    """Draw images of each class without replacement.

    A draw of fewer images with the same seed is the beginning of a draw of more.

    Parameters
    ----------
    labelled : LabelledImages
        What to draw from.
    n_per_class : int
        Number n of images per class.
    seed : int
        Seed, at least 0.

    Returns
    -------
    torch.Tensor, uint8, shape (C, n, channels, height, width)

    Raises
    ------
    InputError
        If a class has fewer images, or `n_per_class` or `seed` is out of range.
    """
    import torch

    if n_per_class < 1:
        raise InputError(f"n_per_class must be at least 1, got {n_per_class}")
    if seed < 0:
        raise InputError(f"seed must be at least 0, got {seed}")
    drawn = []
    for label, name in enumerate(labelled.classes):
        members = torch.nonzero(labelled.labels == label).squeeze(1)
        if len(members) < n_per_class:
            raise InputError(
                f"{labelled}: class {label} ({name!r}) has {len(members)} images, "
                f"and {n_per_class} per class are needed"
            )
        order = torch.from_numpy(permutation(len(members), seed=seed, label=label))
        drawn.append(labelled.images[members[order[:n_per_class]]])
    return torch.stack(drawn)


def to_unit_interval(images: torch.Tensor) -> torch.Tensor:
    """Pixels 0..255 as float32 in [0, 1], of the same shape.

    Parameters
    ----------
    images : torch.Tensor, uint8
        Images.

    Raises
    ------
    ValueError
        If they are not uint8.
    """
    import torch

    if images.dtype != torch.uint8:
        raise ValueError(f"images must be uint8, got {images.dtype}")
    return images.to(torch.float32) / 255
