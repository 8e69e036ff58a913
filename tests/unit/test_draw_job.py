"""The draw job: what it writes, and images that cannot be drawn or matched."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wowbench.cli import BAD_INPUT, main
from wowbench.jobs.drawn import read_draw
from wowbench.results.records import read_record
from wowbench.results.scores import read_scores

ROOT = Path(__file__).parents[2]

PER_CLASS = 4
ROLES = {"source": "one", "target": "two", "test": "two"}


def prepare(folder, name, size, classes=("cat", "dog")):
    """Prepare a folder dataset of square grey images; image i has the level i."""
    levels = iter(range(256))
    for split in ("train", "test"):
        for label in classes:
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

    def run(target_size=5, target_classes=("cat", "dog"), test=None, options=None, **changes):
        spec = {"n": 2, "source_seed": 1, "k": 1, "target_seed": 2, "units": "natural"}
        spec |= {"equal_classes": False, "minimum_size": 1, "minimum_k": 1, "axes": {}}
        source, from_source = prepare(tmp_path, "one", 5)
        target, from_target = prepare(tmp_path, "two", target_size, target_classes)
        spec["inputs"] = {"source": from_source, "target": from_target}
        given = ["--source", source, "--target", target]
        if test is not None:
            path, spec["inputs"]["test"] = prepare(tmp_path, "three", **test)
            given += ["--test", path]
        out, record = tmp_path / "draw.safetensors", tmp_path / "draw.json"
        arguments = ["--spec", json.dumps(spec | changes), *(options or given)]
        status = main(["draw", *arguments, "--out", str(out), "--record", str(record)])
        return status, out, record

    return run


def refused(result, capsys):
    """The one line with which a draw was refused, that left nothing behind."""
    status, out, record = result
    assert status == BAD_INPUT
    assert not out.exists()
    assert not record.exists()
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_it_draws_training_images_of_each_class_once(draw):
    status, out, record = draw(n=PER_CLASS, k=2)
    assert status == 0
    images = read_draw(out)
    levels = images.source[..., 0, 0, 0]
    # Training images of class c have the levels 4 c to 4 c + 3.
    assert levels.sort().values.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert images.target.shape == (2, 2, 1, 5, 5)
    assert json.loads(record.read_text())["status"] == "ok"


def moments(*levels):
    return np.mean(levels) / 255, np.std(levels) / 255


@pytest.mark.parametrize(
    ("units", "source", "target"),
    [
        ("natural", None, None),
        ("target", None, moments(*range(8), *range(8, 12))),
        ("own", moments(*range(8)), moments(*range(8), *range(8, 12))),
    ],
)
def test_each_side_is_standardised_by_its_own_or_the_targets_training_images(
    draw, units, source, target
):
    # The training images of one have the levels 0 to 7, those of two 0 to 11.
    status, out, _ = draw(units=units, target_classes=("cat", "dog", "eel"))
    assert status == 0
    drawn = read_draw(out)
    for chart, expected in ((drawn.source_chart, source), (drawn.chart, target)):
        assert (chart is None) == (expected is None)
        if chart is not None:
            assert (chart.mean.item(), chart.std.item()) == pytest.approx(expected, rel=1e-6)
    if target is not None:
        for space, stored, (mean, std) in (
            (drawn.source_space, drawn.source, source or target),
            (drawn.space, drawn.target, target),
        ):
            expected = (stored.numpy() / 255 - mean) / std
            np.testing.assert_allclose(space.enter(stored), expected, rtol=1e-4, atol=1e-5)


def test_too_few_images_name_class_have_and_need(draw, capsys):
    line = refused(draw(n=PER_CLASS + 1), capsys)
    assert f"class 0 ('cat') has {PER_CLASS} images, and {PER_CLASS + 1} per class are" in line


def test_images_of_different_shapes_are_named(draw, capsys):
    line = refused(draw(target_size=6), capsys)
    assert "source one has images of shape (1, 5, 5) and target two of shape (1, 6, 6)" in line


def test_unlike_numbers_of_classes_are_named_only_where_they_must_be_equal(draw, capsys):
    three = {"target_classes": ("cat", "dog", "eel")}
    line = refused(draw(equal_classes=True, **three), capsys)
    assert "source one has 2 classes and target two has 3; they must be equal" in line


def test_unlike_numbers_of_classes_are_drawn(draw):
    status, out, _ = draw(target_classes=("cat", "dog", "eel"))
    assert status == 0
    assert (len(read_draw(out).source), len(read_draw(out).target)) == (2, 3)


def test_a_test_dataset_is_seen_to_fit_and_not_drawn(draw):
    status, out, record = draw(test={"size": 5})
    assert status == 0
    assert set(json.loads(record.read_text())["inputs"]) == {"source", "target", "test"}
    assert read_draw(out).target.shape == (2, 1, 1, 5, 5)


@pytest.mark.parametrize(
    ("test", "message"),
    [
        ({"size": 4}, "test three has images of shape (1, 4, 4) and target two of shape (1, 5, 5)"),
        (
            {"size": 5, "classes": ("ant", "bee", "cow")},
            "test three has 3 classes and target two has 2; they must be equal",
        ),
    ],
)
def test_a_test_dataset_that_does_not_fit_is_named(draw, capsys, test, message):
    assert message in refused(draw(test=test), capsys)


def test_a_test_dataset_stands_in_the_spec_and_in_the_options(draw, tmp_path, capsys):
    given = ["--source", str(tmp_path / "one.safetensors")]
    given += ["--target", str(tmp_path / "two.safetensors")]
    line = refused(draw(test={"size": 5}, options=given), capsys)
    assert "--test is missing; the spec's `inputs` have a job that prepares it" in line


def test_a_test_dataset_that_the_spec_does_not_have_is_refused(draw, tmp_path, capsys):
    given = [f"--{role}={tmp_path / name}.safetensors" for role, name in ROLES.items()]
    line = refused(draw(options=given), capsys)
    assert "two.safetensors: the spec's `inputs` have no job that prepares it" in line


@pytest.mark.parametrize(
    ("needs", "message"),
    [
        ({"minimum_size": 6}, "target two has images of 5 x 5 pixels, and the evaluation needs at"),
        ({"k": None, "minimum_k": 5}, "target two has 4 images in its smallest class; expected at"),
    ],
)
def test_a_target_that_no_flow_can_use_is_named(draw, capsys, needs, message):
    assert message in refused(draw(**needs), capsys)


def test_a_target_that_is_just_large_enough_is_drawn(draw):
    assert draw(k=None, minimum_size=5, minimum_k=4)[0] == 0


def test_draws_are_those_of_the_archived_run(run_of):
    run = run_of(ROOT / "workflow/config/mini.yaml")
    run.run("prepare", "draw")
    drawn = {}
    for name, job in run.plan.jobs["draw"].items():
        axes = job.spec["axes"]
        digest = read_record(Path(run.plan.record("draw", name))).outputs["draw"]
        drawn[axes["experiment"], axes["k"], axes["flow_seed"]] = digest[:16]
    scores = read_scores(ROOT / "results/measured/mini/scores.csv")
    scores = scores[scores.task != "distance"]  # whose subsets no draw job picks
    archived = scores.groupby(["experiment", "k", "flow_seed"]).draw.agg(set).to_dict()
    assert {cell: {digest} for cell, digest in drawn.items()} == archived
