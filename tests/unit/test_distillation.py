"""Distillation: its plan, its methods, and the way from a draw to scores."""

import json
from itertools import combinations
from types import SimpleNamespace

import pytest
import torch

from wowbench.cli import BAD_INPUT, main
from wowbench.datasets.base import LabelledParticles
from wowbench.datasets.prepared import write_prepared
from wowbench.errors import InputError
from wowbench.evaluation.protocols import DistributionMatching, Paper
from wowbench.jobs.drawn import read_draw
from wowbench.jobs.flowed import read_flow
from wowbench.methods.problem import Problem, RunContext
from wowbench.operations import OPERATIONS
from wowbench.parameters import FromRegistry
from wowbench.plan import Plan
from wowbench.registry import METHODS
from wowbench.results.records import read_record
from wowbench.space import Space

BUILD = FromRegistry(METHODS).build
CLASSES, SHAPE = 3, (1, 8, 8)
PROTOCOLS = (
    {"name": "paper", "epochs": 30, "max_steps": 12},
    {"name": "dm", "epochs": 30, "max_steps": 40, "augmentation": ["crop", "scale"]},
)


def plan(**changes):
    experiment = {
        "task": "distillation",
        "datasets": [{"name": "MNIST", "bundled": True}],
        "images_per_class": [1, 10],
        "target_images": 100,
        "batch_size": 20,
        "flows": 2,
        "trainings": 2,
        "methods": ["random", "mmdsw"],
    }
    return Plan.load({"name": "test", "experiments": [experiment | changes]})


def test_the_whole_target_is_one_cell_whatever_the_number_of_images():
    jobs = plan(methods=["random", "full_data", "mmdsw"]).jobs
    assert len(jobs["flow"]) == 2 * (2 * 2 + 1)
    whole = [job.spec["axes"] for job in jobs["flow"].values() if job.spec["axes"]["k"] == 0]
    assert [axes["method"] for axes in whole] == ["full_data", "full_data"]


def test_starts_nest_and_real_images_are_shared_by_the_numbers_of_images():
    draws = {name: job.spec for name, job in plan().jobs["draw"].items()}
    few, many = (draws[f"distillation/MNIST-bundled/p{p}/flow0"] for p in (1, 10))
    other = draws["distillation/MNIST-bundled/p1/flow1"]
    for seed in ("source_seed", "target_seed"):
        assert few[seed] == many[seed] != other[seed]
    assert (few["n"], many["n"], few["k"], few["units"]) == (1, 10, 100, "target")


def test_all_available_leaves_the_number_to_the_draw():
    jobs = plan(target_images="all_available", batch_size=10**6).jobs
    assert {job.spec["k"] for job in jobs["draw"].values()} == {None}


def test_a_draw_of_all_available_has_to_hold_a_batch():
    methods = ["full_data", "dm"]
    jobs = plan(target_images="all_available", batch_size=300, methods=methods).jobs["draw"]
    needed = {name: job.spec["minimum_k"] for name, job in jobs.items() if "flow0" in name}
    assert needed == {
        "distillation/MNIST-bundled/p1/flow0": 300,
        "distillation/MNIST-bundled/p10/flow0": 300,
        "distillation/MNIST-bundled/all/flow0": 1,
    }


def test_each_protocol_is_a_cell_with_its_parameters():
    protocols = [{"name": "paper", "epochs": 3}, "dm"]
    jobs = plan(methods=["mmdsw"], images_per_class=[1], flows=1, protocols=protocols).jobs
    (flow,), (evaluate,) = jobs["flow"].values(), jobs["evaluate"].values()
    assert [columns["protocol"] for columns in evaluate.columns] == ["paper", "dm"]
    assert [columns["protocol.epochs"] for columns in evaluate.columns] == ["3", "1000"]
    assert not any("protocol" in column for column in flow.columns[0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": 101}, "batch_size is 101; expected at most 100, the `target_images`"),
        ({"images_per_class": [200]}, "images_per_class is 200; expected at most 100"),
        ({"images_per_class": [1, 1]}, r"got \[1, 1\]; expected different integers"),
        ({"target_images": "all"}, "target_images"),
        ({"snapshots": [-1]}, "snapshots"),
        (
            {"methods": [{"name": "mmdsw", "steps": 9}], "snapshots": [0, 10]},
            "snapshots has 10, and method 'mmdsw' takes 9 steps; expected at most 9",
        ),
        ({"protocols": ["papr"]}, r"protocols\[0\]: name is 'papr', .* did you mean 'paper'"),
        ({"protocols": [{"name": ["dm"]}]}, r"name is \['dm'\], no protocol"),
        ({"protocols": [{"epochs": 3}]}, "name is None, no protocol; expected one of dm, paper"),
        (
            {"protocols": [{"name": "paper", "augmentation": True}]},
            r"protocols\[0\].paper: unknown key 'augmentation'; expected one of epochs, max_steps",
        ),
        (
            {"protocols": [{"name": "dm", "augmentation": ["croop"]}]},
            r"protocols\[0\].dm.augmentation: got 'croop', .* did you mean 'crop'",
        ),
        ({"protocols": ["paper", {"name": "paper", "epochs": 2}]}, "two protocols .* 'paper'"),
        ({"methods": ["train_on_target"]}, "'train_on_target' does not support .*'distillation'"),
        (
            {"methods": [{"name": "dm", "augmentation": ["croop"]}]},
            "augmentation: got 'croop', no differentiable operation; did you mean 'crop'",
        ),
        (
            {"methods": [{"name": "dm", "augmentation": ["posterize"]}]},
            "got 'posterize', no differentiable operation; expected one of color, crop",
        ),
        (
            {"methods": [{"name": "dm", "augmentation": ["crop", "crop"]}]},
            "two operations are called 'crop'",
        ),
        ({"methods": [{"name": "dm", "augmentation": 3}]}, "got 3; expected true, false or a list"),
        ({"methods": [{"name": "dm", "authors_cutout": True}]}, "augmentation has no 'cutout'"),
    ],
)
def test_bad_values_are_named_in_one_line(changes, message):
    with pytest.raises(InputError, match=message) as caught:
        plan(**changes)
    assert "\n" not in str(caught.value)


def test_dm_says_why_it_cannot_transfer():
    with pytest.raises(InputError, match=r"'dm' does not support .*'transfer': it matches"):
        BUILD("dm").require_pairing("free", "the task 'transfer'")


def test_augmentation_by_default_turns_no_digit_around():
    chosen = BUILD({"name": "dm", "augmentation": True}).augmentation
    assert set(OPERATIONS) - set(chosen) == {"flip"}
    assert BUILD({"name": "dm", "augmentation": False}).augmentation == ()
    assert DistributionMatching().augmentation == chosen
    assert DistributionMatching(augmentation=True).augmentation == chosen


def test_operations_of_configs_are_those_of_the_augmentations():
    from wowbench import augmentation

    assert tuple(augmentation.OPERATIONS) == OPERATIONS


def test_a_protocol_survives_the_way_through_the_spec():
    dm = {"name": "dm", "epochs": 7, "augmentation": ["flip", "crop"]}
    (job, *_) = plan(protocols=["paper", dm]).jobs["evaluate"].values()
    assert [evaluator["training"] for evaluator in job.spec["evaluators"]] == [
        {"name": "paper", "epochs": 1000, "max_steps": 40_000},
        {"max_steps": 40_000, **dm},
    ]


@pytest.mark.parametrize("name", ["paper", "dm"])
def test_parameters_of_a_protocol_reach_the_training(name):
    from wowbench.augmentation import Augmentation
    from wowbench.evaluation.optimisers import SGD, AdamW
    from wowbench.evaluation.training import train_classifiers

    generator = torch.Generator().manual_seed(0)
    images, labels = torch.randn(260, 1, 8, 8, generator=generator), torch.arange(260) % CLASSES
    protocol, settings = {
        "paper": (Paper, {"batch_size": 64, "optimiser": AdamW(lr=3e-4, weight_decay=1e-4)}),
        "dm": (
            DistributionMatching,
            {
                "batch_size": 256,
                "optimiser": SGD(lr=0.01, momentum=0.9, weight_decay=5e-4, halfway=0.1),
                "augmentation": Augmentation(["color", "crop", "cutout", "scale", "rotate"]),
            },
        ),
    }[name]
    for parameters, steps in (({"epochs": 1}, {"paper": 5, "dm": 2}), ({"max_steps": 3}, {})):
        given = protocol(**parameters).train(images, labels, CLASSES, seeds=[4])
        expected = train_classifiers(
            images,
            labels,
            n_classes=CLASSES,
            seeds=[4],
            network="convnet",
            steps=steps.get(name, 3),
            **settings,
        )
        assert given.losses.equal(expected.losses)


def test_a_protocol_may_flip_or_do_without_augmentation():
    images = torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    losses = [
        DistributionMatching(epochs=4, augmentation=chosen)
        .train(images, torch.arange(6) % CLASSES, CLASSES, seeds=[4])
        .losses
        for chosen in (False, ["flip"], True)
    ]
    assert not any(torch.allclose(a, b) for a, b in combinations(losses, 2))


@pytest.fixture
def problem():
    generator = torch.Generator().manual_seed(0)
    source, target = (torch.randn(CLASSES, n, *SHAPE, generator=generator) for n in (2, 9))
    return Problem(source, target, Space(tuple(source.shape[2:])), "by_number", 9)


def test_dm_steps_along_the_plain_gradient_of_the_sum_over_classes(problem):
    outcome = BUILD({"name": "dm", "steps": 1, "scheme": {"lr": 0.3}}).run(problem, RunContext(0))
    x = problem.source.clone().requires_grad_()
    loss = (x.mean(1) - problem.target.mean(1)).square().sum()
    (grad,) = torch.autograd.grad(loss, x)
    torch.testing.assert_close(outcome.last.particles, (x - 0.3 * grad).detach().flatten(0, 1))
    torch.testing.assert_close(outcome.losses[0], loss.detach())


@pytest.mark.parametrize("name", ["dm", "mmdsw"])
def test_standardised_images_are_not_clipped_and_stand_alone(problem, name):
    outcome = BUILD({"name": name, "steps": 2}).run(problem, RunContext(0))
    assert outcome.last.particles.min() < 0
    assert len(outcome.last.particles) == 6


def test_dm_keeps_classes_where_mmdsw_couples_them_anew(problem):
    # Classes far apart, and a source in which each starts beside the next one.
    centres = 10 * torch.arange(CLASSES).reshape(-1, 1, 1, 1, 1)
    target, source = problem.target + centres, problem.source + centres.roll(-1, 0)
    moved = Problem(source, target, Space(tuple(source.shape[2:])), "by_number", 9)
    context = RunContext(0, snapshots=(0,))
    kept = BUILD({"name": "dm", "steps": 1, "scheme": {"lr": 1e-3}}).run(moved, context)
    coupled = BUILD({"name": "mmdsw", "steps": 1, "scheme": {"lr": 1e-3}}).run(moved, context)
    assert kept.last.labels.tolist() == kept.frames[0].labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert coupled.last.labels.tolist() == coupled.frames[0].labels.tolist() == [1, 1, 2, 2, 0, 0]


@pytest.mark.parametrize("scenario", [{}, {"augmentation": True, "embedding": True}])
def test_a_snapshot_is_what_a_shorter_flow_leaves(problem, scenario):
    method = {"name": "mmdsw", "n_directions": 5, **scenario}
    long = BUILD(method | {"steps": 5}).run(problem, RunContext(1, snapshots=(0, 3, 8)))
    short = BUILD(method | {"steps": 3}).run(problem, RunContext(1))
    assert list(long.frames) == [0, 3, 5]
    torch.testing.assert_close(long.frames[3].particles, short.last.particles)
    assert torch.equal(long.frames[3].labels, short.last.labels)
    torch.testing.assert_close(long.frames[0].particles, problem.source.flatten(0, 1))


def test_linear_quantiles_draw_their_levels_from_the_flow(problem):
    outcome = BUILD({"name": "mmdsw", "quantiles": "linear", "steps": 2}).run(
        problem, RunContext(0)
    )
    assert outcome.losses.isfinite().all()


def test_an_embedding_that_cannot_take_the_images_is_named():
    problem = Problem(
        torch.rand(2, 1, 1, 5, 5), torch.rand(2, 3, 1, 5, 5), Space((1, 5, 5)), "by_number"
    )
    with pytest.raises(
        InputError, match=r"images of 5 x 5 pixels, and the embedding of 'dm' needs at least 8 x 8"
    ):
        BUILD({"name": "dm", "embedding": True}).run(problem, RunContext(0))


def test_herding_brings_the_mean_as_close_as_it_can_at_each_choice(problem):
    images = problem.target.flatten(2)
    chosen = BUILD("herding").run(problem, RunContext(0)).last.particles.reshape(CLASSES, 2, -1)
    for of_class, candidates in zip(chosen, images, strict=True):
        mean = candidates.mean(0)
        first = min(candidates, key=lambda x, m=mean: float((x - m).norm()))
        rest = [x for x in candidates if not torch.equal(x, first)]
        second = min(rest, key=lambda x, m=mean, f=first: float(((f + x) / 2 - m).norm()))
        assert torch.equal(of_class, torch.stack([first, second]))


def test_kmeans_chooses_the_image_nearest_to_each_group():
    # Two groups of three a class, around 0 and 10, with the middle one nearest to their mean.
    levels = torch.tensor([0.0, 1.1, 2.0, 10.0, 11.1, 12.0])[torch.tensor([3, 0, 4, 1, 5, 2])]
    target = levels[None, :, None, None, None] + torch.zeros(2, 6, *SHAPE)
    problem = Problem(target[:, :2], target, Space(tuple(target.shape[2:])), "by_number")
    images = BUILD("kmeans").run(problem, RunContext(3)).last.particles[:, 0, 0, 0]
    assert images.reshape(2, 2).sort().values.tolist() == torch.tensor([[1.1, 11.1]] * 2).tolist()


@pytest.mark.parametrize("name", ["herding", "kmeans"])
def test_no_image_is_chosen_twice(problem, name):
    problem = Problem(
        problem.target[:, :7], problem.target, Space(tuple(problem.target.shape[2:])), "by_number"
    )
    chosen = BUILD(name).run(problem, RunContext(0)).last.particles.reshape(CLASSES, 7, -1)
    assert all(not torch.equal(a, b) for images in chosen for a, b in combinations(images, 2))
    assert all((x == problem.target.flatten(2)).all(-1).any() for x in chosen.flatten(0, 1))


@pytest.mark.parametrize("name", ["herding", "kmeans"])
def test_more_images_than_there_are_cannot_be_chosen(problem, name):
    problem = Problem(
        problem.target, problem.source, Space(tuple(problem.target.shape[2:])), "by_number"
    )
    with pytest.raises(InputError, match="9 images per class are to be chosen; expected at most 2"):
        BUILD(name).run(problem, RunContext(0))


def test_baselines_return_the_start_and_the_whole(problem):
    start, whole = (BUILD(n).run(problem, RunContext(0)).last for n in ("random", "full_data"))
    assert torch.equal(start.particles, problem.source.flatten(0, 1))
    assert torch.equal(whole.particles, problem.target.flatten(0, 1))
    assert whole.labels.bincount().tolist() == [9] * CLASSES


@pytest.fixture
def run(tmp_path):
    """Run the jobs of one flow on easy data: class c is bright in its own rows."""
    generator = torch.Generator().manual_seed(0)

    def load(split, data_root):
        counts = {"train": (8, 9, 10), "test": (4, 5, 6)}[split]
        labels = torch.arange(CLASSES).repeat_interleave(torch.tensor(counts))
        images = torch.randint(60, (len(labels), *SHAPE), generator=generator)
        for row, label in enumerate(labels):
            images[row, :, 3 * label : 3 * label + 2] += 150
        images, labels = images.byte().numpy(), labels.numpy()
        return LabelledParticles(images, labels, ("a", "b", "c"), "bars", split)

    data = tmp_path / "bars.safetensors"
    prepared = {"axes": {}}
    write_prepared(SimpleNamespace(load=load, label="bars", bundled=False), None, data, prepared)

    def run(method, *, snapshots=(), n=2, batch_size=4, k=None, protocols=PROTOCOLS[:1]):
        axes = {"source": "bars", "target": "bars"}
        files = {verb: str(tmp_path / f"{verb}.safetensors") for verb in ("draw", "flow")}
        record = {verb: tmp_path / f"{verb}.json" for verb in ("draw", "flow", "evaluate")}
        specs = {
            "draw": {
                "n": n,
                "source_seed": 1,
                "k": k,
                "target_seed": 2,
                "units": "target",
                "equal_classes": False,
                "minimum_size": 8,
                "minimum_k": 1,
            },
            "flow": {
                "method": FromRegistry(METHODS).dump(BUILD(method)),
                "seed": 3,
                "problem": {"pairing": "by_number", "batch_size": batch_size},
                "snapshots": list(snapshots),
                "threads": 1,
            },
            "evaluate": {
                "evaluators": [{"name": "distilled", "training": p} for p in protocols],
                "seeds": [5, 6],
                "threads": 1,
            },
        }
        specs = {verb: spec | {"axes": axes} for verb, spec in specs.items()}
        specs["draw"]["inputs"] = {"source": prepared, "target": prepared}
        specs["flow"]["inputs"] = {"draw": specs["draw"]}
        made = {"draw": specs["draw"], "flow": specs["flow"], "test": prepared}
        specs["evaluate"]["inputs"] = made
        inputs = {
            "draw": ["--source", str(data), "--target", str(data), "--out", files["draw"]],
            "flow": ["--draw", files["draw"], "--out", files["flow"], "--device", "cpu"],
            "evaluate": ["--draw", files["draw"], "--flow", files["flow"], "--test", str(data)],
        }
        inputs["evaluate"] += ["--device", "cpu", "--out", str(record["evaluate"])]
        for verb, spec in specs.items():
            arguments = ["--spec", json.dumps(spec), *inputs[verb]]
            if verb != "evaluate":
                arguments += ["--record", str(record[verb])]
            status = main([verb, *arguments])
            if status != 0:
                return verb, status
        return (
            read_draw(files["draw"]),
            read_flow(files["flow"])[0],
            read_record(record["evaluate"]),
        )

    return run


def test_a_draw_takes_the_smallest_class_and_the_moments_of_all_training_images(run):
    draw, _, _ = run("random")
    assert draw.target.shape == (CLASSES, 8, *SHAPE)
    assert draw.classes == ("a", "b", "c")
    # Two of eight rows are 150 above the rest, whose levels are uniform in 0..59.
    assert draw.chart.mean.item() * 255 == pytest.approx(150 / 4 + 29.5, abs=1)


def test_what_a_flow_leaves_is_in_units_of_the_data(run):
    draw, trajectory, _ = run("random")
    torch.testing.assert_close(trajectory.last.particles, draw.source.flatten(0, 1) / 255)


def test_classifiers_learn_easy_classes_from_two_images_of_each(run):
    _, _, record = run({"name": "dm", "steps": 4, "scheme": {"lr": 0.1}})
    rows = record.measurements
    assert [(row.protocol, row.metric, row.training_seed) for row in rows] == [
        ("paper", "accuracy", 0),
        ("paper", "accuracy", 1),
    ]
    assert [row.value for row in rows] == [1.0, 1.0]


def test_protocols_are_scored_side_by_side(run):
    _, _, both = run("random", protocols=PROTOCOLS)
    alone = [run("random", protocols=[protocol])[2].measurements for protocol in PROTOCOLS]
    rows = both.measurements
    assert [row.protocol for row in rows] == ["paper", "paper", "dm", "dm"]
    assert rows == alone[0] + alone[1]
    # Six images of three classes that rows of pixels tell apart.
    assert all(row.value > 0.5 for row in rows)


def test_snapshots_are_scored_by_their_step_and_the_last_images_with_them(run):
    method = {"name": "dm", "steps": 4, "scheme": {"lr": 0.1}}
    _, trajectory, record = run(method, snapshots=(0, 2, 9))
    assert list(trajectory.frames) == [0, 2, 4]
    at_step = [row for row in record.measurements if row.metric == "accuracy_at_step"]
    assert [row.step for row in at_step] == [0, 0, 2, 2, 4, 4]
    last = [row.value for row in record.measurements if row.metric == "accuracy"]
    assert [row.value for row in at_step[4:]] == last


def test_a_batch_that_no_class_can_give_is_named(run, capsys):
    assert run("dm", batch_size=9) == ("flow", BAD_INPUT)
    assert "batch_size is 9; expected 1 to 8" in capsys.readouterr().err


def test_more_images_than_a_class_has_are_named(run, capsys):
    assert run("random", n=9) == ("draw", BAD_INPUT)
    assert "class 0 ('a') has 8 images" in capsys.readouterr().err
