"""The one form on disk that everything after loading reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wowbench.datasets.base import Dataset, LabelledParticles
from wowbench.errors import InputError
from wowbench.origin import Origin
from wowbench.tensorfile import read_tensors, write_tensors

_SPLITS = ("train", "test")


@dataclass(frozen=True)
class Prepared:
    """A prepared dataset.

    Attributes
    ----------
    train, test : LabelledParticles
        Its splits.
    digest : str
        SHA-256 of its contents.
    """

    train: LabelledParticles
    test: LabelledParticles
    digest: str


def write_prepared(dataset: Dataset, data_root: Path | None, path: Path, spec: dict) -> Prepared:
    """Load both splits of a dataset and write them as one file of tensors.

    It holds ``train_images``, ``train_labels``, ``test_images`` and ``test_labels``, and beside
    them the dataset's label, whether it is the bundled subset, its classes and its
    ``image_shape``: so are particles and their shape called in files. Equal datasets give equal
    bytes.

    Parameters
    ----------
    dataset : Dataset
        What to load.
    data_root : Path or None
        Folder of the data files.
    path : Path
        File to write.
    spec : dict
        Spec of the job that prepares it.

    Returns
    -------
    Prepared
        What it has written.

    Raises
    ------
    InputError
        If the dataset cannot be loaded, or its splits differ in classes or in the particles' shape.
    """
    train, test = (dataset.load(split, data_root) for split in _SPLITS)
    for what in ("classes", "shape"):
        if getattr(train, what) != getattr(test, what):
            raise InputError(
                f"{dataset.label}: {what} must be the same in both splits, "
                f"got {getattr(train, what)} in train and {getattr(test, what)} in test"
            )
    tensors = {}
    for split, part in zip(_SPLITS, (train, test), strict=True):
        tensors[f"{split}_images"] = part.particles
        tensors[f"{split}_labels"] = part.labels
    contents = {
        "dataset": dataset.label,
        "bundled": dataset.bundled,
        "classes": train.classes,
        "image_shape": train.shape,
    }
    digest = write_tensors(path, tensors, contents, Origin("prepare", spec))
    return Prepared(train, test, digest)


def read_prepared(path: Path, spec: dict | None = None) -> Prepared:
    """Read what `write_prepared` wrote.

    Raises
    ------
    InputError
        If the file is absent, truncated, altered or of another kind, or was made by a job with
        another spec than `spec`, where that is given.
    """
    expected = None if spec is None else Origin("prepare", spec)
    file = read_tensors(path, "prepare", expected, framework="np")
    train, test = (
        LabelledParticles(
            particles=file.tensors[f"{split}_images"],
            labels=file.tensors[f"{split}_labels"],
            classes=tuple(file.contents["classes"]),
            dataset=file.contents["dataset"],
            split=split,
            bundled=file.contents["bundled"],
        )
        for split in _SPLITS
    )
    return Prepared(train, test, file.digest)
