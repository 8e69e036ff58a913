"""Datasets of torchvision: what is read, where it is looked for, and files that are damaged."""

import bz2
import gzip

import numpy as np
import pytest
from PIL import Image

from wowbench.datasets.base import resized
from wowbench.datasets.cifar import CIFAR10
from wowbench.datasets.mnist import KMNIST, MNIST
from wowbench.datasets.svhn import SVHN
from wowbench.datasets.usps import USPS
from wowbench.errors import InputError
from wowbench.registry import DATASETS

VISION = ("MNIST", "FashionMNIST", "KMNIST", "USPS", "SVHN", "CIFAR10")


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("these tests need no network")

    monkeypatch.setattr("urllib.request.urlopen", refuse)


def flip_bit(path, position=-1):
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("name", VISION)
@pytest.mark.parametrize("split", ["train", "test"])
def test_reads_the_images_in_the_files(name, split, data_files):
    part = DATASETS.get(name)(image_size=None).load(split, data_files.root)
    np.testing.assert_array_equal(part.particles, data_files.images[name, split])
    np.testing.assert_array_equal(part.labels, data_files.labels[name, split])


def test_usps_is_moved_to_the_size_of_mnist(data_files):
    assert USPS().shape == MNIST().shape == (1, 28, 28)
    assert USPS().load("test", data_files.root).shape == (1, 28, 28)
    assert USPS(image_size=None).shape == (1, 16, 16)


@pytest.mark.parametrize("size", [28, 11])
def test_resizes_as_pillow_does(size):
    images = np.random.default_rng(0).integers(0, 256, (4, 1, 16, 16), dtype=np.uint8)
    ours = resized(images, size)[:, 0].astype(int)
    for image, other in zip(images[:, 0], ours, strict=True):
        expected = Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR)
        assert np.abs(np.asarray(expected, int) - other).max() <= 1


def test_data_root_is_the_argument_then_the_variable_then_data(data_files, monkeypatch, tmp_path):
    expected = data_files.images["MNIST", "test"]
    monkeypatch.setenv("WOWBENCH_DATA", str(tmp_path / "elsewhere"))
    assert len(MNIST().load("test", data_files.root)) == len(expected)
    monkeypatch.setenv("WOWBENCH_DATA", str(data_files.root))
    assert len(MNIST().load("test")) == len(expected)
    monkeypatch.delenv("WOWBENCH_DATA")
    monkeypatch.chdir(tmp_path)
    data_files.root.rename(tmp_path / "data")
    assert len(MNIST().load("test")) == len(expected)


@pytest.mark.parametrize("name", ["USPS", "SVHN", "CIFAR10"])
def test_finds_files_in_the_data_root_itself(name, data_files):
    own = data_files.root / name
    part = DATASETS.get(name)(image_size=None).load("test", own)
    np.testing.assert_array_equal(part.particles, data_files.images[name, "test"])


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("MNIST", "MNIST/raw/t10k-images-idx3-ubyte"),
        ("FashionMNIST", "FashionMNIST/raw/t10k-labels-idx1-ubyte"),
        ("SVHN", "SVHN/test_32x32.mat"),
        ("CIFAR10", "CIFAR10/cifar-10-batches-py/test_batch"),
    ],
)
@pytest.mark.parametrize("damage", ["truncated", "altered"])
def test_names_a_damaged_file_with_both_checksums(name, file, damage, data_files, md5_of):
    path = data_files.root / file
    expected = md5_of(path)
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:-1])
    else:
        flip_bit(path)
    message = f"{path} is truncated or altered: md5 expected {expected}, found {md5_of(path)}; "
    with pytest.raises(InputError, match=f"^{message}") as error:
        DATASETS.get(name)().load("test", data_files.root)
    assert "\n" not in str(error.value)


def test_holds_files_against_the_official_checksums(data_files, monkeypatch):
    monkeypatch.undo()
    with pytest.raises(InputError, match="md5 expected 2646ac647ad5339dbf082846283269ea, found "):
        MNIST().load("test", data_files.root)


def test_names_a_truncated_kmnist_file_with_both_sizes(data_files):
    path = data_files.root / "KMNIST/raw/train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:1000])
    size = 16 + 40 * 28 * 28
    with pytest.raises(InputError, match=f"{path} .*expected {size} bytes, found 1000; "):
        KMNIST().load("train", data_files.root)


def test_names_a_kmnist_file_with_another_header(data_files):
    path = data_files.root / "KMNIST/raw/train-labels-idx1-ubyte"
    flip_bit(path, 3)
    header = r"header expected 0000080100000028 \(bytes of shape \(40,\)\), found 0000080000000028"
    with pytest.raises(InputError, match=f"{path} is altered: {header}"):
        KMNIST().load("train", data_files.root)


def test_compares_kmnist_with_the_official_archive_beside_it(data_files):
    path = data_files.root / "KMNIST/raw/train-images-idx3-ubyte"
    archive = path.with_name(f"{path.name}.gz")
    archive.write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    assert len(KMNIST().load("train", data_files.root)) == 40
    flip_bit(path)
    with pytest.raises(InputError, match=f"{path} is altered: crc32 expected .*, found "):
        KMNIST().load("train", data_files.root)


def test_ignores_another_archive_beside_kmnist(data_files):
    path = data_files.root / "KMNIST/raw/train-images-idx3-ubyte"
    path.with_name(f"{path.name}.gz").write_bytes(b"something else")
    assert len(KMNIST().load("train", data_files.root)) == 40


def test_refuses_a_label_beyond_the_classes(data_files):
    path = data_files.root / "KMNIST/raw/train-labels-idx1-ubyte"
    path.write_bytes(path.read_bytes()[:-1] + b"\x0a")
    with pytest.raises(InputError, match=r"KMNIST, train split: labels must lie in 0\.\.9, got 0"):
        KMNIST().load("train", data_files.root)


def usps_without_last_line(text):
    return b"\n".join(text.split(b"\n")[:-2]) + b"\n"


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda packed: packed[:-100], "Compressed data ended before the end-of-stream marker"),
        (lambda packed: packed[:90] + bytes(9) + packed[99:], "Invalid data stream"),
        (
            lambda packed: bz2.compress(usps_without_last_line(bz2.decompress(packed))),
            "19 images instead of 20",
        ),
        (
            lambda packed: bz2.compress(b"11" + bz2.decompress(packed).lstrip(b"0123456789")),
            r"line 1 has label 11, not in 1\.\.10",
        ),
        (
            lambda packed: bz2.compress(bz2.decompress(packed).replace(b" 1:", b" 0:0 1:", 1)),
            "line 1 has 257 pixels instead of 256",
        ),
    ],
)
def test_names_a_damaged_usps_file_with_both_checksums(change, what, data_files, md5_of):
    path = data_files.root / "USPS/usps.t.bz2"
    path.write_bytes(change(path.read_bytes()))
    found = md5_of(path)
    checksums = f"md5 expected {USPS.archives['test'][1]}, found {found}; "
    with pytest.raises(InputError, match=rf"{path} is truncated or altered \({what}.*{checksums}"):
        USPS().load("test", data_files.root)


def test_takes_the_official_usps_file_as_it_is(data_files, monkeypatch, md5_of):
    path = data_files.root / "USPS/usps.t.bz2"
    monkeypatch.setattr(USPS, "archives", USPS.archives | {"test": (path.name, md5_of(path))})
    monkeypatch.setattr(USPS, "n_images", {"test": -1})
    assert len(USPS().load("test", data_files.root)) == 20


def test_svhn_and_cifar10_are_in_colour():
    assert SVHN().shape == CIFAR10().shape == (3, 32, 32)
    assert CIFAR10(image_size=16).shape == (3, 16, 16)


@pytest.mark.parametrize("name", VISION)
def test_names_a_file_that_cannot_be_read(name, data_files, monkeypatch):
    def refuse(path, *arguments, **options):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("pathlib.Path.open", refuse)
    # KMNIST's files have no checksum, and are opened to look at their header.
    message = rf"{name}: cannot read {data_files.root}/\S+: Permission denied"
    with pytest.raises(InputError, match=message):
        DATASETS.get(name)().load("train", data_files.root)
