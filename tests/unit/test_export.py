"""The export of a flow's images: class folders and tensors that others can read."""

import json
import shutil

import pytest
import torch
from safetensors import safe_open
from torchvision.datasets import ImageFolder

from wowbench.cli import BAD_INPUT, main
from wowbench.jobs.drawn import Drawn, write_draw
from wowbench.jobs.flowed import read_flow
from wowbench.results.records import recorded
from wowbench.space import Chart

CLASSES = ("T-shirt/top", "Bag", "Ankle boot")
N, SHAPE = 2, (1, 6, 6)
CHART = Chart(torch.tensor([0.25]), torch.tensor([0.5]))


@pytest.fixture
def run(tmp_path):
    """Run a method on a draw of three classes; returns the record, in a folder of the run's."""

    def run(method, chart=CHART):
        generator = torch.Generator().manual_seed(0)
        source, target = (
            torch.randint(256, (3, n, *SHAPE), generator=generator).byte() for n in (N, 5)
        )
        folder = tmp_path / "run"
        draw = folder / "draws" / "flow0.safetensors"
        drawn = {"axes": {}}
        write_draw(draw, Drawn(source, target, CLASSES, chart), drawn)
        spec = {"method": method, "seed": 0, "snapshots": [], "axes": {"target": "mine"}}
        spec |= {"threads": 1, "inputs": {"draw": drawn}}
        spec["problem"] = {"pairing": "by_number", "batch_size": 3}
        record = folder / "records" / "flow" / "flow0.json"
        out = folder / "flows" / "flow0.safetensors"
        arguments = ["--spec", json.dumps(spec), "--draw", str(draw), "--out", str(out)]
        arguments += ["--record", str(record), "--device", "cpu", "--allow-divergence"]
        assert main(["flow", *arguments]) == 0
        return record

    return run


def test_folders_are_read_as_the_same_images_and_labels(run, tmp_path):
    record, out = run({"name": "random"}), tmp_path / "out"
    assert main(["export", str(record), str(out)]) == 0
    folder = ImageFolder(out / "images")
    assert folder.classes == ["0_T-shirt-top", "1_Bag", "2_Ankle-boot"]
    flowed = read_flow(tmp_path / "run" / "flows" / "flow0.safetensors")[0].last
    assert [label for _, label in folder] == flowed.labels.tolist() == [0, 0, 1, 1, 2, 2]
    for (image, _), original in zip(folder, flowed.particles, strict=True):
        # The chosen images are bytes; ImageFolder makes three channels of one.
        level = torch.tensor(list(image.getchannel(0).tobytes())).reshape(SHAPE[1:])
        assert torch.equal(level, (255 * original[0]).round().long())


def test_tensors_have_labels_normalisation_and_provenance(run, tmp_path):
    record, out = run({"name": "dm", "steps": 3}), tmp_path / "out"
    assert main(["export", str(record), str(out)]) == 0
    with safe_open(out / "dataset.safetensors", "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        metadata = json.loads(file.metadata()["wowbench"])
    flowed = read_flow(tmp_path / "run" / "flows" / "flow0.safetensors")[0].last
    assert torch.equal(tensors["images"], flowed.particles)
    assert torch.equal(tensors["labels"], flowed.labels)
    assert (tensors["mean"].item(), tensors["std"].item()) == (0.25, 0.5)
    assert metadata["classes"] == list(CLASSES)
    assert metadata["spec"]["method"]["steps"] == 3
    assert "commit" in metadata["provenance"]


def test_a_run_may_be_moved(run, tmp_path):
    record = run({"name": "random"})
    moved = tmp_path / "elsewhere"
    shutil.move(record.parents[2], moved)
    assert main(["export", str(moved / "records/flow/flow0.json"), str(tmp_path / "out")]) == 0


def test_a_folder_that_holds_something_is_left_alone(run, tmp_path, capsys):
    out = tmp_path / "out"
    out.mkdir()
    (out / "precious").touch()
    assert main(["export", str(run({"name": "random"})), str(out)]) == BAD_INPUT
    assert f"{out} exists; expected a new or an empty folder" in capsys.readouterr().err
    assert [path.name for path in out.iterdir()] == ["precious"]


def test_a_diverged_flow_has_nothing_to_export(run, tmp_path, capsys):
    record = run({"name": "dm", "scheme": {"lr": 1e38}, "steps": 30})
    assert main(["export", str(record), str(tmp_path / "out")]) == BAD_INPUT
    error = capsys.readouterr().err.splitlines()[-1]
    assert "no images to export (the flow diverged" in error
    assert not (tmp_path / "out").exists()


def test_a_record_of_another_job_is_named(tmp_path, capsys):
    record = tmp_path / "record.json"
    with recorded(record, "evaluate", {"axes": {}}) as entry:
        entry.inputs = dict.fromkeys(("draw", "flow"), "0" * 64)
    assert main(["export", str(record), str(tmp_path / "out")]) == BAD_INPUT
    assert "its job is 'evaluate'; expected that of a flow" in capsys.readouterr().err
