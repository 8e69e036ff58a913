"""Jobs start without what they do not use and takes seconds to load: torch, or POT."""

import builtins
import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from wowbench.jobs.drawn import read_draw
from wowbench.registry import DATASETS

ALONE = "import sys; from wowbench.cli import main; status = main(sys.argv[1:]); "
ALONE += "sys.exit(status or ('torch is loaded' if 'torch' in sys.modules else 0))"


def run(folder, verb, spec, **files):
    """Run a job in a process of its own; its record."""
    files = {name: folder / file for name, file in files.items()}
    options = [text for name, file in files.items() for text in (f"--{name}", str(file))]
    done = subprocess.run(
        [sys.executable, "-c", ALONE, verb, "--spec", json.dumps(spec), *options],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(files["record"].read_text())


def draw(folder, source, target, **changes):
    """Prepare two datasets and draw from them; the draw's record."""
    specs = {}
    for role, dataset in (("source", source), ("target", target)):
        specs[role] = {"dataset": dataset, "axes": {}}
        record = run(folder, "prepare", specs[role], out=role, record=f"{role}.json")
        assert record["provenance"]["packages"]["torch"]
        assert record["provenance"]["arithmetic"] is None
    spec = {"n": 2, "source_seed": 0, "k": None, "target_seed": 1, "units": "own"}
    spec |= {"equal_classes": True, "minimum_size": 0, "minimum_k": 1, "axes": {}, "inputs": specs}
    files = {"source": "source", "target": "target", "out": "draw", "record": "draw.json"}
    return run(folder, "draw", spec | changes, **files)


def test_bundled_images_are_prepared_and_drawn_without_torch(tmp_path):
    mnist = {"name": "MNIST", "bundled": True}
    record = draw(tmp_path, {"name": "clustered", "of": mnist}, mnist)
    assert record["outputs"]["draw"] == read_draw(tmp_path / "draw").digest


def test_points_are_prepared_and_drawn_without_torch(tmp_path):
    start = {"name": "gaussian", "mean": [-0.3, 0], "std": 0.01}
    draw(tmp_path, start, {"name": "rings"}, units="natural")
    drawn = read_draw(tmp_path / "draw")
    assert (drawn.source.shape, drawn.target.shape) == ((3, 2, 2), (3, 80, 2))
    assert drawn.chart is drawn.source_chart is None
    assert drawn.space.shape == (2,)
    natural = drawn.space.enter(drawn.target)
    rings = DATASETS.get("rings")().load("train")
    order = np.lexsort(natural[1].T.numpy())
    expected = rings.particles[rings.labels == 1]
    assert np.array_equal(natural[1].numpy()[order], expected[np.lexsort(expected.T)])


def test_folders_are_prepared_without_torch(tmp_path):
    for split in ("train", "test"):
        for label in ("ant", "bee"):
            folder = tmp_path / "images" / split / label
            folder.mkdir(parents=True)
            Image.fromarray(np.zeros((5, 5), np.uint8)).save(folder / "a.png")
    dataset = {"name": "folder", "id": "insects", "path": str(tmp_path / "images")}
    run(tmp_path, "prepare", {"dataset": dataset, "axes": {}}, out="data", record="record.json")


@pytest.mark.parametrize("name", ["MNIST", "KMNIST", "USPS"])
def test_files_in_place_are_read_without_torch(name, data_files, monkeypatch):
    original = builtins.__import__

    def without_torch(module, *arguments):
        assert module.partition(".")[0] not in ("torch", "torchvision"), module
        return original(module, *arguments)

    monkeypatch.setattr(builtins, "__import__", without_torch)
    for split in ("train", "test"):
        part = DATASETS.get(name)(image_size=None).load(split, data_files.root)
        assert np.array_equal(part.particles, data_files.images[name, split])


def test_trainings_are_scored_without_pot():
    """It loads scikit-learn, pandas and networkx, and most evaluations need none of them."""
    code = "import sys, wowbench.jobs.evaluate, wowbench.evaluation.training; "
    code += "sys.exit(' '.join({'ot', 'sklearn', 'pandas'} & set(sys.modules)) or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
