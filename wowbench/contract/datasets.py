"""What every dataset keeps to."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from wowbench.contract import descriptions
from wowbench.contract.checks import Check, require
from wowbench.datasets.base import Dataset
from wowbench.errors import InputError

SPLITS = ("train", "test")

DESCRIPTIONS = (
    descriptions.has_a_summary,
    descriptions.documents_its_parameters,
    descriptions.keeps_its_parameters_through_json,
    descriptions.imports_no_torch,
)


def says_its_licence(dataset: Dataset) -> None:
    """Require the terms under which its data may be used."""
    licence = dataset.licence
    require(isinstance(licence, str) and licence.strip(), f"licence is {licence!r}; expected text")


def loads_what_it_announces(dataset: Dataset, data_root: Path | None) -> None:
    """Require splits of the same classes and shape, each with particles of every class."""
    train, test = (dataset.load(split, data_root) for split in SPLITS)
    for split, part in zip(SPLITS, (train, test), strict=True):
        expected = dataset.shape
        require(
            expected in (None, part.shape),
            f"{split}: particles have shape {part.shape}; `shape` is {expected}",
        )
        if part.particles.dtype == np.uint8:
            require(part.shape[0] in (1, 3), f"{split}: images have {part.shape[0]} channels")
        empty = sorted(set(range(len(part.classes))) - set(part.labels.tolist()))
        require(not empty, f"{split}: there is no particle of the classes {empty}")
        says = (part.dataset, part.split, part.bundled)
        wanted = (dataset.label, split, dataset.bundled)
        require(says == wanted, f"{split}: dataset, split, bundled are {says}; expected {wanted}")
        unknown = ", ".join(part.measured.keys() - dataset.metrics.keys())
        require(not unknown, f"{split}: it measures {unknown}, which `metrics` lacks")
    for name in ("classes", "shape"):
        values = getattr(train, name), getattr(test, name)
        require(values[0] == values[1], f"{name} is {values[0]} in train and {values[1]} in test")


def loads_the_same_each_time(dataset: Dataset, data_root: Path | None) -> None:
    """Require the same particles and labels in the same order."""
    for split in SPLITS:
        first, second = (dataset.load(split, data_root) for _ in range(2))
        same = _same(first.particles, second.particles) and _same(first.labels, second.labels)
        require(same, f"{split}: loaded twice, it is not the same")


def shares_no_particle_between_splits(dataset: Dataset, data_root: Path | None) -> None:
    """Require that no test particle is one of the training particles, or all are, as it says."""
    train, test = (
        {particle.tobytes() for particle in dataset.load(split, data_root).particles}
        for split in SPLITS
    )
    if dataset.has_one_split:
        require(train == test, "`has_one_split` is true; the test split is another than train")
        return
    require(not train & test, f"{len(train & test)} particles of the test split are in train too")


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    return one.dtype == other.dtype and np.array_equal(one, other)


def refuses_an_unknown_split(dataset: Dataset, data_root: Path | None) -> None:
    """Require one line that names the split."""
    try:
        dataset.load("tests", data_root)
    except InputError as error:
        named = "tests" in str(error) and "\n" not in str(error)
        require(named, f"its message does not name the split 'tests' in one line: {error}")
    else:
        require(False, "it loads the split 'tests', which does not exist")


ON_FILES = (
    loads_what_it_announces,
    loads_the_same_each_time,
    shares_no_particle_between_splits,
    refuses_an_unknown_split,
)


def dataset_checks(dataset: Dataset, data_root: Path | None) -> list[Check]:
    """List all checks of a dataset.

    Parameters
    ----------
    dataset : Dataset
        What to check; it is loaded many times.
    data_root : Path or None
        Folder of the data files.

    Returns
    -------
    list of Check
    """
    of_itself = (*DESCRIPTIONS, says_its_licence)
    checks = [Check.of(function, partial(function, dataset)) for function in of_itself]
    return checks + [Check.of(f, partial(f, dataset, data_root)) for f in ON_FILES]
