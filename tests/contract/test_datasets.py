"""What every registered dataset must keep to, those of other packages included."""

import subprocess
import sys
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image

from wowbench.cli import main
from wowbench.contract.checks import ContractError
from wowbench.contract.datasets import dataset_checks
from wowbench.datasets.base import Dataset, LabelledParticles
from wowbench.datasets.prepared import read_prepared, write_prepared
from wowbench.errors import InputError
from wowbench.parameters import FromRegistry
from wowbench.registry import DATASETS

NAMES = DATASETS.names()


@pytest.fixture
def dataset(request, tmp_path) -> Dataset:
    """The dataset of that name, with its defaults where it has any."""
    name = request.param
    if name == "clustered":
        return DATASETS.get(name)(of="digits")
    if name != "folder":
        return DATASETS.get(name)()
    rng = np.random.default_rng(1)
    for split in ("train", "test"):
        for label in ("ant", "bee"):
            folder = tmp_path / "images" / split / label
            folder.mkdir(parents=True)
            for i in range(3):
                pixels = rng.integers(0, 256, (6, 5, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{i}.png")
    return DATASETS.get(name)(id="insects", path=tmp_path / "images")


TITLES = [check.title for check in dataset_checks(DATASETS.get("digits")(), None)]

every_dataset = pytest.mark.parametrize("dataset", NAMES, indirect=True)


@every_dataset
@pytest.mark.parametrize("title", TITLES)
def test_it_keeps_to_the_contract(dataset, title, data_files):
    (check,) = (c for c in dataset_checks(dataset, data_files.root) if c.title == title)
    check.run()


@every_dataset
def test_survives_the_way_through_a_config(dataset):
    entry = FromRegistry(DATASETS)
    assert entry.build(entry.dump(dataset)) == dataset


@every_dataset
def test_is_the_same_after_being_prepared(dataset, data_files, tmp_path):
    write_prepared(dataset, data_files.root, tmp_path / "prepared.safetensors", {})
    prepared = read_prepared(tmp_path / "prepared.safetensors")
    for part in (prepared.train, prepared.test):
        loaded = dataset.load(part.split, data_files.root)
        assert np.array_equal(part.particles, loaded.particles)
        assert np.array_equal(part.labels, loaded.labels)
        assert (part.classes, str(part)) == (loaded.classes, str(loaded))


@pytest.mark.parametrize("name", NAMES)
def test_refuses_an_unknown_parameter(name):
    with pytest.raises(InputError, match=rf"{name}: unknown key 'bundle'; did you mean 'bundled'"):
        DATASETS.get(name).parse({"bundle": True}, name)


@pytest.mark.parametrize("name", [n for n in NAMES if DATASETS.get(n).has_bundled_subset])
def test_bundled_subset_needs_no_files(name, tmp_path):
    dataset = DATASETS.get(name)(bundled=True)
    for split in ("train", "test"):
        part = dataset.load(split, tmp_path / "absent")
        assert part.bundled
        assert part.shape == dataset.shape
        assert len(np.unique(part.labels)) == len(part.classes) == 10
    assert dataset.slug == f"{name}-bundled"


def test_a_person_can_check_one(tmp_path, capsys):
    assert main(["check", "dataset", "{name: MNIST, bundled: true, image_size: 8}"]) == 0
    assert capsys.readouterr().out.splitlines() == [f"passed: {title}" for title in TITLES]
    absent = f"{{name: folder, id: mine, path: {tmp_path}}}"
    assert main(["check", "dataset", absent]) == 1
    assert f"FAILED: {LOADS}: mine: " in capsys.readouterr().out
    assert main(["check", "dataset", "MINST"]) == 2
    assert "unknown dataset 'MINST'; did you mean 'MNIST'?" in capsys.readouterr().err


def test_refuses_an_unknown_name():
    with pytest.raises(InputError, match=r"unknown dataset 'fashion-mnist'; did you mean 'Fashion"):
        DATASETS.get("fashion-mnist")


def test_names_are_listed_without_torch():
    code = (
        "import sys; from wowbench.registry import DATASETS; names = DATASETS.names(); "
        "assert 'torch' not in sys.modules; print(*names)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == set(NAMES)


class Squares(Dataset):
    """Grey squares of two levels."""

    name: ClassVar[str] = "squares"
    summary: ClassVar[str] = "grey squares"
    licence: ClassVar[str] = "none needed"

    @property
    def shape(self):
        return 1, 2, 2

    def pixels(self, split):
        levels = np.arange(4, dtype=np.uint8) + np.uint8(100 if split == "test" else 0)
        return np.tile(levels.reshape(4, 1, 1, 1), (1, *self.shape))

    def labels(self, split):
        return np.array([0, 1, 1, 0])

    def load(self, split, data_root=None):
        if split not in ("train", "test"):
            raise InputError(f"unknown split {split!r}")
        labelled = self.pixels(split), self.labels(split), ("low", "high")
        return LabelledParticles(*labelled, dataset=self.label, split=split)


class ShapeUnlikeAnnounced(Squares):
    """Grey squares."""

    def pixels(self, split):
        return np.tile(super().pixels(split), (1, 1, 2, 1))


class TwoChannels(Squares):
    """Grey squares."""

    @property
    def shape(self):
        return 2, 2, 2


class EmptyClass(Squares):
    """Grey squares."""

    def labels(self, split):
        return super().labels(split) * (split == "train")


class Shuffled(Squares):
    """Grey squares."""

    def pixels(self, split):
        return GENERATOR.permutation(super().pixels(split))


class Leaky(Squares):
    """Grey squares."""

    def pixels(self, split):
        return super().pixels("train")


class OneSplitAndTwo(Squares):
    """Grey squares."""

    has_one_split: ClassVar[bool] = True


class Unannounced(Squares):
    """Grey squares."""

    def load(self, split, data_root=None):
        return replace(super().load(split), measured={"purity": 1.0})


class AnySplit(Squares):
    """Grey squares."""

    def load(self, split, data_root=None):
        return super().load(split if split == "test" else "train")


class Unlicensed(Squares):
    """Grey squares."""

    licence: ClassVar[str] = ""


class Undocumented(Squares):
    """Grey squares."""

    level: int = 1


class Talkative(Squares):
    """Grey squares."""

    summary: ClassVar[str] = "grey\nsquares"


GENERATOR = np.random.default_rng(0)
LOADS = "loads what it announces"
BROKEN = {
    ShapeUnlikeAnnounced: (LOADS, r"train: particles have shape \(1, 4, 2\); `shape` is \(1, 2"),
    TwoChannels: (LOADS, "train: images have 2 channels"),
    EmptyClass: (LOADS, r"test: there is no particle of the classes \[1\]"),
    Shuffled: ("loads the same each time", "train: loaded twice, it is not the same"),
    Leaky: ("shares no particle between splits", "4 particles of the test split are in train too"),
    OneSplitAndTwo: ("shares no particle between splits", "test split is another than train"),
    Unannounced: (LOADS, "train: it measures purity, which `metrics` lacks"),
    AnySplit: ("refuses an unknown split", "it loads the split 'tests', which does not exist"),
    Unlicensed: ("says its licence", "licence is ''; expected text"),
    Undocumented: ("documents its parameters", "level is in no docstring"),
    Talkative: ("has a summary", "expected one line of text"),
}


def test_a_dataset_that_keeps_to_the_contract_passes():
    for check in dataset_checks(Squares(), None):
        check.run()


@pytest.mark.parametrize("cls", BROKEN, ids=lambda cls: cls.__name__)
def test_a_dataset_that_breaks_it_is_found(cls):
    title, message = BROKEN[cls]
    (check,) = (c for c in dataset_checks(cls(), None) if c.title == title)
    with pytest.raises(ContractError, match=message):
        check.run()
