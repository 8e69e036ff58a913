"""The draw job: what it writes, and images that cannot be drawn or matched."""

import json

import numpy as np
import pytest
from PIL import Image

from wowbench.cli import BAD_INPUT, main
from wowbench.jobs.drawn import read_draw

PER_CLASS = 4


def prepare(folder, name, size):
    """Prepare a folder dataset of two classes of square grey images; image i has the level i."""
    levels = iter(range(256))
    for split in ("train", "test"):
        for label in ("cat", "dog"):
            path = folder / name / split / label
            path.mkdir(parents=True)
            for i in range(PER_CLASS):
                pixels = np.full((size, size), next(levels), np.uint8)
                Image.fromarray(pixels).save(path / f"{i}.png")
    dataset = {"name": "folder", "id": name, "path": str(folder / name), "channels": 1}
    spec = {"dataset": dataset, "axes": {}}
    out = folder / f"{name}.safetensors"
    record = folder / f"{name}.json"
    arguments = ["--spec", json.dumps(spec), "--out", str(out), "--record", str(record)]
    assert main(["prepare", *arguments]) == 0
    return str(out), spec


@pytest.fixture
def draw(tmp_path):
    """Draw from two folder datasets; returns the exit status, the draw and the record."""

    def run(n=2, k=1, target_size=5, minimum_size=1, minimum_k=1):
        spec = {"n": n, "source_seed": 1, "k": k, "target_seed": 2, "normalise": False}
        spec |= {"minimum_size": minimum_size, "minimum_k": minimum_k}
        spec["axes"] = {"source": "one", "target": "two"}
        source, from_source = prepare(tmp_path, "one", 5)
        target, from_target = prepare(tmp_path, "two", target_size)
        spec["inputs"] = {"source": from_source, "target": from_target}
        out, record = tmp_path / "draw.safetensors", tmp_path / "draw.json"
        arguments = ["--spec", json.dumps(spec), "--source", source, "--target", target]
        status = main(["draw", *arguments, "--out", str(out), "--record", str(record)])
        return status, out, record

    return run


def test_it_draws_training_images_of_each_class_once(draw):
    status, out, record = draw(n=PER_CLASS, k=2)
    assert status == 0
    images = read_draw(out)
    levels = images.source[..., 0, 0, 0]
    # Training images of class c have the levels 4 c to 4 c + 3.
    assert levels.sort().values.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert images.target.shape == (2, 2, 1, 5, 5)
    assert json.loads(record.read_text())["status"] == "ok"


def test_too_few_images_name_class_have_and_need(draw, capsys):
    status, out, record = draw(n=PER_CLASS + 1)
    assert status == BAD_INPUT
    error = capsys.readouterr().err
    assert "'cat'" in error
    assert f"{PER_CLASS} images" in error
    assert f"{PER_CLASS + 1} per class" in error
    assert not out.exists()
    assert not record.exists()


def test_images_of_different_shapes_are_named(draw, capsys):
    status, out, record = draw(target_size=6)
    assert status == BAD_INPUT
    error = capsys.readouterr().err
    assert "source one has images of shape (1, 5, 5) and target two of shape (1, 6, 6)" in error
    assert not out.exists()
    assert not record.exists()


@pytest.mark.parametrize(
    ("needs", "message"),
    [
        ({"minimum_size": 6}, "target two has images of 5 x 5 pixels, and the evaluation needs at"),
        ({"k": None, "minimum_k": 5}, "target two has 4 images in its smallest class; expected at"),
    ],
)
def test_a_target_that_no_flow_can_use_is_named(draw, capsys, needs, message):
    status, out, record = draw(**needs)
    assert status == BAD_INPUT
    assert message in capsys.readouterr().err
    assert not out.exists()
    assert not record.exists()


def test_a_target_that_is_just_large_enough_is_drawn(draw):
    assert draw(k=None, minimum_size=5, minimum_k=4)[0] == 0
