"""The command line: verbs, and exit statuses for what goes wrong."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from wowbench.cli import BAD_INPUT, DIVERGED, main
from wowbench.jobs.drawn import Drawn, write_draw
from wowbench.jobs.flowed import read_flow
from wowbench.results.records import read_record


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("methods", "mmdsw"),
        ("datasets", "FashionMNIST"),
        ("distances", "otdd"),
        ("evaluators", "few_shot"),
        ("tasks", "transfer"),
    ],
)
def test_list_names_what_is_registered(capsys, kind, name):
    assert main(["list", kind]) == 0
    assert name in capsys.readouterr().out


def test_validate_counts_the_jobs(capsys, tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text(
        "name: tiny\nexperiments:\n  - {task: transfer, source: MNIST, targets: [FashionMNIST],"
        " shots: [1], flows: 2, methods: [mmdsw]}\n"
    )
    assert main(["validate", str(config)]) == 0
    assert "2 prepare, 2 draw, 2 flow, 2 evaluate" in capsys.readouterr().out


def test_validate_names_a_bad_key(capsys, tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text("name: tiny\nexperimants: []\n")
    assert main(["validate", str(config)]) == BAD_INPUT
    error = capsys.readouterr().err
    assert "unknown key 'experimants'; did you mean 'experiments'?" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("nothing.json", "--spec 'nothing.json': No such file or directory"),
        ("{", "--spec: Expecting property name"),
        (str(Path(__file__)), "expected JSON text or its file"),
        (str(Path(__file__).parent), "Is a directory"),
        (str(Path(__file__).parents[2] / "docs/images/step_scaling.png"), "can't decode byte"),
        ('{"axes": {}}', "--spec: n: this key is required and missing"),
    ],
)
def test_a_bad_spec_is_named(capsys, spec, reason, tmp_path):
    arguments = ["draw", "--spec", spec, "--source", "a", "--target", "b"]
    out = tmp_path / "out"
    assert main([*arguments, "--out", str(out), "--record", str(out)]) == BAD_INPUT
    error = capsys.readouterr().err
    assert reason in error
    assert error.count("\n") == 1
    assert len(error) < 300
    assert not out.exists()


@pytest.fixture
def diverging(tmp_path):
    """Arguments of a flow whose step size no float32 stands."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (2, 4, 1, 5, 5), generator=generator).byte()
    draw = tmp_path / "draw.safetensors"
    write_draw(draw, Drawn(images, images.flip(0)[:, :3], ("0", "1")), {"axes": {}})
    spec = {
        "method": {"name": "mmdsw", "scheme": {"lr": 1e38}, "n_directions": 4, "steps": 30},
        "seed": 0,
        "problem": {"pairing": "free"},
        "snapshots": [],
        "threads": 1,
        "axes": {},
        "inputs": {"draw": {"axes": {}}},
    }
    paths = {name: tmp_path / name for name in ("flow.safetensors", "record.json")}
    arguments = ["flow", "--spec", json.dumps(spec), "--draw", str(draw), "--device", "cpu"]
    out, record = paths.values()
    return [*arguments, "--out", str(out), "--record", str(record)], out, record


def test_a_divergence_is_recorded_with_step_and_learning_rate(diverging, capsys):
    arguments, out, record = diverging
    assert main(arguments) == DIVERGED
    error = capsys.readouterr().err
    assert "at learning rate 1e+38" in error
    assert "after step" in error
    entry = read_record(record)
    assert entry.status == "diverged"
    assert "learning rate 1e+38" in entry.message
    trajectory, _ = read_flow(out)
    assert (trajectory.status, trajectory.frames) == ("diverged", {})


def test_a_workflow_may_allow_a_divergence(diverging):
    arguments, _, record = diverging
    assert main([*arguments, "--allow-divergence"]) == 0
    assert read_record(record).status == "diverged"


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_a_gpu_that_is_not_there_is_named(diverging, capsys):
    arguments, out, _ = diverging
    arguments[arguments.index("cpu")] = "cuda"
    assert main(arguments) == BAD_INPUT
    assert "device 'cuda'" in capsys.readouterr().err
    assert not out.exists()


def test_a_truncated_draw_is_named(diverging, capsys):
    arguments, out, _ = diverging
    draw = arguments[arguments.index("--draw") + 1]
    with open(draw, "r+b") as file:
        file.truncate(50)
    assert main(arguments) == BAD_INPUT
    assert draw in capsys.readouterr().err
    assert not out.exists()


def test_it_starts_where_there_is_nothing_that_only_unix_has():
    blocked = ("resource", "fcntl", "pwd", "grp", "termios")
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({blocked}))\n"
        "from wowbench.cli import main; sys.exit(main(['list', 'methods']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "mmdsw" in done.stdout
