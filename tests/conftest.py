"""The order of tests, and small data files in the formats of the real ones."""

import bz2
import gzip
import hashlib
import pickle
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import torchvision.datasets as tv

from wowbench.registry import DATASETS

N_IMAGES = {"train": 40, "test": 20}


@dataclass(frozen=True)
class DataFiles:
    """A data root, and by (dataset, split) the images (N, c, h, w) and labels written there."""

    root: Path
    images: dict[tuple[str, str], np.ndarray]
    labels: dict[tuple[str, str], np.ndarray]


@pytest.fixture
def data_files(tmp_path, monkeypatch) -> DataFiles:
    """Every dataset of torchvision's with a few random images; known checksums are replaced."""
    rng = np.random.default_rng(0)
    files = DataFiles(tmp_path / "root", {}, {})
    for name in ("MNIST", "FashionMNIST", "KMNIST", "USPS", "SVHN", "CIFAR10"):
        for split, n in N_IMAGES.items():
            shape = DATASETS.get(name).native_shape
            files.images[name, split] = rng.integers(0, 256, (n, *shape), dtype=np.uint8)
            files.labels[name, split] = rng.permutation(np.arange(n) % 10)
    for name in ("MNIST", "FashionMNIST", "KMNIST"):
        _write_idx(files, name, monkeypatch)
    _write_usps(files, monkeypatch)
    _write_svhn(files, monkeypatch)
    _write_cifar10(files, monkeypatch)
    return files


def pytest_collection_modifyitems(items):
    """Put files of few and long tests first, so that processes that share files end together."""
    items.sort(key=lambda item: item.path.parent.name != "workflow")


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


def _write_idx(files: DataFiles, name: str, monkeypatch) -> None:
    folder = files.root / name / "raw"
    folder.mkdir(parents=True)
    resources = []
    for split, stem in (("train", "train"), ("test", "t10k")):
        images, labels = files.images[name, split][:, 0], files.labels[name, split]
        for kind, array in (("images-idx3", images), ("labels-idx1", labels.astype(np.uint8))):
            path = folder / f"{stem}-{kind}-ubyte"
            header = bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">i4").tobytes()
            path.write_bytes(header + array.tobytes())
            archive = gzip.compress(path.read_bytes(), mtime=0)
            resources.append((f"{path.name}.gz", hashlib.md5(archive).hexdigest()))
    dataset = DATASETS.get(name)
    monkeypatch.setattr(dataset, "n_images", N_IMAGES)
    monkeypatch.setattr(getattr(tv, name), "resources", resources)
    if dataset.raw_md5:
        monkeypatch.setattr(dataset, "raw_md5", {p.name: md5(p) for p in folder.iterdir()})


def _write_usps(files: DataFiles, monkeypatch) -> None:
    folder = files.root / "USPS"
    folder.mkdir()
    for split, name in (("train", "usps.bz2"), ("test", "usps.t.bz2")):
        lines = []
        pairs = zip(files.images["USPS", split], files.labels["USPS", split], strict=True)
        for image, label in pairs:
            # A little above the level, since torchvision rounds down.
            values = (image.reshape(-1) + 0.25) / 255 * 2 - 1
            pixels = " ".join(f"{i}:{value:.4f}" for i, value in enumerate(values, 1))
            lines.append(f"{label + 1} {pixels} \n")
        (folder / name).write_bytes(bz2.compress("".join(lines).encode()))
    monkeypatch.setattr(DATASETS.get("USPS"), "n_images", N_IMAGES)


def _write_svhn(files: DataFiles, monkeypatch) -> None:
    folder = files.root / "SVHN"
    folder.mkdir()
    split_list = {}
    for split, (url, name, _) in tv.SVHN.split_list.items():
        if split in N_IMAGES:
            labels = files.labels["SVHN", split]
            arrays = {
                "X": files.images["SVHN", split].transpose(2, 3, 1, 0),
                "y": np.where(labels == 0, 10, labels)[:, None].astype(np.uint8),
            }
            scipy.io.savemat(folder / name, arrays, do_compression=True)
            split_list[split] = [url, name, md5(folder / name)]
    monkeypatch.setattr(tv.SVHN, "split_list", split_list)


def _write_cifar10(files: DataFiles, monkeypatch) -> None:
    folder = files.root / "CIFAR10" / "cifar-10-batches-py"
    folder.mkdir(parents=True)

    def write(name: str, content: dict) -> str:
        (folder / name).write_bytes(pickle.dumps(content))
        return md5(folder / name)

    def batches(split: str, names: list[str]) -> list[list[str]]:
        images = files.images["CIFAR10", split].reshape(N_IMAGES[split], -1)
        labels = files.labels["CIFAR10", split]
        parts = np.array_split(np.arange(len(labels)), len(names))
        return [
            [name, write(name, {"data": images[part], "labels": labels[part].tolist()})]
            for name, part in zip(names, parts, strict=True)
        ]

    train = batches("train", [name for name, _ in tv.CIFAR10.train_list])
    test = batches("test", [name for name, _ in tv.CIFAR10.test_list])
    names = write("batches.meta", {"label_names": list(DATASETS.get("CIFAR10").classes)})
    monkeypatch.setattr(tv.CIFAR10, "train_list", train)
    monkeypatch.setattr(tv.CIFAR10, "test_list", test)
    monkeypatch.setattr(tv.CIFAR10, "meta", {**tv.CIFAR10.meta, "md5": names})


@pytest.fixture
def md5_of():
    """The md5 of a file, in hexadecimal."""
    return md5
