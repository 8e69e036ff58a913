"""The tables and the figures of generation, from scores and flows made up for them."""

from pathlib import Path
from types import SimpleNamespace

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from wowbench.evaluators.base import Evidence
from wowbench.evaluators.loss_levels import LossLevels
from wowbench.figures.flow_losses import FlowLosses as LossFigure
from wowbench.figures.generation_trajectories import GenerationTrajectories
from wowbench.jobs.drawn import Drawn, write_draw
from wowbench.jobs.flowed import write_flow
from wowbench.methods.trajectory import Frame, Trajectory
from wowbench.plan import Plan
from wowbench.results import scores as scores_module
from wowbench.results.records import Record
from wowbench.results.tables.flow_losses import FlowLosses
from wowbench.results.tables.generation_classes import GenerationClasses

NOISE = {"name": "gaussian", "id": "noise", "n_blocks": 10, "per_class": 200}
GREY, COLOUR = {"dimensions": [1, 28, 28]}, {"dimensions": [3, 32, 32]}


def generation(**changes):
    experiment = {"task": "generation", "source": "MNIST", "targets": ["FashionMNIST"]}
    methods = [{"name": "mmdsw", "scheme": {"lr": 0.1}, "steps": 100000}]
    return experiment | {"flows": 2, "methods": methods} | changes


def measured(job):
    """Metrics of a flow and of its evaluation; those of the second flow are twice the first's."""
    twice = 1 + job.spec["axes"]["flow_seed"]
    steps = job.spec.get("method", {}).get("steps")
    if steps is not None:
        return {"steps": steps, "seconds_per_step": 0.01 * twice, "final_loss": 0.5}
    levels = {"first_loss": 0.1, "last_loss_low": 0.001, "last_loss_high": 0.002}
    levels = {metric: value * twice for metric, value in levels.items()}
    return levels | {"whole_classes": 4 * twice, "source_classes": 10, "purity": 0.4 * twice}


@pytest.fixture
def made(monkeypatch):
    """Return a function that gives the scores of experiments, some of whose flows diverged."""

    def gather(*experiments, diverged=()):
        plan = Plan.load({"name": "made_up", "experiments": list(experiments)})
        records = {}
        for verb in ("flow", "evaluate"):
            for name, job in plan.jobs[verb].items():
                failed = job.spec["axes"]["flow_seed"] in diverged
                rows = [{"metric": m, "value": float(v)} for m, v in measured(job).items()]
                records[verb, name] = Record(
                    job=verb,
                    spec=job.spec,
                    status="diverged" if failed else "ok",
                    measurements=[] if failed else rows,
                    inputs={"draw": "0" * 16},
                    provenance={"device": "cpu", "commit": "0" * 40},
                )
        monkeypatch.setattr(scores_module, "read_run", lambda plan, *, partial=False: records)
        return scores_module.gather_scores(plan)

    return gather


def test_losses_are_the_mean_start_and_the_range_of_the_ends(made):
    (row,) = FlowLosses().make(made(generation())).to_dict("records")
    assert row["start"] == pytest.approx(0.15)
    assert (row["last_low"], row["last_high"]) == pytest.approx((0.001, 0.004))
    assert row["steps_per_second"] == pytest.approx(1 / 0.015)
    assert (row["steps"], row["flows"], row["device"]) == (100000, 2, "cpu")
    # The authors' notebook: from 0.091 to 1.38e-4 to 1.43e-4, at 114.48 steps a second.
    assert (row["published_start"], row["published_last_high"]) == (0.091, 1.43e-4)
    assert row["published_steps_per_second"] == 114.48
    assert row["unlike_published"] == ""


@pytest.mark.parametrize(
    ("changes", "end", "departures"),
    [
        ({"targets": ["USPS"]}, 1.24e-5, "scheme.lr 0.1, not 0.05; steps 100000, not 150000"),
        ({"images_per_class": 50}, 1.38e-4, "images_per_class 50, not 200"),
        (
            {"source": NOISE | GREY, "targets": ["MNIST"]},
            2.54e-4,
            "scheme.lr 0.1, not 1.0; steps 100000, not 18000",
        ),
        (
            {"source": {"name": "MNIST", "bundled": True}},
            1.38e-4,
            "source bundled",
        ),
    ],
)
def test_other_parameters_than_the_published_ones_are_named(made, changes, end, departures):
    (row,) = FlowLosses().make(made(generation(**changes))).to_dict("records")
    assert row["published_last_low"] == end
    assert row["unlike_published"] == departures


def test_noise_is_compared_by_its_momentum_and_units(made):
    methods = [
        {"name": "mmdsw", "scheme": {"lr": 1.0}, "steps": 18000},
        {"name": "mmdsw", "id": "plain", "scheme": {"lr": 1.0, "momentum": 0}, "steps": 100000},
    ]
    grey = generation(source=NOISE | GREY, targets=["MNIST"], methods=methods)
    table = FlowLosses().make(made(grey)).set_index("method")
    assert table.published_last_low.to_dict() == {"mmdsw": 2.54e-4, "plain": 5.95e-4}
    assert set(table.unlike_published) == {""}
    colour = {"source": NOISE | COLOUR, "targets": ["CIFAR10"], "images_per_class": 50}
    methods = [{"name": "mmdsw", "scheme": {"lr": 1.0}, "steps": 150000}]
    standardised, natural = (
        FlowLosses().make(made(generation(**colour, methods=methods, units=units)))
        for units in ("own", "natural")
    )
    assert list(standardised.published_start) == [0.156]
    assert list(standardised.unlike_published) == [""]
    assert natural.published_start.isna().all()


def test_other_functionals_and_other_noise_have_nothing_published(made):
    wider = NOISE | GREY | {"std": 2.0}
    methods = [{"name": "otdd", "steps": 10}]
    for changes in ({"methods": methods}, {"source": wider, "targets": ["MNIST"]}):
        table = FlowLosses().make(made(generation(**changes)))
        assert table.published_start.isna().all()
        assert "not as published" not in FlowLosses().readable(table)


def test_flows_at_once_have_no_speed(made):
    scores = made(generation())
    table = FlowLosses().make(scores[scores.metric != "seconds_per_step"])
    assert table.steps.tolist() == [100000]
    assert table.steps_per_second.isna().all()
    assert "steps / s" not in FlowLosses().readable(table)


def test_losses_of_flows_that_diverged_are_left_out_and_counted(made):
    (row,) = (
        FlowLosses()
        .readable(FlowLosses().make(made(generation(), diverged=[0])))
        .to_dict("records")
    )
    assert row["flows"] == "1 (1 diverged)"
    assert row["last"] == "0.002 to 0.004"
    (row,) = (
        FlowLosses()
        .readable(FlowLosses().make(made(generation(), diverged=[0, 1])))
        .to_dict("records")
    )
    assert row["flows"] == "0 (2 diverged)"
    assert "start" not in row


def test_classes_that_stay_together_are_averaged_over_flows(made):
    (row,) = GenerationClasses().make(made(generation())).to_dict("records")
    assert row["whole_classes"] == pytest.approx(6)
    assert row["whole_classes_error"] == pytest.approx(2)  # of 4 and 8: sd 2 sqrt(2) / sqrt(2)
    assert row["purity"] == pytest.approx(0.6)
    assert (row["source_classes"], row["flows"]) == (10, 2)
    (shown,) = (
        GenerationClasses()
        .readable(GenerationClasses().make(made(generation(flows=1))))
        .to_dict("records")
    )
    assert (shown["whole"], shown["purity"], shown["source classes"]) == ("4.0", "0.400", "10")


def levels(losses):
    evidence = Evidence(drawn=None, trajectory=Trajectory({}, torch.tensor(losses)))
    return {row["metric"]: row["value"] for row in LossLevels().score(evidence, [], "cpu")}


def test_loss_levels_are_the_first_and_the_range_of_the_last_hundredth():
    losses = [5.0, *[1.0] * 297, 3.0, 2.0, 2.5]  # 301 steps, of which the last 3 count
    expected = {"first_loss": 5.0, "last_loss_low": 2.0, "last_loss_high": 3.0}
    assert levels(losses) == expected
    assert set(levels([4.0, 6.0]).values()) == {4.0, 6.0}
    assert levels([]) == {}


@pytest.mark.parametrize(
    ("steps", "expected"), [(30, range(0, 31, 2)), (3, [0, 1, 2, 3]), (1500, range(0, 1501, 100))]
)
def test_snapshots_are_sixteen_at_equal_distances(steps, expected):
    methods = [{"name": "mmdsw", "steps": steps}, {"name": "mmdsw", "id": "b", "steps": 1}]
    config = {"name": "tiny", "experiments": [generation(methods=methods, flows=1)]}
    for job in Plan.load(config).jobs["flow"].values():
        assert job.spec["snapshots"] == list(expected)


def test_snapshots_are_those_that_the_config_lists():
    config = {"name": "tiny", "experiments": [generation(snapshots=[0, 7])]}
    assert {tuple(j.spec["snapshots"]) for j in Plan.load(config).jobs["flow"].values()} == {(0, 7)}


class FakePlan(SimpleNamespace):
    def path(self, folder, name):
        return str(self.root / folder / name)

    def inputs(self, verb, name):
        return {"draw": self.root / "draw.safetensors"}


DRAW = {"axes": {}, "inputs": {"source": {"dataset": "FashionMNIST"}}}


def plan_of(root, shape, *, losses=(0.5, 0.25, 0.125), steps=(0, 2, 1500), lr="0.1"):
    """A flow of two classes of two particles, whose values tell class and step."""
    stored = torch.zeros(2, 2, *shape, dtype=torch.float32)
    write_draw(root / "draw.safetensors", Drawn(stored, stored, ("a", "b")), DRAW)
    axes = {"task": "generation", "source": "MNIST", "target": "FashionMNIST", "method": "mmdsw"}
    axes |= {"experiment": "generation", "k": 2, "flow_seed": 0}
    columns = {"algorithm": "mmdsw", "departures": "", "task.units": "natural"}
    columns |= {"source.bundled": "False", "target.bundled": "False"}
    columns |= {"method.scheme.momentum": "0.9"}
    job = SimpleNamespace(spec={"axes": axes, "inputs": {"draw": DRAW}}, columns=(columns,))
    labels = torch.zeros(4, dtype=torch.int64)
    frames = {}
    for i, step in enumerate(steps):
        values = (
            torch.tensor([0.0, 9.0, 0.5, 9.0]) + 0.2 * i
        )  # the second of each class is not shown
        frames[step] = Frame(values.reshape(4, *[1] * len(shape)).repeat(1, *shape), labels)
    write_flow(
        Path(root / "flows" / "one.safetensors"),
        Trajectory(frames, torch.tensor(losses)),
        job.spec,
    )
    return FakePlan(root=root, jobs={"flow": {"one": job}})


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


@pytest.mark.parametrize(("channels", "shown"), [(1, lambda v: 1 - v), (3, lambda v: v)])
def test_a_row_is_the_first_particle_of_a_class_and_a_column_a_snapshot(tmp_path, channels, shown):
    (axis,) = (
        GenerationTrajectories().draw(None, plan_of(tmp_path, (channels, 4, 4), steps=(0, 2, 1500)))
    ).axes
    picture = axis.images[0].get_array()
    assert picture.shape == (10, 15, 3)
    values = shown(np.clip([[0.0, 0.2, 0.4], [0.5, 0.7, 0.9]], 0, 1))
    np.testing.assert_allclose(picture[1::5, 1::5, 0], values, rtol=1e-6)
    np.testing.assert_array_equal(picture[4::5], 1)  # gaps
    assert [tick.get_text() for tick in axis.get_xticklabels()] == ["0", "2", "1.5k"]
    assert [tick.get_text() for tick in axis.get_yticklabels()] == ["T-shirt/top", "Trouser"]
    assert " ".join(axis.get_title().split()) == "MNIST to FashionMNIST; mmdsw"


def test_values_beyond_black_and_white_are_clipped_for_display(tmp_path):
    plan = plan_of(tmp_path, (3, 2, 2), steps=tuple(range(4)))
    (axis,) = GenerationTrajectories().draw(None, plan).axes
    assert axis.images[0].get_array()[3, 9, 0] == 1  # 0.5 + 0.6


def test_points_have_no_picture(tmp_path):
    assert GenerationTrajectories().draw(None, plan_of(tmp_path, (2,))) is None


def test_losses_are_drawn_with_the_published_start_and_end(tmp_path):
    scores = SimpleNamespace(method=["mmdsw"])
    figure = LossFigure().draw(scores, plan_of(tmp_path, (1, 2, 2)))
    (axis,) = figure.axes
    curve, marks = (line.get_xydata() for line in axis.lines[:2])
    np.testing.assert_allclose(curve, [[1, 0.5], [2, 0.25], [3, 0.125]])
    np.testing.assert_allclose(marks, [[1, 0.091], [100000, np.sqrt(1.38e-4 * 1.43e-4)]])
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["mmdsw", "published, start and end"]


def test_flows_that_diverged_at_once_have_no_losses_to_draw(tmp_path):
    scores = SimpleNamespace(method=["mmdsw"])
    assert LossFigure().draw(scores, plan_of(tmp_path, (1, 2, 2), losses=(), steps=())) is None
