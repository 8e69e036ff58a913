"""Scores of somebody's images: what is read, what is refused, and that a workflow scores alike."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from wowbench.cli import BAD_INPUT, main
from wowbench.datasets.base import LabelledParticles
from wowbench.errors import InputError
from wowbench.image_sets import read_image_set
from wowbench.jobs.flowed import read_flow
from wowbench.results.records import read_record
from wowbench.score import ScoreSpec

SHAPE = (1, 8, 8)
NAMES = ("T-shirt/top", "Bag", "Ankle boot")
DATASET = LabelledParticles(
    np.zeros((3, *SHAPE), np.uint8), np.arange(3), NAMES, "clothes", "train"
)
QUICK = {"name": "paper", "epochs": 3, "max_steps": 6}


def write_folders(root, folders, shape=SHAPE[1:], mode="L"):
    """Write two images into each folder; image i of the j-th has the level 10 j + i."""
    for j, name in enumerate(folders):
        (root / name).mkdir(parents=True)
        for i in range(2):
            Image.new(mode, shape[::-1], (10 * j + i,) * len(mode)).save(root / name / f"{i}.png")
    return root


@pytest.mark.parametrize(
    "folders",
    [
        ["2_Ankle-boot", "0_T-shirt-top", "1_Bag"],
        ["Ankle-boot", "T-shirt-top", "Bag"],
        ["Ankle boot", "0", "1"],
    ],
)
def test_folders_are_classes_by_name_or_number(tmp_path, folders):
    found = read_image_set(write_folders(tmp_path, folders), DATASET)
    assert found.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert found.images[:, 0, 0, 0].tolist() == [10, 11, 20, 21, 0, 1]
    assert found.images.dtype == np.uint8


def test_classes_that_are_called_by_other_numbers_go_by_their_names(tmp_path):
    digits = LabelledParticles(
        DATASET.particles, DATASET.labels, ("2", "0", "1"), "digits", "train"
    )
    found = read_image_set(write_folders(tmp_path, ["0", "1", "2"]), digits)
    assert found.images[:, 0, 0, 0].tolist() == [20, 21, 0, 1, 10, 11]


def test_colour_becomes_grey_where_the_dataset_is(tmp_path):
    found = read_image_set(write_folders(tmp_path, "012", mode="RGB"), DATASET)
    assert found.images[:, 0, 0, 0].tolist() == [0, 1, 10, 11, 20, 21]


def tensors(root, classes=None, **changes):
    content = {"images": torch.rand(4, *SHAPE), "labels": torch.tensor([0, 1, 2, 2])} | changes
    metadata = None if classes is None else {"wowbench": json.dumps({"classes": classes})}
    save_file(
        {k: v for k, v in content.items() if v is not None},
        root / "dataset.safetensors",
        metadata=metadata,
    )
    return content


def test_tensors_are_read_before_folders_and_as_they_are(tmp_path):
    content = tensors(write_folders(tmp_path, "012"))
    found = read_image_set(tmp_path, DATASET)
    assert torch.equal(torch.from_numpy(found.images), content["images"])
    assert found.labels.tolist() == [0, 1, 2, 2]


def test_classes_of_tensors_are_matched_by_their_names(tmp_path):
    tensors(tmp_path, classes=["Bag", "Ankle boot", "T-shirt/top"])
    assert read_image_set(tmp_path, DATASET).labels.tolist() == [1, 2, 0, 0]


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        (["0", "1", "2", "Bgg"], "'Bgg' is no class of clothes; did you mean 'Bag'?"),
        (["0", "1", "2", "3"], "'3' is no class of clothes; expected one of Ankle boot, Bag, T-"),
        (["0", "1"], "there is no image of 'Ankle boot'; expected at least one of each class"),
        (["0", "1", "2", "1_Bag"], "'1' and '1_Bag' both stand for 'Bag'; expected each class"),
        ([], "it has neither dataset.safetensors nor a folder of images for each class of clothes"),
    ],
)
def test_folders_that_are_not_the_classes_are_named_in_one_line(tmp_path, folders, message):
    with pytest.raises(InputError, match=message) as caught:
        read_image_set(write_folders(tmp_path, folders), DATASET)
    assert str(caught.value).startswith(f"images {tmp_path}: ")
    assert "\n" not in str(caught.value)


def test_images_of_another_shape_and_empty_folders_are_named(tmp_path):
    write_folders(tmp_path, "012")
    shutil.rmtree(tmp_path / "1")
    write_folders(tmp_path, "1", shape=(8, 9))
    with pytest.raises(InputError, match=r"1/0.png has the shape \(1, 8, 9\); .*\(1, 8, 8\), that"):
        read_image_set(tmp_path, DATASET)
    for file in (tmp_path / "1").iterdir():
        file.unlink()
    with pytest.raises(InputError, match="1 is empty; expected images of this class"):
        read_image_set(tmp_path, DATASET)
    with pytest.raises(InputError, match="there is no such folder"):
        read_image_set(tmp_path / "nowhere", DATASET)


@pytest.mark.parametrize(
    ("classes", "changes", "message"),
    [
        (["Bag", "Hat", "0"], {}, "'Hat' is no class of clothes; did you mean|expected one of"),
        (["Bag", "0"], {}, "labels go from 0 to 2; expected 0 to 1, one of its 2 classes"),
        ("Bag", {}, "`classes` in its metadata is no list of names"),
        (None, {"labels": None}, "there is no tensor 'labels'; it has images"),
        (None, {"labels": torch.zeros(4)}, r"`labels` is float32 of shape \(4,\); expected int64"),
        (None, {"labels": torch.zeros(4).long()}, "there is no image of 'Bag', 'Ankle boot'"),
        (None, {"images": torch.rand(4, 8, 8)}, r"`images` is float32 of shape \(4, 8, 8\)"),
        (None, {"images": torch.rand(4, 3, 8, 8)}, r"has the shape \(3, 8, 8\); expected"),
        (None, {"images": torch.full((4, *SHAPE), torch.nan)}, "infinite or not a number"),
    ],
)
def test_tensors_that_do_not_fit_are_named_in_one_line(tmp_path, classes, changes, message):
    tensors(tmp_path, classes, **changes)
    with pytest.raises(InputError, match=message) as caught:
        read_image_set(tmp_path, DATASET)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_none_of_tensors_is_named(tmp_path):
    (tmp_path / "dataset.safetensors").write_text("no tensors")
    with pytest.raises(InputError, match=r"dataset.safetensors: .*; expected what export writes"):
        read_image_set(tmp_path, DATASET)


MADE = {
    "name": "made",
    "experiments": [
        {
            "task": "distillation",
            "datasets": ["digits"],
            "images_per_class": [2],
            "target_images": 20,
            "batch_size": 5,
            "flows": 1,
            "trainings": 2,
            "methods": ["random", {"name": "mmdsw", "steps": 2, "n_directions": 5}],
            "protocols": [QUICK, QUICK | {"network": "mlp"}],
        }
    ],
}


@pytest.fixture(scope="module")
def exported(run_by_hand, tmp_path_factory):
    """Flows of two methods: their exports, and the accuracies of the workflow, by method."""
    folder, found = tmp_path_factory.mktemp("made"), {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run = run_by_hand(MADE)
        # The workflow's trainings, with the seeds of `wowbench score`.
        for job in run.plan.jobs["evaluate"].values():
            job.spec["seeds"] = ScoreSpec(dataset="digits", trainings=2).seeds()
        run.run()
        for method in ("random", "mmdsw"):
            record = run.plan.record("flow", run.name("flow", method))
            assert main(["export", record, str(folder / method)]) == 0
            rows = read_record(Path(run.plan.record("evaluate", run.name("evaluate", method))))
            found[method] = [(row.protocol, row.value) for row in rows.measurements]
            if method == "mmdsw":
                flow = read_flow(run.plan.job("flow", run.name("flow", method)).outputs["flow"])[0]
                assert flow.last.particles.min() < 0  # what PNG files cannot hold
    return folder, found


@pytest.mark.parametrize(
    ("method", "place"), [("random", "."), ("random", "images"), ("mmdsw", ".")]
)
def test_exported_images_get_the_accuracies_of_the_workflow(exported, capsys, method, place):
    folder, found = exported
    out = folder / "score.json"
    arguments = ["score", str(folder / method / place), "--dataset", "digits", "--device", "cpu"]
    protocols = map(json.dumps, MADE["experiments"][0]["protocols"])
    arguments += ["--trainings", "2", "--out", str(out), "--protocol", *protocols]
    assert main(arguments) == 0
    record = json.loads(out.read_text())
    rows = [(row["protocol"], row["value"]) for row in record["measurements"]]
    assert rows == found[method]
    assert record["images_per_class"] == [2] * 10
    assert record["spec"]["dataset"]["name"] == "digits"
    head, _, *lines = capsys.readouterr().out.splitlines()
    assert [line.split("|")[3].strip() for line in (head, *lines)] == [
        "protocol",
        "paper",
        "paper (mlp)",
    ]
    mean = 100 * np.mean([value for protocol, value in rows if protocol == "paper"])
    assert f"{mean:.1f} ± " in lines[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--dataset", "MNISTT"], "did you mean 'MNIST'"),
        (
            ["--dataset", "digits", "--protocol", "papr"],
            "name is 'papr', no protocol; did you",
        ),
        (["--dataset", "digits", "--protocol", "dm", "dm"], "two protocols are called 'dm'"),
        (["--dataset", "digits", "--trainings", "0"], "trainings: got 0"),
        (
            ["--dataset", "digits", "--protocol", "{name: dm, network: lenet5}"],
            "dataset digits has images of 8 x 8 pixels, and network 'lenet5' needs at least 28 x",
        ),
        (["--dataset", "rings"], "has points of shape"),
        (["--dataset", "digits"], "there is no such folder"),
    ],
)
def test_the_verb_refuses_in_one_line(tmp_path, capsys, arguments, message):
    assert main(["score", str(tmp_path / "nowhere"), "--device", "cpu", *arguments]) == BAD_INPUT
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("wowbench score: error: ")
    assert message in line
