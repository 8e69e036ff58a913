"""Folders of images."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from wowbench.cli import BAD_INPUT, main
from wowbench.datasets.folder import ImageFolder
from wowbench.datasets.image_files import SUFFIXES
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
    part = load(folder)
    assert part.classes == ("cat", "dog")
    assert part.labels.tolist() == [0, 0, 1, 1]
    assert part.dataset == "pets"
    assert part.shape == (3, 4, 6)
    assert part.particles[:, :, 0, 0].tolist() == [[10, 20, 30]] * 2 + [[200, 100, 50]] * 2


def test_converts_to_grey(folder):
    # ITU-R 601: 0.299 R + 0.587 G + 0.114 B.
    part = load(folder, channels=1)
    assert part.shape == (1, 4, 6)
    assert part.particles[:, 0, 0, 0].tolist() == pytest.approx([18, 18, 124, 124], abs=1)


def test_resizes_images_of_different_sizes(folder):
    save(folder / "train/dog/c.png", (1, 2, 3), size=(9, 9))
    dataset = ImageFolder(id="pets", path=folder, image_size=5)
    assert dataset.shape == dataset.load("train").shape == (3, 5, 5)
    assert dataset.load("train").particles[-1, :, 2, 2].tolist() == [1, 2, 3]


def test_refuses_images_of_different_sizes(folder):
    save(folder / "train/dog/c.png", (1, 2, 3), size=(9, 8))
    message = r"pets: \S*/dog/c.png has 8 x 9 pixels and \S*/cat/a.png has 4 x 6; set `image_size`"
    with pytest.raises(InputError, match=message):
        load(folder)
    assert ImageFolder(id="pets", path=folder).shape is None


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
    with pytest.raises(InputError, match=f"pets: {folder}/train/cat is empty; expected im"):
        load(folder)


def test_refuses_a_single_class(folder):
    for split in ("train", "test"):
        shutil.rmtree(folder / split / "dog")
    with pytest.raises(InputError, match=f"pets: {folder}/train has 1 class folders; expected at"):
        load(folder)


def test_leaves_out_what_is_hidden(folder):
    for place in ("train", "train/cat", "test/dog"):
        for name in (".DS_Store", "._a.png", "Thumbs.db", "desktop.ini"):
            (folder / place / name).write_text("no image")
        save(folder / place / ".ipynb_checkpoints" / "a.png", (0, 0, 0))
    assert load(folder).particles.shape == load(folder, "test").particles.shape == (4, 3, 4, 6)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("spelling", [str.lower, str.upper])
def test_reads_every_known_suffix(folder, suffix, spelling):
    path = folder / f"train/dog/c{spelling(suffix)}"
    Image.new("RGB", (6, 4), (250, 250, 250)).save(path)
    assert load(folder).particles[-1].mean() == pytest.approx(250, abs=2)


@pytest.mark.parametrize("name", ["notes.txt", "c.gif", "c", "c.png.bak", "c.npy"])
def test_names_a_file_that_is_no_known_image(folder, name):
    path = folder / "train/cat" / name
    Image.new("RGB", (6, 4)).save(path, format="PNG")
    with pytest.raises(InputError, match=f"pets: {path} is no image; expected files ending in "):
        load(folder)


def test_names_a_file_beside_the_class_folders(folder):
    save(folder / "train/c.png", (0, 0, 0))
    with pytest.raises(InputError, match=f"pets: {folder}/train/c.png is no folder; expected one"):
        load(folder)


@pytest.mark.parametrize("name", ["more", "more.png"])
def test_names_a_folder_in_the_folder_of_a_class(folder, name):
    save(folder / "train/cat" / name / "a.png", (0, 0, 0))
    with pytest.raises(InputError, match=f"pets: {folder}/train/cat/{name} is a folder; expected"):
        load(folder)


def test_names_a_link_that_leads_back(folder):
    # All images of both classes would count as cats.
    (folder / "train/cat/loop").symlink_to(folder / "train")
    with pytest.raises(InputError, match=f"pets: {folder}/train/cat/loop is a folder; expected"):
        load(folder)


@pytest.mark.parametrize("target", ["cat", "absent"])
def test_names_a_link_to_nothing(folder, target):
    (folder / "train/cow").symlink_to(folder / "train" / ("cow" if target == "cat" else target))
    with pytest.raises(InputError, match=f"pets: {folder}/train/cow is no folder; expected one"):
        load(folder)


def test_names_two_classes_that_are_one_folder(folder):
    for split in ("train", "test"):
        (folder / split / "tom").symlink_to(folder / split / "cat")
    message = f"pets: {folder}/train/cat and {folder}/train/tom are the same folder, by a link"
    with pytest.raises(InputError, match=message):
        load(folder)


def test_names_a_test_set_that_is_the_training_set(folder):
    shutil.rmtree(folder / "test")
    (folder / "test").symlink_to(folder / "train")
    message = f"pets: {folder}/train/cat and {folder}/test/cat are the same folder, by a link"
    with pytest.raises(InputError, match=message):
        load(folder)


def test_follows_links_to_folders_and_files_elsewhere(folder, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (folder / "train/cat").rename(elsewhere / "cats")
    (folder / "train/cat").symlink_to(elsewhere / "cats")
    (folder / "train/dog/b.png").rename(elsewhere / "b.png")
    (folder / "train/dog/b.png").symlink_to(elsewhere / "b.png")
    shutil.move(folder / "train", tmp_path / "set/train")
    shutil.move(folder / "test", tmp_path / "set/test")
    assert load(tmp_path / "set").labels.tolist() == [0, 0, 1, 1]


def test_names_folders_without_classes(tmp_path):
    (tmp_path / "train").mkdir()
    (tmp_path / "test").mkdir()
    with pytest.raises(InputError, match=f"pets: {tmp_path}/train has 0 class folders; exp"):
        load(tmp_path)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_names_a_truncated_image_of_any_suffix(folder, suffix, share):
    path = folder / f"train/dog/c{suffix}"
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError, match=f"pets: cannot read the image {path}: ") as caught:
        load(folder, image_size=8)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("over", [1.5, 3])
def test_names_a_decompression_bomb(folder, monkeypatch, over):
    # Pillow warns from its limit on, and raises an error from twice as many pixels on.
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", int(24 / over))
    message = f"cannot read the image {folder}/train/cat/a.png: Image size .*decompression bomb"
    with pytest.raises(InputError, match=message):
        load(folder)


def test_keeps_harmless_warnings_of_pillow_to_itself(folder):
    # Pillow warns of a palette whose transparency is in bytes.
    palette = Image.new("P", (6, 4), 1)
    palette.putpalette([10, 20, 30] * 2)
    palette.save(folder / "train/dog/b.png", transparency=bytes([255, 128]))
    with Image.open(folder / "train/dog/b.png") as image, pytest.warns(UserWarning, match="Trans"):
        image.convert("RGB")
    assert load(folder).particles[-1, :, 0, 0].tolist() == [10, 20, 30]


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
        ({"id": "pets", "path": "x\ny"}, r"pets: path: got 'x\\ny'; .* without control characters"),
        ({"id": "mnist", "path": "x"}, "pets: id 'mnist' is the name of another dataset"),
        (
            {"id": "pets", "path": "x", "channels": True},
            "pets: channels: got True; expected a number",
        ),
        ({"id": "pets", "path": "x", "channels": 2}, r"pets: channels: got 2 \(int\); .*1 or 3"),
        ({"id": "pets", "path": "x", "image_size": 0}, r"pets: image_size: got 0 \(int\); .*2"),
        ({"id": "pets", "path": "x", "image_size": "big"}, "pets: image_size: got 'big'"),
    ],
)
def test_refuses_bad_parameters(values, message):
    with pytest.raises(InputError, match=f"^{message}"):
        ImageFolder.parse(values, "pets")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: shutil.rmtree(folder / "test"), "there is no folder"),
        (lambda folder: (folder / "test/dog").rename(folder / "test/cow"), "train and test differ"),
        (lambda folder: (folder / "train/dog/notes.txt").touch(), "notes.txt is no image"),
        (lambda folder: (folder / "test/dog/b.png").write_bytes(b"x"), "cannot read the image"),
    ],
)
def test_prepare_refuses_it_in_one_line_and_writes_nothing(folder, capsys, spoil, message):
    spoil(folder)
    dataset = {"name": "folder", "id": "pets", "path": str(folder)}
    out, record = folder / "out.safetensors", folder / "record.json"
    arguments = ["--spec", json.dumps({"dataset": dataset, "axes": {}}), "--out", str(out)]
    assert main(["prepare", *arguments, "--record", str(record)]) == BAD_INPUT
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not out.exists()
    assert not record.exists()


def test_a_home_folder_that_is_not_there_is_named():
    with pytest.raises(InputError, match=r"~nobody-of-that-name/pets: .* without '~'"):
        load("~nobody-of-that-name/pets")
