"""Fingerprints: they change with data files, and stay with a download."""

import os
import subprocess
import sys

import pytest

from wowbench.datasets.download import download
from wowbench.datasets.listing import listing_digest
from wowbench.parameters import FromRegistry
from wowbench.plan import Plan
from wowbench.registry import DATASETS

VISION = ("CIFAR10", "FashionMNIST", "KMNIST", "MNIST", "SVHN", "USPS")


def fingerprint(root=None, **dataset):
    return FromRegistry(DATASETS).build(dataset).fingerprint(root)


@pytest.mark.parametrize("name", VISION)
@pytest.mark.parametrize("change", ["content", "date", "absence"])
def test_a_changed_file_of_torchvision_changes_the_fingerprint(data_files, name, change):
    before = fingerprint(data_files.root, name=name)
    assert fingerprint(data_files.root, name=name) == before
    dataset = DATASETS.get(name)()
    files = {dataset._root(data_files.root) / file for file in dataset._all_files()}
    assert len(files) >= 2
    seen = {before}
    for path in files:
        if change == "content":
            path.write_bytes(path.read_bytes() + b"0")
        elif change == "date":
            os.utime(path, (0, 0))
        else:
            path.unlink()
        seen.add(fingerprint(data_files.root, name=name))
    assert len(seen) == len(files) + 1


@pytest.mark.parametrize("name", VISION)
def test_files_that_are_absent_have_no_fingerprint(tmp_path, name):
    assert fingerprint(tmp_path / "nowhere", name=name) == ""


def test_a_download_leaves_the_fingerprint_alone(tmp_path):
    before = fingerprint(tmp_path, name="USPS")

    def fetch(folder):
        for name in ("usps.bz2", "usps.t.bz2"):
            (folder / name).write_bytes(b"data")

    place = {"url": "nowhere", "archives": {}, "missing": ["usps.bz2"]}
    download("USPS", tmp_path / "USPS", fetch=fetch, **place)
    assert (tmp_path / "USPS" / "usps.bz2").exists()
    assert fingerprint(tmp_path, name="USPS") == before
    (tmp_path / "USPS" / "usps.bz2").write_bytes(b"other")
    assert fingerprint(tmp_path, name="USPS") != before


def test_bundled_files_are_known_by_their_contents(tmp_path, monkeypatch):
    names = ("mnist_train.npz", "mnist_test.npz")
    monkeypatch.setattr("wowbench.datasets.bundled.FOLDER", tmp_path)
    for name in names:
        (tmp_path / name).write_bytes(b"data")
    before = fingerprint(name="MNIST", bundled=True)
    for name in names:
        os.utime(tmp_path / name, (0, 0))
    assert fingerprint(name="MNIST", bundled=True) == before
    (tmp_path / names[1]).write_bytes(b"date")
    assert fingerprint(name="MNIST", bundled=True) != before


@pytest.fixture
def images(tmp_path):
    for split in ("train", "test"):
        for name in ("cat", "dog"):
            (tmp_path / split / name).mkdir(parents=True)
            (tmp_path / split / name / "1.png").write_bytes(b"image")
    return tmp_path


def of_folder(path):
    return fingerprint(name="folder", id="mine", path=str(path))


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "test/cat/1.png").write_bytes(b"another"),
        lambda root: (root / "test/cat/2.png").write_bytes(b"image"),
        lambda root: (root / "test/cat/1.png").rename(root / "test/cat/0.png"),
        lambda root: (root / "train/dog/1.png").unlink(),
        lambda root: (root / "train/eel").mkdir(),
        lambda root: os.utime(root / "train/cat/1.png", (0, 0)),
    ],
)
def test_a_changed_folder_of_images_changes_the_fingerprint(images, change):
    before = of_folder(images)
    change(images)
    assert of_folder(images) != before


def test_links_and_odd_names_are_listed_without_an_error(images):
    (images / "train/cat/lost.png").symlink_to(images / "nowhere.png")
    (images / "train/cat/loop").symlink_to(images / "train")
    (images / "train/cat/[a]*?.png").write_bytes(b"image")
    os.mkdir(os.fsencode(images) + b"/train/\xff")
    assert len(of_folder(images)) == 16
    assert of_folder(images / "nowhere") == ""


def test_a_listing_names_what_a_pattern_matches_and_no_other(tmp_path):
    (tmp_path / "a.bz2").write_bytes(b"data")
    before = listing_digest(tmp_path, ["*.bz2"])
    (tmp_path / "b.txt").write_bytes(b"data")
    assert listing_digest(tmp_path, ["*.bz2"]) == before
    assert listing_digest(tmp_path, ["*.txt"]) not in ("", before)


def test_a_dataset_without_files_has_an_empty_fingerprint():
    assert fingerprint(name="digits") == ""


def test_a_plan_keeps_the_fingerprint_of_files_that_are_gone(images, monkeypatch):
    monkeypatch.chdir(images)
    dataset = {"name": "folder", "id": "mine", "path": str(images), "image_size": 28}
    experiment = {
        **{"task": "transfer", "source": dataset, "targets": [dataset]},
        **{"methods": ["mmdsw"], "shots": [1]},
    }
    plan = Plan.load({"name": "test", "experiments": [experiment]})
    before = plan.fingerprint("mine")
    assert before == of_folder(images) != ""
    kept = images / "results/test/data/mine.files"
    kept.parent.mkdir(parents=True)
    kept.write_text(before)
    for split in ("train", "test"):
        (images / split).rename(images / f"no {split}")
    assert of_folder(images) == ""
    assert plan.fingerprint("mine") == before


def test_fingerprints_import_no_torch():
    code = (
        "import sys; from wowbench.registry import DATASETS;"
        f"[DATASETS.get(name)(bundled=b).fingerprint() for name in {VISION} for b in (False, True)"
        " if not b or DATASETS.get(name).has_bundled_subset];"
        "assert 'torch' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
