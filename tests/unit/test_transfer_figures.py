"""The figures of transfer and of losses: panels, curves, error bars and titles."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from wowbench.figures.loss_curves import LossCurves
from wowbench.figures.panels import draw_legend, panel_grid
from wowbench.figures.styles import method_styles
from wowbench.figures.transfer_accuracy import TransferAccuracy
from wowbench.figures.transfer_runtime import TransferRuntime
from wowbench.jobs.flowed import write_flow
from wowbench.methods.trajectory import Frame, Trajectory
from wowbench.plan import Plan

VALUES = np.array([[0.64, 0.68], [0.60, 0.64]])


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def transfer(**changes):
    experiment = {"task": "transfer", "source": "MNIST", "targets": ["FashionMNIST"]}
    experiment |= {"shots": [1, 10], "flows": 2, "trainings": 2, "methods": ["mmdsw"]}
    return experiment | changes


def value(row):
    higher = 0.1 * (row["source"] == "KMNIST") + 0.2 * (row["experiment"] == "higher")
    return VALUES[row["flow_seed"], row["training_seed"]] + higher


def panels_of(figure):
    """Panels by their title, whose lines are joined."""
    return {" ".join(axis.get_title().split()): axis for axis in figure.axes if axis.get_title()}


def curves_of(figure):
    """Heights of the curves of each panel, by its title."""
    return {
        title: [container.lines[0].get_ydata().tolist() for container in axis.containers]
        for title, axis in panels_of(figure).items()
    }


def bars_of(figure):
    """Lower and upper ends of all error bars of each panel, by its title."""
    return {
        title: [
            segment[:, 1].tolist()
            for container in axis.containers
            for segment in container.lines[2][0].get_segments()
            if len(segment)
        ]
        for title, axis in panels_of(figure).items()
    }


def test_two_sources_onto_one_target_are_two_panels(scores_of):
    experiments = transfer(), transfer(id="other", source="KMNIST")
    curves = curves_of(TransferAccuracy().draw(scores_of(*experiments, value=value), None))
    assert curves == {
        "MNIST to FashionMNIST": [pytest.approx([64, 64])],
        "KMNIST to FashionMNIST": [pytest.approx([74, 74])],
    }


@pytest.mark.parametrize(
    ("changes", "titles"),
    [
        ({"images_per_class": 9}, ["; images_per_class 200", "; images_per_class 9"]),
        ({"source": {"name": "MNIST", "bundled": True}}, ["", " (source bundled)"]),
        ({"spread": "fixed"}, ["; spread per_flow", "; spread fixed"]),
    ],
)
def test_problems_that_differ_are_panels_that_say_in_what(scores_of, changes, titles):
    scores = scores_of(transfer(), transfer(id="higher", **changes), value=value)
    first, second = (f"MNIST to FashionMNIST{title}" for title in titles)
    curves = curves_of(TransferAccuracy().draw(scores, None))
    assert curves == {first: [pytest.approx([64, 64])], second: [pytest.approx([84, 84])]}


def test_methods_of_one_label_that_differ_are_two_curves(scores_of):
    slow = [{"name": "mmdsw", "steps": 9}]
    scores = scores_of(transfer(), transfer(id="higher", methods=slow), value=value)
    figure = TransferAccuracy().draw(scores, None)
    (curves,) = curves_of(figure).values()
    assert curves == [pytest.approx([64, 64]), pytest.approx([84, 84])]
    (legend,) = figure.legends
    names = [text.get_text() for text in legend.get_texts()]
    assert names == ["mmdsw (steps 5000)", "mmdsw (steps 9)", "published"]
    lines = [container.lines[0] for container in figure.axes[0].containers]
    assert lines[0].get_color() == lines[1].get_color()
    assert lines[0].get_linestyle() != lines[1].get_linestyle()


def test_a_curve_goes_on_through_experiments_that_differ_in_nothing(scores_of):
    scores = scores_of(transfer(shots=[1]), transfer(id="more", shots=[10]), value=value)
    (curves,) = curves_of(TransferAccuracy().draw(scores, None)).values()
    assert curves == [pytest.approx([64, 64])]


def test_error_bars_are_of_flows_and_a_single_flow_has_none(scores_of):
    scores = scores_of(transfer(), transfer(id="one", source="KMNIST", flows=1), value=value)
    bars = bars_of(TransferAccuracy().draw(scores, None))
    # Means of flows 66 and 62: an error of 2, where the trainings' deviation is 3.3.
    assert bars["MNIST to FashionMNIST"] == [pytest.approx([62, 66])] * 2
    assert bars["KMNIST to FashionMNIST"] == []


def test_methods_stand_at_their_own_k_and_published_means_beside_them(scores_of):
    methods = ["train_on_target", "mmdsw", "otdd", "mmd_product"]
    scores = scores_of(transfer(shots=[10, 11], methods=methods), value=value)
    (axis,) = TransferAccuracy().draw(scores, None).axes
    places = [container.lines[0].get_xdata() for container in axis.containers]
    assert max(x[0] for x in places) < min(x[1] for x in places)
    crosses = {
        line.get_xdata()[0]: line.get_ydata()[0] for line in axis.lines if line.get_marker() == "x"
    }
    # Table 2 of the paper, k = 10.
    assert [crosses[x[0]] for x in places] == pytest.approx([53.9, 65.4, 64.0, 66.2])


def test_a_single_k_has_points_side_by_side_and_no_lines(scores_of):
    methods = ["train_on_target", "mmdsw", "otdd", "mmd_product"]
    scores = scores_of(transfer(shots=[5], methods=methods), value=value)
    figure = TransferAccuracy().draw(scores, None)
    (axis,) = figure.axes
    assert [tick.get_text() for tick in axis.get_xticklabels()] == ["5"]
    points = [container.lines[0] for container in axis.containers]
    assert {point.get_linestyle() for point in points} == {"None"}
    places = np.log([point.get_xdata()[0] for point in points])
    low, high = np.log(axis.get_xlim())
    # They share the panel evenly.
    assert np.diff(places) == pytest.approx((high - low) / 5)
    (legend,) = figure.legends
    assert {line.get_linestyle() for line in legend.get_lines()} == {"None"}


def test_extrapolated_run_times_have_open_markers(scores_of):
    slow = {"name": "otdd", "steps": 1000}
    scores = scores_of(transfer(shots=[5], methods=["mmdsw", slow]))
    figure = TransferRuntime().draw(scores, None)
    (axis,) = figure.axes
    faces = [container.lines[0].get_markerfacecolor() for container in axis.containers]
    assert [face == "white" for face in faces] == [False, True]
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["mmdsw", "otdd", "open: extrapolated"]


def test_a_run_in_which_all_diverged_has_no_figure(scores_of):
    scores = scores_of(transfer(), status=lambda axes: ("diverged", "step 3"))
    assert TransferAccuracy().draw(scores, None) is None
    assert TransferRuntime().draw(scores, None) is None


def test_run_times_are_drawn_by_problem_with_errors_of_flows(scores_of):
    scores = scores_of(
        transfer(shots=[5]), transfer(id="other", source="KMNIST", shots=[5], flows=1)
    )
    seconds = (scores.metric == "seconds_per_step") & (scores.flow_seed == 1)
    scores.loc[seconds, "value"] = 0.03
    figure = TransferRuntime().draw(scores, None)
    # 50 and 150 seconds, and 50 alone.
    assert curves_of(figure) == {
        "MNIST to FashionMNIST": [pytest.approx([100])],
        "KMNIST to FashionMNIST": [pytest.approx([50])],
    }
    assert bars_of(figure) == {
        "MNIST to FashionMNIST": [pytest.approx([50, 150])],
        "KMNIST to FashionMNIST": [],
    }


def test_losses_have_a_row_of_panels_for_each_problem(tmp_path):
    experiments = [
        transfer(shots=[1, 5]),
        transfer(id="others", shots=[5], methods=["otdd"]),
        transfer(id="few", shots=[5], images_per_class=9),
    ]
    rings = {"task": "rings", "methods": ["exact_wow"], "snapshots": []}
    plan = Plan.load({"name": "test", "experiments": [*experiments, rings]})
    plan.root = tmp_path
    for name, job in plan.jobs["flow"].items():
        if job.spec["axes"]["task"] == "rings":  # which has a figure of its own
            continue
        none = Frame(torch.empty(0, 1, 2, 2), torch.empty(0).long())
        trajectory = Trajectory({6: none}, torch.ones(6))
        write_flow(tmp_path / "flows" / f"{name}.safetensors", trajectory, job.spec)
    figure = LossCurves().draw(None, plan)
    lines = {title: len(axis.lines) for title, axis in panels_of(figure).items()}
    assert lines == {
        "MNIST to FashionMNIST; images_per_class 200; k = 1": 2,
        "MNIST to FashionMNIST; images_per_class 200; k = 5": 4,
        "MNIST to FashionMNIST; images_per_class 9; k = 5": 2,
    }


@pytest.mark.parametrize("length", [8, 40])
@pytest.mark.parametrize("count", [3, 30])
def test_a_legend_leaves_panels_their_room(length, count):
    """Matplotlib warns where it finds no room for them, and a warning fails the test."""
    figure, panels = panel_grid(["one problem"])
    draw_legend(figure, method_styles([f"{i:0{length}}" for i in range(count)]))
    figure.canvas.draw()
    (axis,), (legend,) = panels.values(), figure.legends
    assert not axis.get_tightbbox().overlaps(legend.get_window_extent())
    assert axis.bbox.width / figure.dpi > 2.5
    assert axis.bbox.height / figure.dpi > 2
