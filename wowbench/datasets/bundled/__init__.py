"""The subsets inside the package: real images for which nothing has to be downloaded.

MNIST has 400 training and 100 test images per class, Fashion-MNIST 250 and 300. `build` makes the
files; their licences are in ``LICENCES.md``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from wowbench.datasets.integrity import checksum, verify_checksum
from wowbench.errors import InputError

FOLDER = Path(__file__).parent
CHECKSUMS = "SHA256SUMS"


def file_name(dataset: str, split: str) -> str:
    """Name of the file that holds one split."""
    return f"{dataset.lower()}_{split}.npz"


def bundled_digest(dataset: str) -> str:
    """Digest of the contents of a bundled subset, empty where its files are missing."""
    paths = [FOLDER / file_name(dataset, split) for split in ("train", "test")]
    return "-".join(checksum(path, "sha256")[:16] for path in paths if path.is_file())


def read_bundled(dataset: str, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Read one split of a bundled subset.

    Parameters
    ----------
    dataset : {"MNIST", "FashionMNIST"}
        Registered name.
    split : {"train", "test"}
        Which split.

    Returns
    -------
    images : numpy.ndarray, uint8, shape (N, 1, 28, 28)
    labels : numpy.ndarray, int64, shape (N,)

    Raises
    ------
    InputError
        If the file is missing or altered.
    """
    path = FOLDER / file_name(dataset, split)
    lines = (FOLDER / CHECKSUMS).read_text().splitlines()
    expected = {name: checksum for checksum, name in (line.split() for line in lines)}
    if not path.is_file():
        raise InputError(f"{path} is missing; install wowbench again")
    verify_checksum(path, "sha256", expected[path.name], advice="install wowbench again")
    with np.load(path) as arrays:
        images, labels = arrays["images"], arrays["labels"]
    return images[:, None], labels.astype(np.int64)
