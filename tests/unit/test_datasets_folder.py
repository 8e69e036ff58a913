"""Folders of images."""

import numpy as np
import pytest
from PIL import Image

from wowbench.datasets.folder import ImageFolder
from wowbench.errors import InputError


@pytest.fixture
def folder(tmp_path):
    """Two classes of plain 4 x 6 colour images; returns the dataset's folder."""
    for split in ("train", "test"):
        for label, colour in (("cat", (10, 20, 30)), ("dog", (200, 100, 50))):
            save(tmp_path / split / label / "a.png", colour)
            save(tmp_path / split / label / "b.png", colour)
    return tmp_path


def save(path, colour, size=(6, 4)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


def load(path, split="train", **parameters):
    return ImageFolder(id="pets", path=path, **parameters).load(split)


def test_classes_are_the_names_of_the_folders(folder):
    (folder / "train/cat/notes.txt").write_text("no image")
    part = load(folder)
    assert part.classes == ("cat", "dog")
    assert part.labels.tolist() == [0, 0, 1, 1]
    assert part.dataset == "pets"
    assert part.image_shape == (3, 4, 6)
    assert part.images[:, :, 0, 0].tolist() == [[10, 20, 30]] * 2 + [[200, 100, 50]] * 2


def test_converts_to_grey(folder):
    # ITU-R 601: 0.299 R + 0.587 G + 0.114 B.
    part = load(folder, channels=1)
    assert part.image_shape == (1, 4, 6)
    assert part.images[:, 0, 0, 0].tolist() == pytest.approx([18, 18, 124, 124], abs=1)


def test_resizes_images_of_different_sizes(folder):
    save(folder / "train/dog/c.png", (1, 2, 3), size=(9, 9))
    dataset = ImageFolder(id="pets", path=folder, image_size=5)
    assert dataset.image_shape == dataset.load("train").image_shape == (3, 5, 5)
    assert dataset.load("train").images[-1, :, 2, 2].tolist() == [1, 2, 3]


def test_refuses_images_of_different_sizes(folder):
    save(folder / "train/dog/c.png", (1, 2, 3), size=(9, 8))
    message = r"pets: \S*/dog/c.png has 8 x 9 pixels and \S*/cat/a.png has 4 x 6; set `image_size`"
    with pytest.raises(InputError, match=message):
        load(folder)
    assert ImageFolder(id="pets", path=folder).image_shape is None


def test_names_a_missing_folder(tmp_path):
    with pytest.raises(InputError, match=f"pets: there is no folder {tmp_path}/absent/train; exp"):
        load(tmp_path / "absent")


def test_names_a_class_of_one_split_only(folder):
    save(folder / "test/cow/a.png", (0, 0, 0))
    with pytest.raises(InputError, match="train and test differ: 'cow' is only in test of "):
        load(folder)


def test_names_a_class_without_images(folder):
    for file in (folder / "train/cat").iterdir():
        file.unlink()
    with pytest.raises(InputError, match=rf"pets: {folder}/train: .*no valid file.*cat"):
        load(folder)


def test_names_folders_without_classes(tmp_path):
    (tmp_path / "train").mkdir()
    (tmp_path / "test").mkdir()
    with pytest.raises(InputError, match=f"pets: {tmp_path}/train: .*class folder"):
        load(tmp_path)


@pytest.mark.parametrize("damage", [lambda content: content[:60], lambda content: b"no image"])
def test_names_an_unreadable_image(folder, damage):
    path = folder / "train/dog/b.png"
    noise = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match=f"pets: cannot read the image {path}: "):
        load(folder)


def test_refuses_more_than_eight_bits(folder):
    path = folder / "train/dog/b.png"
    Image.fromarray(np.full((4, 6), 1000, np.uint16)).save(path)
    with pytest.raises(InputError, match=f"{path}: pixels of mode I;16, not of 8 bits"):
        load(folder, channels=1)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"path": "x"}, "pets: id: this key is required and missing"),
        ({"id": "pets", "path": 3}, r"pets: path: got 3 \(int\); "),
        ({"id": "a/b", "path": "x"}, "pets: id: got 'a/b'; expected a short name"),
        ({"id": "MNIST", "path": "x"}, "pets: id 'MNIST' is the name of another dataset"),
        ({"id": "pets", "path": "x", "channels": 2}, r"pets: channels: got 2 \(int\); .*1 or 3"),
        ({"id": "pets", "path": "x", "image_size": 0}, r"pets: image_size: got 0 \(int\); .*2"),
        ({"id": "pets", "path": "x", "image_size": "big"}, "pets: image_size: got 'big'"),
    ],
)
def test_refuses_bad_parameters(values, message):
    with pytest.raises(InputError, match=f"^{message}"):
        ImageFolder.parse(values, "pets")
