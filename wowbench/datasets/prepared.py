"""The one form on disk that everything after loading reads."""

from __future__ import annotations

import json
from pathlib import Path

from wowbench.datasets.base import Dataset, LabelledImages
from wowbench.errors import InputError
from wowbench.files import atomic_path

_SPLITS = ("train", "test")
_KEY = "wowbench"


def write_prepared(dataset: Dataset, data_root: Path | None, path: Path) -> None:
    """Load both splits of a dataset and write them as one safetensors file.

    It holds ``train_images``, ``train_labels``, ``test_images`` and ``test_labels``, and in its
    metadata, as JSON under ``wowbench``, the dataset's label, whether it is the bundled subset,
    its classes and its image shape. Equal datasets give equal bytes.

    Raises
    ------
    InputError
        If the dataset cannot be loaded, or its splits differ in classes or image shape.
    """
    from safetensors.torch import save_file

    train, test = (dataset.load(split, data_root) for split in _SPLITS)
    for what in ("classes", "image_shape"):
        if getattr(train, what) != getattr(test, what):
            raise InputError(
                f"{dataset.label}: {what.replace('_', ' ')} must be the same in both splits, "
                f"got {getattr(train, what)} in train and {getattr(test, what)} in test"
            )
    tensors = {}
    for split, part in zip(_SPLITS, (train, test), strict=True):
        tensors[f"{split}_images"] = part.images.contiguous()
        tensors[f"{split}_labels"] = part.labels.contiguous()
    metadata = {
        "dataset": dataset.label,
        "bundled": dataset.bundled,
        "classes": train.classes,
        "image_shape": train.image_shape,
    }
    with atomic_path(path) as temporary:
        save_file(tensors, temporary, metadata={_KEY: json.dumps(metadata)})


def read_prepared(path: Path) -> tuple[LabelledImages, LabelledImages]:
    """Read the train and the test split that `write_prepared` wrote.

    Raises
    ------
    InputError
        If the file is missing, truncated or of another kind.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            metadata = json.loads(file.metadata()[_KEY])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        train, test = (
            LabelledImages(
                images=tensors[f"{split}_images"],
                labels=tensors[f"{split}_labels"],
                classes=tuple(metadata["classes"]),
                dataset=metadata["dataset"],
                split=split,
                bundled=metadata["bundled"],
            )
            for split in _SPLITS
        )
    except (OSError, SafetensorError, KeyError, TypeError) as error:
        raise InputError(
            f"{path} is no prepared dataset ({type(error).__name__}: {error}); prepare it again"
        ) from error
    return train, test
