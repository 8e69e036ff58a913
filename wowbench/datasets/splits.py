"""Draws of particles by class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wowbench.errors import InputError

if TYPE_CHECKING:
    from wowbench.datasets.base import LabelledParticles


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


def draw_per_class(labelled: LabelledParticles, n_per_class: int, *, seed: int) -> np.ndarray:
    """Draw particles of each class without replacement.

    A draw of fewer particles with the same seed is the beginning of a draw of more.

    Parameters
    ----------
    labelled : LabelledParticles
        What to draw from.
    n_per_class : int
        Number n of particles per class.
    seed : int
        Seed, at least 0.

    Returns
    -------
    numpy.ndarray, shape (C, n, *shape)
        As they are stored.

    Raises
    ------
    InputError
        If a class has fewer particles, or `n_per_class` or `seed` is out of range.
    """
    if n_per_class < 1:
        raise InputError(f"n_per_class must be at least 1, got {n_per_class}")
    if seed < 0:
        raise InputError(f"seed must be at least 0, got {seed}")
    drawn = []
    for label, name in enumerate(labelled.classes):
        members = np.flatnonzero(labelled.labels == label)
        if len(members) < n_per_class:
            raise InputError(
                f"{labelled}: class {label} ({name!r}) has {len(members)} {labelled.noun}, "
                f"and {n_per_class} per class are needed"
            )
        order = permutation(len(members), seed=seed, label=label)
        drawn.append(labelled.particles[members[order[:n_per_class]]])
    return np.stack(drawn)


def smallest_class(labelled: LabelledParticles) -> int:
    """Count the particles of the class that has the fewest."""
    return int(np.bincount(labelled.labels, minlength=len(labelled.classes)).min())
