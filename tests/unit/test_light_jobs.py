"""Jobs that bring data into form: they start without torch, which takes seconds to load."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

ALONE = "import sys; from wowbench.cli import main; status = main(sys.argv[1:]); "
ALONE += "sys.exit(status or ('torch is loaded' if 'torch' in sys.modules else 0))"


def run(folder, verb, spec, **files):
    """Run a job in a process of its own; its spec and record."""
    files = {name: folder / file for name, file in files.items()}
    options = [text for name, file in files.items() for text in (f"--{name}", str(file))]
    done = subprocess.run(
        [sys.executable, "-c", ALONE, verb, "--spec", json.dumps(spec), *options],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return spec, json.loads(files["record"].read_text())


def folder_of_images(path):
    for split in ("train", "test"):
        for label in ("ant", "bee"):
            (path / split / label).mkdir(parents=True)
            Image.fromarray(np.zeros((5, 5), np.uint8)).save(path / split / label / "a.png")
    return {"name": "folder", "id": "insects", "path": str(path)}


def test_bundled_images_are_prepared_and_drawn_without_torch(tmp_path):
    prepared = {"dataset": {"name": "MNIST", "bundled": True}, "axes": {}}
    _, record = run(tmp_path, "prepare", prepared, out="mnist", record="prepare.json")
    assert record["provenance"]["packages"]["torch"]
    assert record["provenance"]["arithmetic"] is None
    draw = {"n": 2, "source_seed": 0, "k": None, "target_seed": 1}
    draw |= {
        "units": "target",
        "equal_classes": False,
        "minimum_size": 28,
        "minimum_k": 1,
        "axes": {},
    }
    draw["inputs"] = {"source": prepared, "target": prepared}
    files = {"source": "mnist", "target": "mnist", "out": "draw", "record": "draw.json"}
    _, record = run(tmp_path, "draw", draw, **files)
    assert record["outputs"]["draw"]


@pytest.mark.parametrize("name", ["digits", "folder"])
def test_other_images_are_prepared_without_torch(tmp_path, name):
    dataset = folder_of_images(tmp_path / "images") if name == "folder" else {"name": name}
    run(tmp_path, "prepare", {"dataset": dataset, "axes": {}}, out="data", record="record.json")
