import argparse
import csv
import json
import platform

import pytest
import torch

from wowbench import bench
from wowbench.bench import scaling
from wowbench.bench.distillation import DistillationSetting
from wowbench.bench.rivals import authors_step, pot_value_and_grad
from wowbench.bench.timing import Setting, measure, own_step
from wowbench.bench.variance import ESTIMATORS, relative_variance
from wowbench.errors import InputError
from wowbench.functionals import SlicedMMD
from wowbench.geometry import sample_directions
from wowbench.kernels.riesz import Riesz
from wowbench.memory import keep_freed_memory
from wowbench.methods.mmdsw import MMDSW
from wowbench.methods.problem import Problem, RunContext
from wowbench.space import Space

SIZES = {"classes": 2, "n": 4, "k": 3, "dim": 5, "directions": 6, "repeats": 2}
TINY = [f"--{name}={size}" for name, size in SIZES.items()]


DISTILLATION = {"classes": 2, "n": 2, "k": 5, "batch_size": 3, "dim": 64, "directions": 6}
TINY_DISTILLATION = ["--task=distillation", "--repeats=2"] + [
    f"--{name.replace('_', '-')}={size}" for name, size in DISTILLATION.items()
]


@pytest.fixture(autouse=True)
def _same_threads():
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def run(*arguments):
    parser = argparse.ArgumentParser()
    bench.add_parser(parser.add_subparsers())
    options = parser.parse_args(["bench", *map(str, arguments)])
    options.run(options)


def test_a_step_is_compared_with_its_products_and_pot(tmp_path, capsys):
    run("step", *TINY, "--pot", "--threads", 1, "--json", tmp_path / "step.json")
    record = json.loads((tmp_path / "step.json").read_text())
    assert record["setting"]["n"] == 4
    assert record["threads"] == 1
    assert {name: len(times) for name, times in record["milliseconds"].items()} == {
        "this project": 2,
        "products alone": 2,
        "POT with autograd": 2,
    }
    assert "x its products alone" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("scenario", "floor"),
    [
        ([], "products alone"),
        (["--augmentation"], "products alone"),
        (["--embedding"], "networks alone"),
        (["--embedding", "--augmentation"], "networks alone"),
        (["--embedding", "--bfloat16"], "networks alone"),
    ],
)
def test_a_step_of_distillation_is_compared_with_its_floor(tmp_path, capsys, scenario, floor):
    run("step", *TINY_DISTILLATION, *scenario, "--json", tmp_path / "step.json")
    record = json.loads((tmp_path / "step.json").read_text())
    assert record["task"] == "distillation"
    assert record["setting"] == {
        **DISTILLATION,
        "device": "cpu",
        "dtype": "float32",
        "embedding": "--embedding" in scenario,
        "augmentation": "--augmentation" in scenario,
        "bfloat16": "--bfloat16" in scenario,
    }
    counts = {name: len(times) for name, times in record["milliseconds"].items()}
    assert counts == {"this project": 2, floor: 2}
    assert f"x its {floor}" in capsys.readouterr().out


@pytest.mark.parametrize("augmentation", [False, True])
@pytest.mark.parametrize("embedding", [False, True])
def test_the_step_that_is_timed_is_that_of_the_task(augmentation, embedding):
    scenario = {"augmentation": augmentation, "embedding": embedding}
    setting = DistillationSetting(**DISTILLATION, **scenario)
    source, target = (points.unflatten(-1, (1, 8, 8)) for points in setting.draw())
    problem = Problem(source, target, Space(tuple(source.shape[2:])), "by_number", 3)
    outcome = MMDSW(n_directions=6, steps=1, **scenario).run(problem, RunContext(seed=0))
    assert own_step(setting)() == outcome.losses[0]


def test_the_defaults_depend_on_the_task(capsys):
    with pytest.raises(SystemExit):
        run("step", "--help")
    words = " ".join(capsys.readouterr().out.split())
    for name, defaults in {"n": (200, 10), "k": (1, 1000)}.items():
        assert (getattr(Setting, name), getattr(DistillationSetting, name)) == defaults
        assert f"(default: {defaults[0]} in transfer, {defaults[1]} in distillation)" in words


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--task=distillation", "--pot"], "--pot is given with --task distillation; .* transfer"),
        (["--task=distillation", "--authors-code=x"], "--authors-code is given with .* transfer"),
        (["--task=distillation", "--dtype=float32"], "--dtype is given with .* transfer alone"),
        (["--embedding"], "--embedding is given with --task transfer; .* distillation alone"),
        (["--augmentation"], "--augmentation is given with --task transfer"),
        (["--bfloat16"], "--bfloat16 is given with --task transfer"),
        ([*TINY_DISTILLATION, "--bfloat16"], "--bfloat16 is given without --embedding"),
        (["--batch-size=4"], "--batch-size is given with --task transfer"),
        ([*TINY_DISTILLATION, "--batch-size=0"], "--batch-size is 0; expected an integer"),
        ([*TINY_DISTILLATION, "--batch-size=6"], "batch_size is 6; expected 1 to 5"),
        ([*TINY_DISTILLATION, "--dim=65"], "--dim is 65; expected the pixels of a square image"),
    ],
)
def test_options_that_do_not_fit_the_task_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        run("step", *arguments)


def test_pot_evaluates_the_same_functional():
    generator = torch.Generator().manual_seed(0)
    x, y = (torch.randn(3, n, 5, generator=generator, dtype=torch.float64) for n in (4, 6))
    theta = sample_directions(7, 5, generator=generator, dtype=torch.float64)
    value, grad = SlicedMMD(y, Riesz()).evaluate(x, theta)
    expected_value, expected_grad = pot_value_and_grad(x, y, theta)
    torch.testing.assert_close(value, expected_value, rtol=1e-10, atol=0)
    torch.testing.assert_close(grad, expected_grad, rtol=1e-9, atol=1e-12)


def test_runs_are_timed_in_turns_each_after_an_untimed_one():
    calls = []
    runs = {name: lambda name=name: calls.append(name) for name in "ab"}
    times = measure(runs, {"a": 3, "b": 1}, "cpu")
    assert calls == ["a", "a", "b", "b", "a", "a", "a", "a"]
    assert {name: len(values) for name, values in times.items()} == {"a": 3, "b": 1}


def test_scaling_draws_and_tabulates(tmp_path, monkeypatch):
    monkeypatch.setattr(scaling, "AXES", {"n": (2, 3), "dim": (4,)})
    monkeypatch.setattr(scaling, "Setting", lambda **given: Setting(**{"dim": 5, **given}))
    run("scaling", "--out", tmp_path / "new" / "scaling.png", "--repeats", 1, "--k", 2)
    assert (tmp_path / "new" / "scaling.png").read_bytes().startswith(b"\x89PNG")
    with (tmp_path / "new" / "scaling.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["axis"], row["n"], row["dim"]) for row in rows] == [
        ("n", "2", "5"),
        ("n", "3", "5"),
        ("dim", "200", "4"),
    ]
    assert all(float(row["step"]) > 0 and float(row["products"]) > 0 for row in rows)


@pytest.mark.parametrize("name", ["classes", "n", "k", "dim", "directions", "repeats", "threads"])
def test_sizes_must_be_positive(name):
    with pytest.raises(InputError, match=f"--{name} is 0; expected an integer of at least 1"):
        run("step", *TINY, f"--{name}", 0)


def test_the_authors_code_needs_jax(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match="--authors-code: jax is not installed"):
        authors_step(Setting(), tmp_path)


def test_the_authors_code_must_be_there(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    with pytest.raises(InputError, match=r"has no lib/mmd\.py; expected a checkout"):
        authors_step(Setting(), tmp_path)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_freed_memory_is_kept():
    assert keep_freed_memory()


def test_methods_are_compared_on_the_same_images(tmp_path, capsys):
    path = tmp_path / "flow.json"
    run("flow", "--n=4", "--k=2", "--steps=2", "--repeats=3", "--json", path)
    record = json.loads(path.read_text())
    assert record["setting"] == {"n": 4, "k": 2, "steps": 2, "device": "cpu"}
    counts = {name: len(times) for name, times in record["milliseconds"].items()}
    assert counts.pop("two Gram products") == 3 * 2
    assert set(counts) == {"mmd_product", "mmdsw", "mmdsw_fast", "mmdsw_sprint", "otdd"}
    assert set(counts.values()) == {3}
    assert "x the Gram products" in capsys.readouterr().out


def test_the_variance_is_that_of_the_draws():
    generator = torch.Generator().manual_seed(0)

    def draw():
        # Mean of squared norm 4 + 9, and a variance of 0.25 in each of three entries.
        noise = torch.randn(3, generator=generator, dtype=torch.float64)
        return torch.tensor([2.0, 3.0, 0.0], dtype=torch.float64) + noise / 2

    assert relative_variance(draw, 4000) == pytest.approx(0.75 / 13, rel=0.05)


def test_every_kind_of_directions_has_its_variance_at_every_state(tmp_path, capsys):
    path = tmp_path / "variance.csv"
    run("variance", "--n=4", "--k=2", "--steps=4", "--draws=3", "--csv", path)
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert [row["state"] for row in rows] == [
        s for s in ("start", "middle", "end") for _ in ESTIMATORS
    ]
    assert [row["directions"] for row in rows] == [*ESTIMATORS] * 3
    # Two images of each of ten classes span 19 dimensions.
    sizes = ["500", "500", "500", "500", "50", "50", "784", "19"]
    assert [row["L"] for row in rows[:8]] == sizes
    assert all(float(row["variance"]) > 0 for row in rows)
    assert "frame in the hull" in capsys.readouterr().out


def test_a_benchmark_of_no_steps_is_refused():
    with pytest.raises(InputError, match="--steps is 0"):
        run("flow", "--steps=0")
