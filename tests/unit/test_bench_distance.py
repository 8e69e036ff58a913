import argparse
import csv
import json
import re
import sys

import ot
import pytest
import torch

from wowbench import bench
from wowbench.bench import distance_scaling
from wowbench.bench.distance import DistanceSetting
from wowbench.bench.distance_rivals import pot_solver
from wowbench.errors import InputError

TINY = ["--per-class=4", "--directions=5", "--repeats=2", f"--threads={torch.get_num_threads()}"]

AUTHORS_CODE = {
    "sotdd": (
        "otdd/pytorch/sotdd.py",
        "import torch\n"
        "def compute_pairwise_distance(list_D, num_projections, dimension, num_moments, device):\n"
        "    sizes = [sum(len(x) for x, _ in loader) for loader in list_D]\n"
        "    assert sizes == [40, 40] and num_moments == 5 and dimension == 784\n"
        "    return torch.tensor([float(num_projections)])\n",
    ),
    "swb1dg": (
        "lib_torch/sliced_busemann_semi_gaussian_1d.py",
        "def busemann_sliced_semi_gaussian_1d_diff_labels(x, y, x_labels, y_labels, n):\n"
        "    assert x_labels.bincount().tolist() == [4] * 10 and len(y) == len(y_labels)\n"
        "    return float(n)\n",
    ),
}


@pytest.fixture(autouse=True)
def _no_checkout_is_left():
    yield
    for module in [name for name in sys.modules if name.split(".")[0] in ("otdd", "lib_torch")]:
        del sys.modules[module]


def run(*arguments, benchmark="distance"):
    parser = argparse.ArgumentParser()
    bench.add_parser(parser.add_subparsers())
    options = parser.parse_args(["bench", benchmark, *map(str, arguments)])
    options.run(options)


def test_two_subsets_of_a_dataset_share_no_point():
    setting = DistanceSetting({"name": "MNIST", "bundled": True}, 5, 3, None, "cpu", 1)
    a, b = setting.draw()
    assert [len(points) for points in (*a, *b)] == [5] * 20
    assert torch.cdist(torch.cat(a), torch.cat(b)).min() > 0


def test_wow_is_compared_with_the_solver_of_pot(tmp_path, capsys):
    run(*TINY, "--distances", "wow", "--json", tmp_path / "times.json")
    printed = capsys.readouterr().out
    own, pot = map(float, re.findall(r"value ([\d.e+-]+)", printed))
    assert own == pytest.approx(pot, rel=1e-5)
    assert "x this project" in printed
    times = json.loads((tmp_path / "times.json").read_text())["milliseconds"]
    assert {name: len(values) for name, values in times.items()} == {
        "wow": 2,
        "POT's solver alone": 2,
    }


def test_the_solver_of_pot_takes_classes_inside_and_outside():
    generator = torch.Generator().manual_seed(0)
    a, b = ([torch.rand(n, 2, generator=generator) for n in sizes] for sizes in ((3, 4), (2, 5, 3)))
    costs = [[ot.solve_sample(x.double().numpy(), y.double().numpy()).value for y in b] for x in a]
    assert pot_solver(a, b)() == pytest.approx(ot.solve(torch.tensor(costs).numpy()).value)


@pytest.mark.parametrize("name", AUTHORS_CODE)
def test_authors_code_is_given_the_same_points(tmp_path, capsys, name):
    path, source = AUTHORS_CODE[name]
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text(source)
    run(*TINY, "--distances", name, f"--{name}-code", tmp_path)
    assert "authors' code" in capsys.readouterr().out


@pytest.mark.parametrize("name", AUTHORS_CODE)
def test_a_folder_that_is_no_checkout_is_refused(tmp_path, name):
    with pytest.raises(InputError, match=f"--{name}-code: .* has no .*; expected a checkout"):
        run(*TINY, "--distances", name, f"--{name}-code", tmp_path)


def test_a_checkout_that_lacks_a_package_is_refused(tmp_path):
    path, _ = AUTHORS_CODE["swb1dg"]
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text("import no_such_package\n")
    with pytest.raises(InputError, match=r"no_such_package.*install what"):
        run(*TINY, "--distances", "swb1dg", "--swb1dg-code", tmp_path)


def test_peak_memory_of_a_distance_is_reported(capsys):
    run(*TINY, "--distances", "energy", "--memory")
    assert re.search(
        r"energy: \d+ MiB beyond its input, \d+ MiB with half", capsys.readouterr().out
    )


def test_scaling_has_each_distance_along_each_axis(tmp_path, monkeypatch):
    monkeypatch.setattr(distance_scaling, "DEFAULTS", dict(n=4, classes=2, directions=3, dim=5))
    axes = {"n": (2, 4), "classes": (2, 3), "directions": (3, 6)}
    monkeypatch.setattr(distance_scaling, "AXES", axes)
    names = ["--distances", "wow", "swb1dg"]
    run("--out", tmp_path / "times.png", *names, "--repeats", 1, benchmark="distance-scaling")
    with (tmp_path / "times.csv").open() as file:
        rows = [(row["axis"], row[row["axis"]], row["distance"]) for row in csv.DictReader(file)]
    drawn = [("directions", "3", "swb1dg"), ("directions", "6", "swb1dg")]
    both = [(axis, str(v), d) for axis in ("n", "classes") for v in axes[axis] for d in names[1:]]
    assert rows == both + drawn
    assert (tmp_path / "times.png").stat().st_size > 10_000
