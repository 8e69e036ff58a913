import argparse
import json
import math

import pytest
import torch

from wowbench import bench
from wowbench.bench import rivals
from wowbench.bench.cells import Posed, pose, read_tasks
from wowbench.bench.curves import Curve, TimedFlow, snapshot_steps
from wowbench.bench.profiles import first_reached, mean_and_error, performance_profile
from wowbench.errors import DivergedError, InputError
from wowbench.methods.mmdsw import MMDSWFast, MMDSWSprint
from wowbench.methods.problem import Problem
from wowbench.methods.trajectory import Frame, Trajectory
from wowbench.space import Space

TINY = ["--k=1", "--n=10", "--steps=3", "--flows=1", "--trainings=1", "--epochs=1"]


@pytest.fixture(autouse=True)
def _no_data_and_same_threads(monkeypatch):
    monkeypatch.delenv("WOWBENCH_DATA", raising=False)
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def parse(*arguments):
    parser = argparse.ArgumentParser()
    bench.add_parser(parser.add_subparsers())
    return parser.parse_args(["bench", "accuracy", *map(str, arguments)])


def run(*arguments):
    options = parse(*arguments)
    options.run(options)


def test_errors_are_clustered_by_flow():
    # Means of flows 2, 6 and 3, with mean 11/3 and variance (25 + 49 + 4) / 9 / 2 = 13/3.
    mean, error = mean_and_error([[1.0, 3.0], [5.0, 7.0], [2.0, 4.0]])
    assert mean == pytest.approx(11 / 3)
    assert error == pytest.approx(math.sqrt(13) / 3)
    assert mean_and_error([[1.0, 3.0]]) == (2.0, None)


@pytest.mark.parametrize("bisect", [False, True])
@pytest.mark.parametrize(("good", "expected"), [("0011", 2), ("1111", 0), ("0001", 3), ("0", None)])
def test_a_goal_is_first_reached(good, expected, bisect):
    assert first_reached(len(good), lambda i: good[i] == "1", bisect=bisect) == expected


def test_bisection_asks_few_points_and_the_other_way_all_before_the_first():
    asked = []

    def reached(i):
        asked.append(i)
        return i >= 11

    assert first_reached(16, reached, bisect=True) == 11
    assert asked[0] == 15
    assert len(set(asked)) <= 1 + 4
    asked.clear()
    assert first_reached(16, reached, bisect=False) == 11
    assert asked == list(range(12))


def test_only_asking_all_points_finds_a_goal_that_was_lost_again():
    assert first_reached(3, lambda i: i == 1, bisect=True) is None
    assert first_reached(3, lambda i: i == 1, bisect=False) == 1


def test_the_profile_is_that_of_dolan_and_more():
    # Ratios to the fastest: a 1, 10, -, -; b 2, 1, -, -; c 20, -, 1, -. The last is not solved.
    times = {
        "a": [1.0, 10.0, None, None],
        "b": [2.0, 1.0, None, None],
        "c": [20.0, None, 5.0, None],
    }
    assert performance_profile(times, (1, 2, 5, 10, 100)) == {
        "a": [0.25, 0.25, 0.25, 0.5, 0.5],
        "b": [0.25, 0.5, 0.5, 0.5, 0.5],
        "c": [0.25, 0.25, 0.25, 0.25, 0.5],
    }


def test_snapshots_are_about_geometric():
    assert snapshot_steps(60) == [1, 2, 5, 10, 20, 50]
    assert snapshot_steps(50) == [1, 2, 5, 10, 20]
    assert snapshot_steps(1) == []


class MadeUp:
    """A draw on which the one number of a frame is the loss, and gives the accuracies."""

    def __init__(self):
        self.trained = []

    def loss(self, frame):
        return float(frame.particles)

    def accuracies(self, frame, evaluator):
        self.trained.append(float(frame.particles))
        return [1 - float(frame.particles) / 10, 1 - float(frame.particles) / 10]


def made_up_flow(losses, *, taken, seconds, setup):
    frames = {
        step: Frame(torch.tensor(loss), torch.empty(0, dtype=torch.int64))
        for step, loss in losses.items()
    }
    return TimedFlow(MadeUp(), Trajectory(frames, torch.zeros(taken), seconds), setup)


@pytest.fixture
def curve():
    """Two flows of 6 steps, of which the second has stopped after 4."""
    whole = made_up_flow({1: 8.0, 2: 6.0, 5: 3.0, 6: 2.0}, taken=6, seconds=12.0, setup=1.0)
    stopped = made_up_flow({1: 4.0, 2: 2.0, 5: 1.0, 6: 1.0}, taken=4, seconds=4.0, setup=0.0)
    return Curve([whole, stopped], evaluator=None)


def test_seconds_are_the_setup_and_a_share_of_the_steps(curve):
    whole, stopped = curve.flows
    assert [whole.seconds_at(step) for step in (1, 2, 5, 6)] == [3.0, 5.0, 11.0, 13.0]
    assert [stopped.seconds_at(step) for step in (1, 2, 5, 6)] == [1.0, 2.0, 4.0, 4.0]
    assert curve.steps == [1, 2, 5, 6]
    assert [curve.seconds(point) for point in range(4)] == [2.0, 3.5, 7.5, 8.5]


def test_time_to_loss_is_that_of_the_mean_over_flows(curve):
    assert curve.losses == [[8.0, 4.0], [6.0, 2.0], [3.0, 1.0], [2.0, 1.0]]
    assert curve.end_loss() == (1.5, pytest.approx(0.5))
    times = {goal: curve.seconds_to_loss(goal) for goal in (6.0, 3.9, 2.0, 1.5, 1.4)}
    assert times == {6.0: 2.0, 3.9: 7.5, 2.0: 7.5, 1.5: 8.5, 1.4: None}


@pytest.mark.parametrize("bisect", [False, True])
def test_time_to_accuracy_trains_each_snapshot_once(curve, bisect):
    mean, error = curve.end_accuracy()
    assert (mean, error) == (pytest.approx(0.85), pytest.approx(0.05))
    assert curve.seconds_to_accuracy(0.75, bisect=bisect) == 7.5
    assert curve.seconds_to_accuracy(0.9, bisect=bisect) is None
    trained = curve.flows[0].posed.trained
    assert sorted(trained) == sorted(set(trained))


def test_records_have_the_accuracies_that_were_asked_for(curve):
    curve.end_accuracy()
    first, second = curve.records()
    assert [snapshot["accuracies"] for snapshot in first["snapshots"]] == [
        None,
        None,
        None,
        pytest.approx([0.8, 0.8]),
    ]
    assert [snapshot["step"] for snapshot in second["snapshots"]] == [1, 2, 4, 4]
    assert second["steps"] == 4


def test_the_loss_is_half_the_squared_mmd():
    # Single images at distance D = 2 in dimension 4, where K(SW) = -SW and SW^2 = D^2 / 4.
    space = Space((1, 2, 2), bounds=(0.0, 1.0))
    source, target = torch.zeros(1, 1, 1, 2, 2), torch.ones(1, 1, 1, 2, 2)
    posed = Posed(None, Problem(source, target, space), None, 0, [])
    labels = torch.zeros(1, dtype=torch.int64)
    assert posed.loss(Frame(target[0], labels)) == pytest.approx(0.0, abs=1e-6)
    assert posed.loss(Frame(source[0], labels)) == pytest.approx(1.0, rel=1e-5)


def test_cells_have_the_draws_and_seeds_of_a_transfer_experiment(tmp_path):
    from wowbench.graph import Graph

    options = parse("--k=2", "--n=3", "--flows=2", "--trainings=2", "--methods=mmdsw")
    (task,) = read_tasks(options)
    (cell,) = task.cells(0)
    posed = pose(task, cell, 0, None, "cpu")
    graph = Graph(tmp_path, seed=0, threads=1)
    task.build(graph)
    specs = [[job.spec for job in graph.jobs[verb].values()] for verb in ("flow", "evaluate")]
    assert [draw.seed for draw in posed] == [spec["seed"] for spec in specs[0]]
    assert [draw.training_seeds for draw in posed] == [spec["seeds"] for spec in specs[1]]
    assert posed[0].problem.source.shape == (10, 3, 1, 28, 28)
    assert posed[0].problem.target.shape == (10, 2, 1, 28, 28)
    assert not torch.equal(posed[0].problem.target, posed[1].problem.target)


def test_published_flows_take_their_steps_up_to_the_cap():
    def steps(*arguments):
        tasks = read_tasks(parse("--k", 10, 100, *arguments))
        return [{method.label: method.steps for method in task.methods} for task in tasks]

    few, many = steps()
    assert (few["mmdsw"], many["mmdsw"]) == (5000, 20000)
    assert few["mmdsw_sprint"] == many["mmdsw_sprint"] == MMDSWSprint().steps
    assert all(set(counts.values()) == {7} for counts in steps("--steps", 7))


def test_a_run_compares_methods_with_the_reference(tmp_path, capsys, monkeypatch):
    def diverge(self, problem, context):
        raise DivergedError(1, "it was made to")

    monkeypatch.setattr(MMDSWFast, "run", diverge)
    path = tmp_path / "new" / "accuracy.json"
    run(*TINY, "--methods", "mmdsw", "mmdsw_sprint", "mmdsw_fast", "--threads", 1, "--json", path)
    record = json.loads(path.read_text())
    setting = record["setting"]
    assert (setting["reference"], setting["bundled"], setting["seed"]) == ("mmdsw", True, 0)
    assert setting["tasks"][0]["training"]["epochs"] == 1
    assert record["threads"] == 1
    results = {result["method"]: result for result in record["results"]}
    assert results["mmdsw_fast"]["status"] == "diverged"
    reference, sprint = results["mmdsw"], results["mmdsw_sprint"]
    assert (reference["target"], reference["k"]) == ("FashionMNIST", 1)
    assert reference["end_accuracy_error"] is None
    assert reference["goals"] == {
        "loss": reference["end_loss"],
        "accuracy": reference["end_accuracy"],
    }
    assert reference["of_reference"]["loss"] == 1
    assert sprint["of_reference"]["loss"] == sprint["seconds_to"]["loss"] / reference["seconds"]
    flows = {flow["method"]: flow for flow in record["flows"]}
    assert set(flows) == {"mmdsw", "mmdsw_sprint"}
    snapshots = flows["mmdsw"]["snapshots"]
    assert [snapshot["step"] for snapshot in snapshots] == [1, 2, 3]
    losses = [snapshot["loss"] for snapshot in snapshots]
    assert losses[0] > losses[1] > losses[2] == reference["end_loss"]
    assert snapshots[-1]["accuracies"] == [reference["end_accuracy"]]
    assert snapshots[-1]["seconds"] == pytest.approx(
        flows["mmdsw"]["setup_seconds"] + flows["mmdsw"]["flow_seconds"]
    )
    for goal in ("loss", "accuracy"):
        profile = record["profiles"][goal]
        assert profile["mmdsw_fast"] == [0] * 5
        assert max(shares[0] for shares in profile.values()) == 1
    printed = capsys.readouterr().out
    assert "s to accuracy" in printed
    assert printed.count("diverged") == 2


def test_all_snapshots_are_trained_on_until_the_goal(tmp_path):
    path = tmp_path / "accuracy.json"
    run(*TINY, "--methods=mmdsw", "--all-snapshots", "--json", path)
    record = json.loads(path.read_text())
    (result,), (flow,) = record["results"], record["flows"]
    accuracies = [snapshot["accuracies"] for snapshot in flow["snapshots"]]
    goal = next(i for i, known in enumerate(accuracies) if known[0] >= result["end_accuracy"])
    assert result["seconds_to"]["accuracy"] == flow["snapshots"][goal]["seconds"]


def test_the_authors_flow_is_extrapolated(tmp_path, capsys, monkeypatch):
    settings = []
    monkeypatch.setattr(
        rivals, "authors_step", lambda setting, checkout: settings.append(setting) or (lambda: None)
    )
    path = tmp_path / "accuracy.json"
    run(*TINY, "--methods=mmdsw", "--authors-code", tmp_path, "--json", path)
    (found,) = json.loads(path.read_text())["authors_code"]
    (setting,) = settings
    assert (setting.classes, setting.n, setting.k, setting.dim) == (10, 10, 1, 784)
    middle = sorted(found["milliseconds"])[9:11]
    assert found["extrapolated_seconds"] == pytest.approx(5 * sum(middle) / 2)
    assert "5000 steps, extrapolated" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--methods mmdws", "unknown method 'mmdws'; did you mean 'mmdsw'?"),
        ("--methods mmdsw random", "--methods has random, which takes no steps"),
        ("--methods mmdsw mmdsw", "two methods are called 'mmdsw'"),
        ("--methods otdd", "--reference is 'mmdsw', which is not among the methods"),
        ("--reference otd", "--reference is 'otd', .*; did you mean 'otdd'?"),
        ("--datasets KMNIST", "--datasets has KMNIST, of which the package holds no images"),
        ("--datasets FashionMINST", "unknown dataset 'FashionMINST'; did you mean 'FashionMNIST'"),
        ("--datasets MNIST MNIST", "two targets are called 'MNIST-bundled'"),
        ("--k 1 0", "--k has 0; expected integers of at least 1"),
        ("--k 1 1", "--k is 1 1; expected different integers"),
        ("--k 1 300 --steps 1", "class 0 .* has 250 images, and 300 per class are needed"),
        ("--n 0", "--n is 0"),
        ("--flows 0", "--flows is 0"),
        ("--trainings 0", "--trainings is 0"),
        ("--epochs 0", "--epochs is 0"),
        ("--steps 0", "--steps is 0"),
        ("--device gpu", "device 'gpu': expected"),
    ],
)
def test_bad_options_are_named(arguments, message):
    with pytest.raises(InputError, match=message) as caught:
        run(*arguments.split())
    assert "\n" not in str(caught.value)


def test_a_mapping_sets_parameters():
    (task,) = read_tasks(parse("--methods", "{name: mmdsw, id: long, steps: 9}", "mmdsw"))
    assert [(method.label, method.steps) for method in task.methods] == [
        ("long", 9),
        ("mmdsw", 5000),
    ]
    with pytest.raises(InputError, match="unknown key 'step'; did you mean 'steps'"):
        read_tasks(parse("--methods", "{name: mmdsw, step: 9}"))
