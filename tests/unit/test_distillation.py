"""Distillation: its plan, and the way from a draw to scores."""

import json
from types import SimpleNamespace

import pytest
import torch

from wowbench.cli import BAD_INPUT, main
from wowbench.datasets.base import LabelledParticles
from wowbench.datasets.prepared import write_prepared
from wowbench.errors import InputError
from wowbench.jobs.drawn import read_draw
from wowbench.jobs.flowed import read_flow
from wowbench.parameters import FromRegistry
from wowbench.plan import Plan
from wowbench.registry import METHODS
from wowbench.results.records import read_record

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


@pytest.mark.parametrize("snapshots", [[], [0, 10]])
def test_curves_over_steps_are_drawn_where_steps_are_kept(snapshots):
    figures = plan(methods=["mmdsw"], snapshots=snapshots).figures
    assert ("distillation_steps" in figures) == bool(snapshots)
    assert "distillation_images" in figures


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
        (
            {"protocols": [{"name": "dm", "network": "vgg"}]},
            r"protocols\[0\].dm.network: .*'vgg'",
        ),
        (
            {"protocols": [{"name": "dm", "network": "mlp"}] * 2},
            r"two protocols are called 'dm \(mlp\)'",
        ),
        (
            {
                "protocols": [{"name": "paper", "network": "lenet5"}],
                "datasets": ["digits"],
                "methods": ["random"],
            },
            "target digits has images of 8 x 8 pixels, and the evaluation needs at least 28 x 28",
        ),
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
        ({"methods": [{"name": "dm", "bfloat16": True}]}, "bfloat16 is true, and embedding is not"),
    ],
)
def test_bad_values_are_named_in_one_line(changes, message):
    with pytest.raises(InputError, match=message) as caught:
        plan(**changes)
    assert "\n" not in str(caught.value)


def test_dm_says_why_it_cannot_transfer():
    with pytest.raises(InputError, match=r"'dm' does not support .*'transfer': it matches"):
        BUILD("dm").require_pairing("free", "the task 'transfer'")


def test_a_protocol_survives_the_way_through_the_spec():
    dm = {"name": "dm", "epochs": 7, "augmentation": ["flip", "crop"]}
    (job, *_) = plan(protocols=["paper", dm]).jobs["evaluate"].values()
    assert [evaluator["training"] for evaluator in job.spec["evaluators"]] == [
        {"name": "paper", "network": "convnet", "epochs": 1000, "max_steps": 40_000},
        {"network": "convnet", "max_steps": 40_000, **dm},
    ]


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


def test_networks_are_scored_side_by_side(run):
    perceptron = PROTOCOLS[0] | {"network": "mlp"}
    _, _, both = run("random", protocols=[PROTOCOLS[0], perceptron])
    assert [row.protocol for row in both.measurements] == ["paper"] * 2 + ["paper (mlp)"] * 2
    assert both.measurements[2:] == run("random", protocols=[perceptron])[2].measurements


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
