"""What every registered dataset must keep to, those of other packages included."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from wowbench.datasets.base import Dataset
from wowbench.datasets.prepared import read_prepared, write_prepared
from wowbench.errors import InputError
from wowbench.parameters import FromRegistry
from wowbench.registry import DATASETS

NAMES = DATASETS.names()


@pytest.fixture
def dataset(request, tmp_path) -> Dataset:
    """The dataset of that name, with its defaults where it has any."""
    name = request.param
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


every_dataset = pytest.mark.parametrize("dataset", NAMES, indirect=True)


@every_dataset
def test_describes_itself_in_one_line(dataset):
    assert DATASETS.get(dataset.name) is type(dataset)
    assert dataset.summary
    assert "\n" not in dataset.summary
    assert dataset.licence
    assert dataset.__doc__


@every_dataset
def test_survives_the_way_through_a_config(dataset):
    entry = FromRegistry(DATASETS)
    assert entry.build(entry.dump(dataset)) == dataset


@every_dataset
def test_loads_what_it_announces(dataset, data_files):
    for split in ("train", "test"):
        part = dataset.load(split, data_files.root)
        assert part.images.dtype == torch.uint8
        assert part.labels.dtype == torch.int64
        assert part.labels.unique().tolist() == list(range(len(part.classes)))
        assert dataset.image_shape in (None, part.image_shape)
        assert part.image_shape[0] in (1, 3)
        assert (part.dataset, part.split) == (dataset.label, split)
        assert part.bundled == dataset.bundled


@every_dataset
def test_loads_the_same_each_time(dataset, data_files):
    first, second = (dataset.load("train", data_files.root) for _ in range(2))
    assert torch.equal(first.images, second.images)
    assert torch.equal(first.labels, second.labels)


@every_dataset
def test_shares_no_image_between_splits(dataset, data_files):
    train, test = (
        {image.numpy().tobytes() for image in dataset.load(split, data_files.root).images}
        for split in ("train", "test")
    )
    assert not train & test


@every_dataset
def test_is_the_same_after_being_prepared(dataset, data_files, tmp_path):
    write_prepared(dataset, data_files.root, tmp_path / "prepared.safetensors", {})
    prepared = read_prepared(tmp_path / "prepared.safetensors")
    for part in (prepared.train, prepared.test):
        loaded = dataset.load(part.split, data_files.root)
        assert torch.equal(part.images, loaded.images)
        assert torch.equal(part.labels, loaded.labels)
        assert (part.classes, str(part)) == (loaded.classes, str(loaded))


@every_dataset
def test_refuses_an_unknown_split(dataset, data_files):
    with pytest.raises(InputError, match=r"unknown split 'tests'; did you mean 'test'\?"):
        dataset.load("tests", data_files.root)


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
        assert part.image_shape == dataset.image_shape
        assert len(part.labels.unique()) == len(part.classes) == 10
    assert dataset.slug == f"{name}-bundled"


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
