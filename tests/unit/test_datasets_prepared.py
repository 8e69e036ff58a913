"""The form on disk that everything after loading reads."""

import json
import re
from typing import ClassVar

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from wowbench.datasets.base import Dataset, LabelledParticles
from wowbench.datasets.mnist import MNIST
from wowbench.datasets.prepared import read_prepared, write_prepared
from wowbench.errors import InputError
from wowbench.files import atomic_path
from wowbench.origin import Origin
from wowbench.tensorfile import write_tensors

SPEC = {"axes": {}}


class TwoShapes(Dataset):
    """A dataset that breaks the rule of one shape."""

    name: ClassVar[str] = "TwoShapes"

    @property
    def shape(self):
        return None

    def load(self, split, data_root=None):
        size = 4 if split == "train" else 5
        images = np.zeros((1, 1, size, size), np.uint8)
        return LabelledParticles(images, np.array([0]), ("a",), dataset=self.name, split=split)


def test_metadata_says_what_it_is(tmp_path):
    path = tmp_path / "data" / "mnist.safetensors"
    write_prepared(MNIST(bundled=True), None, path, SPEC)
    with safe_open(path, framework="pt") as file:
        names = set(file.keys())
        contents = json.loads(file.metadata()["wowbench"])["contents"]
    assert names == {"train_images", "train_labels", "test_images", "test_labels"}
    assert contents == {
        "dataset": "MNIST",
        "bundled": True,
        "classes": list("0123456789"),
        "image_shape": [1, 28, 28],
    }
    prepared = read_prepared(path)
    train, test = prepared.train, prepared.test
    assert (len(train), len(test), train.bundled) == (4000, 1000, True)


def test_equal_datasets_give_equal_bytes(tmp_path):
    for name in ("a", "b"):
        write_prepared(MNIST(bundled=True), None, tmp_path / name, SPEC)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_refuses_splits_of_different_shapes(tmp_path):
    message = r"TwoShapes: shape must be the same .*\(1, 4, 4\) in train and \(1, 5, 5\) in"
    with pytest.raises(InputError, match=message):
        write_prepared(TwoShapes(), None, tmp_path / "file", SPEC)
    assert not list(tmp_path.iterdir())


def test_refuses_another_kind_of_file(tmp_path):
    whole, path = tmp_path / "whole", tmp_path / "file"
    write_prepared(MNIST(bundled=True), None, whole, SPEC)
    message = f"^{re.escape(str(path))}: not a readable file .*; run its prepare job again$"
    with pytest.raises(InputError, match=message):
        read_prepared(path)
    path.write_bytes(whole.read_bytes()[:1000])
    with pytest.raises(InputError, match=message):
        read_prepared(path)
    save_file({"x": np.zeros(1)}, path)
    with pytest.raises(InputError, match=message):
        read_prepared(path)


def test_an_atomic_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "new" / "file.txt"
    with atomic_path(path) as temporary:
        temporary.write_text("first")
        assert temporary.suffix == ".txt"
        assert not path.exists()
    assert path.read_text() == "first"

    def fail():
        with atomic_path(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        fail()
    assert path.read_text() == "first"
    assert [p.name for p in path.parent.iterdir()] == ["file.txt"]


class Points(Dataset):
    """Points of the plane, the last of which is not finite in one split."""

    name: ClassVar[str] = "points"
    bad: str

    @property
    def shape(self):
        return (2,)

    def load(self, split, data_root=None):
        points = np.array([[0, 1], [2, np.nan if split == self.bad else 3]], np.float32)
        return LabelledParticles(points, np.array([0, 1]), ("a", "b"), self.name, split)


def test_points_come_back_as_they_were(tmp_path):
    write_prepared(Points(bad="none"), None, tmp_path / "file", SPEC)
    part = read_prepared(tmp_path / "file").test
    assert part.particles.dtype == np.float32
    assert part.particles.tolist() == [[0, 1], [2, 3]]


@pytest.mark.parametrize("split", ["train", "test"])
def test_numbers_that_are_not_finite_are_neither_written_nor_read(tmp_path, split):
    message = f"^points, {split} split: particle 1 has the value nan; expected finite numbers$"
    with pytest.raises(InputError, match=message):
        write_prepared(Points(bad=split), None, tmp_path / "file", SPEC)
    assert not list(tmp_path.iterdir())
    values = np.array([[0, 1], [2, 3]], np.float32)
    tensors = {f"{part}_images": values for part in ("train", "test")}
    tensors |= {f"{part}_labels": np.array([0, 1]) for part in ("train", "test")}
    tensors[f"{split}_images"] = np.array([[0, 1], [np.nan, 3]], np.float32)
    contents = {"dataset": "points", "bundled": False, "classes": ["a", "b"], "image_shape": [2]}
    write_tensors(tmp_path / "file", tensors, contents, Origin("prepare", SPEC))
    with pytest.raises(InputError, match=message):
        read_prepared(tmp_path / "file")
