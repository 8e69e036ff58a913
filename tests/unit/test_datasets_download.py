"""Downloads: all files or none, and what a user without a network is told."""

import gzip
import io
import tarfile
from urllib.error import URLError

import numpy as np
import pytest
import torchvision.datasets as tv

from wowbench.datasets.usps import USPS
from wowbench.errors import InputError
from wowbench.registry import DATASETS

NEEDED = {
    "MNIST": (
        "put train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, "
        "t10k-labels-idx1-ubyte (or their .gz archives) into {root}/MNIST/raw; they are at "
        "https://ossci-datasets.s3.amazonaws.com/mnist/; or set `bundled: true`"
    ),
    "KMNIST": "(or their .gz archives) into {root}/KMNIST/raw; they are at http",
    "USPS": "put usps.bz2, usps.t.bz2 into {root}/USPS; they are at http",
    "SVHN": "put train_32x32.mat, test_32x32.mat into {root}/SVHN; they are at http",
    "CIFAR10": (
        "batches.meta into {root}/CIFAR10/cifar-10-batches-py, "
        "or cifar-10-python.tar.gz into {root}/CIFAR10; they are at http"
    ),
}


class Response(io.BytesIO):
    """What torchvision uses of an HTTP response."""

    def __init__(self, url: str, content: bytes):
        super().__init__(content)
        self.url = url
        self.length = len(content)


@pytest.fixture
def server(monkeypatch):
    """A stand-in for the network: contents by file name, an exception in place of a content."""
    contents = {}

    def urlopen(request, *args, **kwargs):
        content = contents.get(request.full_url.rpartition("/")[2], URLError("no network"))
        if isinstance(content, Exception):
            raise content
        return Response(request.full_url, content)

    monkeypatch.setattr("urllib.request.urlopen", urlopen)
    return contents


def gzipped(path):
    return gzip.compress(path.read_bytes(), mtime=0)


@pytest.mark.parametrize("name", NEEDED)
def test_says_what_to_put_where_and_leaves_nothing(name, server, tmp_path):
    root = tmp_path / "data"
    with pytest.raises(InputError) as error:
        DATASETS.get(name)().load("train", root)
    message = str(error.value)
    assert message.startswith(f"{name}: files are missing and could not be downloaded (")
    assert "no network" in message
    assert NEEDED[name].format(root=root) in message
    assert "\n" not in message
    assert not list(tmp_path.iterdir())


def test_names_only_the_files_that_are_missing(server, data_files):
    (data_files.root / "USPS/usps.bz2").unlink()
    with pytest.raises(InputError, match=rf"; put usps\.bz2 into {data_files.root}/USPS; "):
        USPS().load("train", data_files.root)
    assert len(USPS().load("test", data_files.root)) == 20


def test_downloads_and_extracts(server, data_files, tmp_path):
    for file in (data_files.root / "KMNIST/raw").iterdir():
        server[f"{file.name}.gz"] = gzipped(file)
    part = DATASETS.get("KMNIST")().load("test", tmp_path / "new")
    np.testing.assert_array_equal(part.particles, data_files.images["KMNIST", "test"])
    assert [path.name for path in tmp_path.glob("new/**/t10k-images-idx3-ubyte")]
    assert not list(tmp_path.rglob(".*"))


def test_an_interrupted_download_leaves_nothing(server, data_files, tmp_path):
    for file in (data_files.root / "KMNIST/raw").iterdir():
        server[f"{file.name}.gz"] = gzipped(file)
    server["t10k-labels-idx1-ubyte.gz"] = ConnectionResetError("reset by peer")
    with pytest.raises(InputError, match=r"could not be downloaded .*reset by peer"):
        DATASETS.get("KMNIST")().load("train", tmp_path / "new")
    assert not (tmp_path / "new").exists()
    assert not list(tmp_path.rglob(".*"))


def test_a_download_with_another_checksum_leaves_nothing(server, tmp_path):
    server["usps.bz2"] = b"<html>moved</html>"
    with pytest.raises(InputError, match=r"could not be downloaded .*corrupted"):
        USPS().load("train", tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_download_keeps_the_files_that_were_there(server, data_files):
    folder = data_files.root / "KMNIST/raw"
    for file in folder.iterdir():
        server[f"{file.name}.gz"] = gzipped(file)
    (folder / "t10k-labels-idx1-ubyte").unlink()
    before = (folder / "t10k-images-idx3-ubyte").stat().st_mtime_ns
    assert len(DATASETS.get("KMNIST")().load("test", data_files.root)) == 20
    assert (folder / "t10k-images-idx3-ubyte").stat().st_mtime_ns == before


def test_extracts_archives_that_are_there_without_a_network(server, data_files):
    folder = data_files.root / "FashionMNIST/raw"
    for file in list(folder.iterdir()):
        file.with_name(f"{file.name}.gz").write_bytes(gzipped(file))
        file.unlink()
    part = DATASETS.get("FashionMNIST")().load("train", data_files.root)
    np.testing.assert_array_equal(part.particles, data_files.images["FashionMNIST", "train"])


def test_extracts_the_archive_of_cifar10(server, data_files, monkeypatch, md5_of):
    folder = data_files.root / "CIFAR10/cifar-10-batches-py"
    archive = data_files.root / "CIFAR10/cifar-10-python.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, arcname=folder.name)
    monkeypatch.setattr(tv.CIFAR10, "tgz_md5", md5_of(archive))
    for file in folder.iterdir():
        file.unlink()
    part = DATASETS.get("CIFAR10")().load("train", data_files.root)
    np.testing.assert_array_equal(part.particles, data_files.images["CIFAR10", "train"])


def test_names_an_altered_archive_and_leaves_it(server, data_files):
    folder = data_files.root / "FashionMNIST/raw"
    (folder / "train-images-idx3-ubyte").unlink()
    archive = folder / "train-images-idx3-ubyte.gz"
    archive.write_bytes(b"altered")
    expected = dict(tv.FashionMNIST.resources)[archive.name]
    message = f"{archive} is truncated or altered: md5 expected {expected}, found "
    with pytest.raises(InputError, match=message):
        DATASETS.get("FashionMNIST")().load("train", data_files.root)
    assert archive.read_bytes() == b"altered"
