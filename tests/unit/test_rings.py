"""Rings: the task, its evaluators, and its tables and figures, of made-up and of real flows."""

import copy
from pathlib import Path
from types import SimpleNamespace

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from wowbench.cli import main
from wowbench.errors import InputError
from wowbench.evaluators.loss_levels import LossLevels
from wowbench.figures.rings_distance import RingsDistance
from wowbench.figures.rings_losses import RingsLosses
from wowbench.figures.rings_paper import RingsPaper
from wowbench.figures.rings_particles import RingsParticles, draw_particles
from wowbench.methods.trajectory import Frame
from wowbench.plan import Plan
from wowbench.results.kernels import panels, with_kernels
from wowbench.results.scores import gather_scores, read_scores
from wowbench.results.tables.rings_loss import RingsLoss

FLOW = {"name": "mmdsw", "scheme": {"lr": 0.1, "momentum": 0}, "steps": 500}
KERNELS = [
    {**FLOW, "id": "g", "kernel": {"name": "gaussian", "h": 0.005}},
    {**FLOW, "id": "l", "kernel": {"name": "laplace", "h": 0.5}},
    {**FLOW, "id": "r", "kernel": {"name": "riesz", "r": 1}},
]


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def rings(*methods, **changes):
    return {"task": "rings", "snapshots": [0], "flows": 2, "methods": list(methods)} | changes


def plan_of(*experiments):
    return Plan.load({"name": "made_up", "experiments": list(experiments)})


def made_up(plan, value):
    """Scores of flows that never ran: ``value(metric, row)`` is what each measured."""
    rows = []
    for verb, metrics in (
        ("flow", ["final_loss"]),
        ("evaluate", ["last_loss_low", "last_loss_high", "wow_distance"]),
    ):
        for job in plan.jobs[verb].values():
            row = {**job.spec["axes"], **job.columns[0], "status": "ok", "draw": "d"}
            rows += [{**row, "metric": metric, "value": value(metric, row)} for metric in metrics]
    return pd.DataFrame(rows).fillna("").assign(training_seed=pd.NA)


def ends(low, high):
    """A value for `made_up`: a band that the second flow extends by a half."""

    def value(metric, row):
        number = low if metric == "last_loss_low" else high
        return number * (1 + 0.5 * (row["flow_seed"] == 1 and metric == "last_loss_high"))

    return value


def test_snapshots_are_those_asked_for_and_every_so_many_steps():
    methods = ({"name": "exact_wow", "steps": 10}, {"name": "wow_geodesic", "steps": 25})
    plan = plan_of(rings(*methods, snapshots=[0, 1, 10], snapshot_every=10))
    assert {tuple(job.spec["snapshots"]) for job in plan.jobs["flow"].values()} == {(0, 1, 10, 20)}
    with pytest.raises(InputError, match="snapshots has 11, and method 'exact_wow' takes 10 steps"):
        plan_of(rings(methods[0], snapshots=[11]))


def test_flows_start_at_points_of_their_own(run_of):
    run = run_of({"name": "tiny", "experiments": [rings({"name": "wow_geodesic", "steps": 1})]})
    run.run("prepare", "draw")
    from wowbench.jobs.drawn import read_draw

    draws = [
        read_draw(Path(run.plan.path("draws", f"{n}.safetensors"))) for n in run.plan.jobs["draw"]
    ]
    one, two = (draw.source.reshape(-1, 2) for draw in draws)
    assert one.shape == two.shape == (240, 2)
    shared = (one[:, None] == two[None]).all(-1).any(1)
    assert shared.float().mean() < 0.1
    assert one.mean(0).tolist() == pytest.approx([-0.3, 0.0], abs=0.003)
    targets = [draw.target.flatten(1).sort().values for draw in draws]
    assert targets[0].equal(targets[1])


def test_band_is_that_of_the_last_tenth_of_the_steps():
    losses = torch.cat([torch.zeros(90), torch.tensor([3.0, 1.0, 2.0, 2.5, 2.0]).repeat(2)])
    evidence = SimpleNamespace(trajectory=SimpleNamespace(losses=losses))

    def band(share=0.1):
        return {
            row["metric"]: row["value"]
            for row in LossLevels(share=share).score(evidence, [], "cpu")
        }

    assert band() == {"first_loss": 0.0, "last_loss_low": 1.0, "last_loss_high": 3.0}
    assert band(0.001) == {"first_loss": 0.0, "last_loss_low": 2.0, "last_loss_high": 2.0}
    assert band(0.2)["last_loss_low"] == 0.0
    evidence.trajectory.losses = torch.empty(0)
    assert band() == {}


@pytest.mark.parametrize(
    ("low", "high", "within"),
    [
        # Published: gaussian h = 0.005: 0.215; laplace h = 0.5: 0.007 and 0.010; riesz: 0.003.
        (0.2, 0.22, [True, False, False]),
        (0.2, 0.2140, [True, False, False]),  # the second flow reaches 0.321
        (0.001, 0.00166, [False, False, False]),  # up to 0.00249
        (0.001, 0.00168, [False, False, True]),  # up to 0.00252
        (0.0104, 0.02, [False, True, False]),
        (0.0106, 0.02, [False, False, False]),
    ],
)
def test_published_losses_are_compared_with_the_band_over_flows(low, high, within):
    plan = plan_of(rings(*KERNELS))
    table = RingsLoss().make(made_up(plan, ends(low, high)))
    assert table.name.tolist() == ["gaussian h = 0.005", "laplace h = 0.5", "riesz r = 1"]
    assert table.greatest.tolist() == pytest.approx(3 * [1.5 * high])
    assert table.published_least.tolist() == [0.215, 0.007, 0.003]
    assert table.published_greatest.tolist() == [0.215, 0.010, 0.003]
    assert table.published_source.str.contains("notebook").all()
    assert table.within.tolist() == within
    readable = RingsLoss().readable(table)
    assert readable.published.tolist() == ["0.215", "0.007 to 0.010", "0.003"]
    assert readable["within"].tolist() == ["yes" if w else "no" for w in within]


@pytest.mark.parametrize(
    ("change", "experiment"),
    [
        ({"steps": 400}, {}),
        ({"scheme": {"lr": 0.2, "momentum": 0}}, {}),
        ({"scheme": {"lr": 0.1, "momentum": 0.5}}, {}),
        ({"scheme": {"name": "adamw", "lr": 0.1}}, {}),
        ({"kernel": {"name": "riesz", "r": 1.2}}, {}),
        ({"n_directions": 50}, {}),
        ({"directions": "orthogonal"}, {}),
        ({}, {"points_per_class": 40}),
        ({}, {"source": {"name": "gaussian", "mean": [-0.3, 0], "std": 0.1, "per_class": 80}}),
        ({}, {"target": {"name": "rings", "radius": 0.2}}),
    ],
)
def test_only_flows_with_the_papers_parameters_have_a_published_loss(change, experiment):
    scores = made_up(plan_of(rings({**KERNELS[2], **change}, **experiment)), ends(0.002, 0.004))
    table = RingsLoss().make(scores)
    assert table.published_least.isna().all()
    assert table.within.isna().all()
    readable = RingsLoss().readable(table)
    assert "within" not in readable
    assert readable.band.tolist() == ["0.002 to 0.006"]


def test_linear_quantiles_and_other_algorithms():
    methods = [{**KERNELS[2], "id": "linear", "quantiles": "linear"}, *KERNELS, "exact_wow"]
    table = RingsLoss().make(made_up(plan_of(rings(*methods)), ends(0.002, 0.004)))
    assert table.published_least.notna().tolist() == [True, True, True, True, False]
    assert table.name.tolist()[0] == "riesz r = 1, quantiles linear"
    assert table.name.tolist()[-1] == "exact_wow"


def test_names_have_what_most_flows_have_not():
    methods = [
        *KERNELS,
        {**KERNELS[2], "id": "slow", "scheme": {"lr": 0.01, "momentum": 0.9}},
        {"name": "mmdsw_weighted"},
        {"name": "interaction_energy", "kernel": {"name": "imq", "h": 2}},
        "wow_geodesic",
    ]
    plan = plan_of(rings(*methods), rings("exact_wow", id="other"))
    jobs = [job for name, job in plan.jobs["flow"].items() if name.endswith("flow0")]
    table = pd.DataFrame([{**j.spec["axes"], **j.columns[0]} for j in jobs]).fillna("")
    table = with_kernels(table)
    assert table.name.tolist() == [
        "gaussian h = 0.005",
        "laplace h = 0.5",
        "riesz r = 1",
        "riesz r = 1, lr 0.01, momentum 0.9",
        "mmdsw_weighted, riesz r = 1",
        "interaction_energy, imq h = 2",
        "wow_geodesic",
        "exact_wow",
    ]
    assert panels(table).tolist() == [
        "rings: gaussian kernel",
        "rings: laplace kernel",
        *3 * ["rings: riesz kernel"],
        *2 * ["rings: no MMD"],
        "other: no MMD",
    ]
    assert panels(table[:1]).tolist() == ["gaussian kernel"]


TINY = {
    "name": "tiny_rings",
    "experiments": [
        rings(
            {**KERNELS[2], "steps": 6, "n_directions": 5},
            {
                **KERNELS[0],
                "steps": 4,
                "n_directions": 5,
                "kernel": {"name": "gaussian", "h": 0.05},
            },
            snapshots=[0, 2, 4],
            snapshot_every=3,
            points_per_class=8,
            target={"name": "rings", "per_class": 8},
        ),
        rings(
            {"name": "mmdsw_weighted", "steps": 3, "n_directions": 5},
            {"name": "exact_wow", "steps": 3},
            id="others",
            flows=1,
            points_per_class=8,
            target={"name": "rings", "per_class": 8},
        ),
    ],
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory, run_by_hand):
    """A run of four methods with its tables and figures: its plan, its scores and its folder."""
    folder = tmp_path_factory.mktemp("rings")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run = run_by_hand(copy.deepcopy(TINY))
        run.run()
        plan = run.plan
        main(["aggregate", "--config", plan.config_json, "--out", "scores.csv"])
        for report in plan.reports:
            out = Path(report.file)
            out.parent.mkdir(exist_ok=True)
            verb = "table" if out.parent.name == "tables" else "figure"
            config = ["--config", plan.config_json] if verb == "figure" else []
            assert (
                main([verb, report.path, *config, "--scores", "scores.csv", "--out", str(out)]) == 0
            )
    return folder


@pytest.fixture
def run(finished, monkeypatch):
    monkeypatch.chdir(finished)
    return SimpleNamespace(plan=Plan.load(TINY), scores=read_scores(Path("scores.csv")))


def test_a_run_has_all_tables_and_figures(run):
    names = ["rings_paper", "rings_particles", "rings_losses", "rings_distance"]
    for path in [*(f"figures/{name}.png" for name in names), "tables/rings_loss.md"]:
        assert Path(path).stat().st_size > 100
    with Image.open("figures/rings_animation.gif") as animation:
        assert animation.n_frames == 5  # steps 0, 2, 3, 4 and 6
    assert gather_scores(run.plan).equals(run.scores)


def test_distances_are_scored_wherever_particles_are_kept(run):
    rows = run.scores[run.scores.metric == "wow_distance_at_step"]
    steps = rows.groupby(["experiment", "method", "flow_seed"]).step.agg(list)
    assert steps["rings", "r", 0] == [0, 2, 3, 4, 6]
    assert steps["rings", "g", 1] == [0, 2, 3, 4]
    assert steps["others", "exact_wow", 0] == [0, 3]
    last = run.scores[run.scores.metric == "wow_distance"].set_index(["method", "flow_seed"]).value
    at_end = rows.set_index(["method", "flow_seed", "step"]).value
    assert last["r", 1] == at_end["r", 1, 6]


def test_particles_have_a_row_for_each_method_and_a_column_for_each_step(run):
    figure = RingsParticles().draw(run.scores, run.plan)
    shown = [axis for axis in figure.axes if axis.axison]
    # 0, 2, 4 and 6; 0, 2 and 4; 0 and 3 twice.
    assert len(figure.axes) == 4 * 5
    assert len(shown) == 4 + 3 + 2 + 2
    assert [axis.get_title() for axis in figure.axes[:5]] == [f"step {s}" for s in (0, 2, 3, 4, 6)]
    labels = [axis.get_ylabel().replace("\n", " ") for axis in shown if axis.get_ylabel()]
    names = ["riesz r = 1", "gaussian h = 0.05", "mmdsw_weighted, riesz r = 1", "exact_wow"]
    assert labels == names
    # The target, then three classes.
    assert {len(axis.collections) for axis in shown} == {4}
    assert {axis.get_xlim() for axis in shown} == {(-1.9, 0.4)}


def test_classes_are_the_fainter_the_less_they_weigh():
    _, axis = plt.subplots()
    frame = Frame(torch.zeros(6, 2), torch.zeros(6).long(), torch.tensor([0.5, 0.25, 0.0]))
    drawn = draw_particles(axis, frame, 3, size=1)
    alphas = [collection.get_alpha() for collection in drawn]
    assert alphas[:2] == [1.0, 0.5]
    assert 0 < alphas[2] < 0.2


def test_figure_of_the_paper_has_its_kernels_and_steps(run):
    figure = RingsPaper().draw(run.scores, run.plan)
    titles = [axis.get_title() for axis in figure.axes if axis.get_title()]
    assert titles == ["step 0", "step 4", "step 6"]
    labels = [axis.get_ylabel() for axis in figure.axes if axis.get_ylabel()]
    assert labels == ["riesz r = 1", "gaussian h = 0.05"]


def test_losses_have_a_panel_for_each_kernel_and_a_curve_for_each_flow(run):
    figure = RingsLosses().draw(run.scores, run.plan)
    lines = {
        axis.get_title(): [len(line.get_xdata()) for line in axis.lines] for axis in figure.axes
    }
    assert lines == {
        "rings: riesz kernel": [6, 6],
        "rings: gaussian kernel": [4, 4],
        "others: riesz kernel": [3],
    }


def test_distances_are_means_over_flows_with_the_lowest_and_the_highest(run):
    figure = RingsDistance().draw(run.scores, run.plan)
    axes = {axis.get_title(): axis for axis in figure.axes}
    assert list(axes) == [
        "rings: riesz kernel",
        "rings: gaussian kernel",
        "others: riesz kernel",
        "others: no MMD",
    ]
    rows = run.scores[(run.scores.metric == "wow_distance_at_step") & (run.scores.method == "r")]
    (line,) = axes["rings: riesz kernel"].lines
    assert line.get_ydata() == pytest.approx(rows.groupby("step").value.mean().tolist())
    (band,) = axes["rings: riesz kernel"].collections
    heights = np.unique(band.get_paths()[0].vertices[:, 1])
    assert heights.min() == pytest.approx(rows.value.min())
    assert heights.max() == pytest.approx(rows.value.max())


def test_a_run_in_which_all_flows_diverged_has_no_figures(run_of):
    config = copy.deepcopy(TINY)
    config["experiments"] = [rings({**KERNELS[2], "scheme": {"lr": 1e30, "momentum": 0.5}})]
    run = run_of(config)
    run.run("prepare", "draw")
    for name in run.plan.jobs["flow"]:
        arguments = run.arguments("flow", name)
        pairs = (str(text) for pair in arguments.items() for text in pair)
        assert main(["flow", "--allow-divergence", *pairs]) == 0
    run.run("evaluate")
    scores = gather_scores(run.plan)
    assert (scores.status == "diverged").all()
    for figure in (RingsPaper(), RingsParticles(), RingsLosses(), RingsDistance()):
        assert figure.draw(scores, run.plan) is None
    table = RingsLoss().readable(RingsLoss().make(scores))
    assert table.flows.tolist() == ["0 (2 diverged)"]
