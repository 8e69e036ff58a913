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

    Parameters
    ----------
    labelled, n_per_class, seed
        As for `members_per_class`.

    Returns
    -------
    numpy.ndarray, shape (C, n, *shape)
        As they are stored.
    """
    return labelled.particles[members_per_class(labelled, n_per_class, seed=seed)]


def members_per_class(
    labelled: LabelledParticles, n_per_class: int, *, seed: int, skip: int = 0
) -> np.ndarray:
    """Choose particles of each class without replacement.

    A draw of fewer particles with the same seed is the beginning of a draw of more.

    Parameters
    ----------
    labelled : LabelledParticles
        What to draw from.
    n_per_class : int
        Number n of particles per class.
    seed : int
        Seed, at least 0.
    skip : int
        Number of particles of each class that are passed over: those of a draw of so many with the
        same seed.

    Returns
    -------
    numpy.ndarray, int64, shape (C, n)
        Their places among the particles.

    Raises
    ------
    InputError
        If a class has fewer particles, or `n_per_class` or `seed` is out of range.
    """
    if n_per_class < 1:
        raise InputError(f"n_per_class must be at least 1, got {n_per_class}")
    if seed < 0:
        raise InputError(f"seed must be at least 0, got {seed}")
    needed = skip + n_per_class
    chosen = []
    for label, name in enumerate(labelled.classes):
        members = np.flatnonzero(labelled.labels == label)
        if len(members) < needed:
            raise InputError(
                f"{labelled}: class {label} ({name!r}) has {len(members)} {labelled.noun}, "
                f"and {needed} per class are needed"
            )
        order = permutation(len(members), seed=seed, label=label)
        chosen.append(members[order[skip:needed]])
    return np.stack(chosen)


def members_by_class(
    labelled: LabelledParticles, size: int, *, seed: int, skip: int = 0
) -> list[np.ndarray]:
    """Choose particles of all classes together, so that the sizes of classes are as they fall.

    Parameters
    ----------
    labelled : LabelledParticles
        What to draw from.
    size : int
        Number of particles in all.
    seed : int
        Seed, at least 0.
    skip : int
        Number of particles that are passed over: those of a draw of so many with the same seed.

    Returns
    -------
    list of C numpy.ndarray, int64
        Places of those of each class among the particles; some may be empty.

    Raises
    ------
    InputError
        If there are fewer particles.
    """
    if len(labelled) < skip + size:
        raise InputError(
            f"{labelled} has {len(labelled)} {labelled.noun}, and {skip + size} are needed"
        )
    members = permutation(len(labelled), seed=seed, label=0)[skip : skip + size]
    labels = labelled.labels[members]
    return [members[labels == label] for label in range(len(labelled.classes))]


def smallest_class(labelled: LabelledParticles) -> int:
    """Count the particles of the class that has the fewest."""
    return int(np.bincount(labelled.labels, minlength=len(labelled.classes)).min())
