"""The table and the figures of distillation, from scores made up for it."""

from types import SimpleNamespace

import matplotlib

matplotlib.use("Agg")

import numpy as np
import pandas as pd
import pytest
import torch

from wowbench.figures.distillation_accuracy import DistillationAccuracy as AccuracyFigure
from wowbench.figures.distillation_images import DistillationImages
from wowbench.figures.distillation_steps import DistillationSteps
from wowbench.figures.loss_curves import LossCurves
from wowbench.jobs.flowed import write_flow
from wowbench.methods.trajectory import Frame, Trajectory
from wowbench.plan import Plan
from wowbench.results import draws
from wowbench.results.tables.distillation_accuracy import DistillationAccuracy
from wowbench.results.tables.distillation_architectures import DistillationArchitectures
from wowbench.results.tables.distillation_ranking import DistillationRanking, label_robust_score

BOTH = {"name": "mmdsw", "id": "both", "augmentation": True, "embedding": True}
VALUES = np.array([[0.64, 0.68], [0.60, 0.64]])


def distillation(**changes):
    experiment = {"task": "distillation", "datasets": ["MNIST"], "images_per_class": [1, 10]}
    experiment |= {"flows": 2, "trainings": 2, "methods": ["random"]}
    return experiment | changes


def value(row):
    if row["algorithm"] == "full_data":
        return 0.99
    return VALUES[row["flow_seed"], row["training_seed"]]


@pytest.fixture
def scores(scores_of):
    plain = {"name": "mmdsw", "steps": 20000}
    methods = [plain, {**BOTH, "steps": 20000}, "random", "full_data"]
    return scores_of(distillation(methods=methods), value=value)


def test_published_values_stand_beside_the_same_scenario(scores, monkeypatch):
    monkeypatch.setattr(draws, "ENOUGH", 2)
    table = DistillationAccuracy().make(scores).set_index(["method", "k"])
    # Table 1 of the paper, MNIST: 66.5 ± 5.5, with both 60.3 ± 3.4; random at 10: 92.2 ± 1.1.
    assert table.published_mean["mmdsw", 1] == pytest.approx(0.665)
    assert table.published_std["mmdsw", 1] == pytest.approx(0.055)
    assert table.published_mean["both", 1] == pytest.approx(0.603)
    assert table.published_mean["random", 10] == pytest.approx(0.922)
    assert table["mean"]["mmdsw", 1] == pytest.approx(0.64)
    assert table.difference_se["mmdsw", 1] < 0


def test_the_whole_training_set_comes_last_without_a_score(scores, monkeypatch):
    monkeypatch.setattr(draws, "ENOUGH", 2)
    readable = DistillationAccuracy().readable(DistillationAccuracy().make(scores))
    last = readable.iloc[-1]
    counts = readable["images per class"].tolist()
    assert counts == [*["1"] * 3, *["10"] * 3, "all"]
    assert (last["published, second-hand (%)"], last["difference / s.e."]) == ("99.4", "")
    assert (last.augmentation, last.embedding) == ("no", "no")


def test_protocols_are_apart_and_only_the_papers_has_published_values(scores_of):
    shift = {"paper": 0.0, "dm": -0.04}
    scores = scores_of(
        distillation(protocols=["paper", "dm"], images_per_class=[1]),
        value=lambda row: value(row) + shift[row["protocol"]],
    )
    table = DistillationAccuracy().make(scores)
    by_protocol = table.set_index("protocol")
    assert by_protocol["mean"].to_dict() == pytest.approx({"paper": 0.64, "dm": 0.6})
    assert by_protocol.published_mean.notna().to_dict() == {"paper": True, "dm": False}
    assert DistillationAccuracy().readable(table).protocol.tolist() == ["paper", "dm"]


NETWORKS = ["paper", *({"name": "paper", "network": n} for n in ("mlp", "resnet18"))]


def test_networks_stand_side_by_side_for_each_set_and_protocol(scores_of):
    shift = {"convnet": 0.0, "mlp": -0.2, "resnet18": 0.1}
    scores = scores_of(
        distillation(methods=["random", "full_data"], protocols=[*NETWORKS, "dm"]),
        value=lambda row: value(row) + shift[row["protocol.network"]] * (row["k"] > 0),
    )
    made = DistillationArchitectures().make(scores)
    table = made.set_index(["k", "protocol"])
    assert table.index.tolist() == [
        *((k, protocol) for k in (1, 10, 0) for protocol in ("paper", "dm"))
    ]
    means = ["convnet_mean", "mlp_mean", "resnet18_mean"]
    assert table.loc[(1, "paper"), means].tolist() == pytest.approx([0.64, 0.44, 0.74])
    assert table.loc[(0, "paper"), means].tolist() == pytest.approx([0.99] * 3)
    # Means of flows 66 and 62.
    assert table.mlp_error[1, "paper"] == pytest.approx(0.02)
    assert table.mlp_mean.isna().tolist() == [False, True] * 3
    readable = DistillationArchitectures().readable(made).iloc[:2]
    assert list(readable["resnet18 (%)"]) == ["74.0 ± 3.3", ""]
    assert list(readable["flows x trainings"]) == ["2 x 2"] * 2


ACCURACY = {"random": [0.5, 0.54], "dm": [0.6, 0.7], "mmdsw": [0.58, 0.6], "full_data": [0.9, 0.8]}


def ranked(row):
    """Accuracies by method and flow, which differ by 0.01 about them between two trainings."""
    return ACCURACY[row["algorithm"]][row["flow_seed"]] + 0.01 * (row["training_seed"] - 0.5)


def test_scores_of_dd_ranking_are_those_of_their_definitions(scores_of):
    methods = ["random", "mmdsw", "dm", "full_data"]
    scores = scores_of(distillation(methods=methods, images_per_class=[10]), value=ranked)
    made = DistillationRanking().make(scores)
    assert made.algorithm.tolist() == ["dm", "mmdsw"]  # the best first
    dm = made.iloc[0]
    # Against random on the same draw 10 and 16 points, against 85 of all data 25 and 15.
    assert (dm.ior, dm.hlr) == pytest.approx((0.13, 0.20))
    assert (dm.ior_error, dm.hlr_error) == pytest.approx((0.03, 0.05))
    span = np.e - 1 / np.e
    first, second = (
        (np.exp((ior - hlr) / 2) - 1 / np.e) / span for ior, hlr in ((0.10, 0.25), (0.16, 0.15))
    )
    assert dm.lrs == pytest.approx((first + second) / 2)
    assert (dm.random, dm.full_data, dm.accuracy) == pytest.approx((0.52, 0.85, 0.65))
    readable = DistillationRanking().readable(made).iloc[0]
    assert (readable.IOR, readable.HLR) == ("+13.0 (3.0)", "+20.0 (5.0)")
    assert readable.draws == 2


def test_the_label_robust_score_goes_from_0_to_1():
    ior, hlr = pd.Series([1.0, -1.0, 0.0]), pd.Series([-1.0, 1.0, 0.0])
    found = label_robust_score(ior, hlr).tolist()
    assert found == pytest.approx([1, 0, (1 - np.exp(-1)) / (np.e - np.exp(-1))])
    assert label_robust_score(ior, hlr * 0, weight=1.0).tolist() == pytest.approx(found)


@pytest.mark.parametrize(
    ("references", "filled"),
    [
        ([], {"IOR": False, "HLR": False, "LRS": False}),
        (["random"], {"IOR": True, "HLR": False, "LRS": False}),
        (["full_data"], {"IOR": False, "HLR": True, "LRS": False}),
        (["random", "full_data"], {"IOR": True, "HLR": True, "LRS": True}),
    ],
)
def test_a_score_that_lacks_a_reference_is_empty(scores_of, references, filled):
    experiment = distillation(methods=["dm", *references], images_per_class=[1], flows=1)
    table = DistillationRanking().make(scores_of(experiment, value=ranked))
    (row,) = DistillationRanking().readable(table).to_dict("records")
    assert {name: bool(row[name]) for name in filled} == filled
    assert "(" not in row["IOR"]  # one draw has no error


def test_references_are_of_the_same_protocol_network_and_number_of_images(scores_of):
    shift = {"convnet": 0.0, "mlp": -0.1}
    scores = scores_of(
        distillation(methods=["dm"], protocols=NETWORKS[:2], flows=1),
        distillation(id="others", protocols=NETWORKS[:2], images_per_class=[10], flows=1),
        distillation(id="whole", methods=["full_data"], protocols=["paper"], flows=1),
        value=lambda row: ranked(row) + shift[row["protocol.network"]] * (row["k"] > 1),
    )
    table = DistillationRanking().make(scores).set_index(["k", "protocol"])
    assert table.random.to_dict() == pytest.approx(
        {
            (1, "paper"): np.nan,
            (1, "paper (mlp)"): np.nan,
            (10, "paper"): 0.5,
            (10, "paper (mlp)"): 0.4,
        },
        nan_ok=True,
    )
    assert table.full_data[:, "paper"].tolist() == pytest.approx([0.9, 0.9])
    assert table.full_data[:, "paper (mlp)"].isna().all()


def test_another_network_has_no_published_value(scores_of):
    scores = scores_of(distillation(protocols=NETWORKS, images_per_class=[1]), value=value)
    table = DistillationAccuracy().make(scores).set_index("protocol")
    assert table.published_mean.notna().to_dict() == {
        "paper": True,
        "paper (mlp)": False,
        "paper (resnet18)": False,
    }
    assert table.departures["paper (mlp)"] == "network mlp, not convnet"


def test_a_run_in_which_all_diverged_has_a_table_and_no_figures(scores_of, tmp_path):
    experiment = distillation(methods=["dm"], images_per_class=[1])
    scores = scores_of(experiment, status=lambda axes: ("diverged", "step 3"))
    DistillationAccuracy().write(scores, tmp_path / "table.csv")
    assert "0 x 0 (2 diverged)" in (tmp_path / "table.md").read_text()
    architectures = DistillationArchitectures()
    (row,) = architectures.readable(architectures.make(scores)).to_dict("records")
    assert (row["convnet (%)"], row["flows x trainings"]) == ("", "0 x 0 (2 diverged)")
    DistillationRanking().write(scores, tmp_path / "ranking.csv")
    assert pd.read_csv(tmp_path / "ranking.csv").empty
    assert AccuracyFigure().draw(scores, None) is None
    assert DistillationSteps().draw(scores, None) is None


def panels_of(figure):
    return {axis.get_title(): axis for axis in figure.axes if axis.get_title()}


def test_the_accuracy_figure_has_a_panel_for_each_problem_and_protocol(scores_of):
    scores = scores_of(
        distillation(methods=["random", "full_data"], protocols=["paper", "dm"]),
        distillation(id="other", datasets=["FashionMNIST"]),
        distillation(id="bundled", datasets=[{"name": "MNIST", "bundled": True}]),
        value=value,
    )
    panels = panels_of(AccuracyFigure().draw(scores, None))
    assert set(panels) == {
        "MNIST; protocol paper",
        "MNIST; protocol dm",
        "FashionMNIST; protocol paper",
        "MNIST (bundled); protocol paper",
    }
    heights = [line.get_ydata() for line in panels["MNIST; protocol paper"].lines]
    assert any(np.allclose(y, [99, 99]) for y in heights)  # the whole training set
    assert any(np.allclose(y, [55.8, 92.2]) for y in heights)  # published, at 1 and at 10


def with_steps(scores, accuracies):
    """Add to each accuracy one at each step, higher by the given numbers."""
    rows = scores[scores.metric == "accuracy"]
    curves = [
        rows.assign(metric="accuracy_at_step", step=step, value=rows.value + more)
        for step, more in accuracies.items()
    ]
    return pd.concat([scores.assign(step=pd.NA), *curves]).astype({"step": "Int64"})


def test_the_steps_figure_goes_through_the_means_with_errors_of_flows(scores_of):
    scores = scores_of(distillation(methods=["dm"], images_per_class=[1]), value=value)
    figure = DistillationSteps().draw(with_steps(scores, {0: 0.0, 100: 0.2, 2000: 0.1}), None)
    (axis,) = figure.axes
    (container,) = axis.containers
    assert container.lines[0].get_ydata().tolist() == pytest.approx([64, 84, 74])
    (bars,) = container.lines[2]
    # Means of flows 66 and 62: an error of 2.
    first = bars.get_segments()[0][:, 1]
    np.testing.assert_allclose(first, [62, 66])
    assert axis.get_xlim()[0] < 0


def test_the_steps_figure_begins_at_the_first_snapshot(scores_of):
    scores = scores_of(distillation(methods=["dm"], images_per_class=[1]), value=value)
    (axis,) = DistillationSteps().draw(with_steps(scores, {500: 0.0, 2000: 0.1}), None).axes
    assert 100 < axis.get_xlim()[0] < 500


class PlanIn(SimpleNamespace):
    """The flows of a plan, with their files in another folder."""

    def path(self, folder, name):
        return str(self.root / folder / name)

    def listing(self, path):
        return {job.spec["axes"]["experiment"] for job in self.jobs["flow"].values()}


@pytest.fixture
def plan(tmp_path):
    """A run of two methods at three numbers of images; image j of class c has level c + j / 10."""
    mine = {"name": "MNIST", "id": "mine", "bundled": True}
    sizes = {"target_images": 9, "batch_size": 1, "images_per_class": [1, 2, 3], "flows": 1}
    experiment = distillation(datasets=[mine], methods=["random", "dm"], **sizes)
    jobs = Plan.load({"name": "test", "experiments": [experiment]}).jobs
    for name, job in jobs["flow"].items():
        k, method = job.spec["axes"]["k"], job.spec["axes"]["method"]
        labels = torch.arange(2).repeat_interleave(k)
        levels = labels + torch.arange(2 * k) % k / 10
        images = levels[:, None, None, None].expand(-1, 1, 4, 5).float()
        trajectory = Trajectory({6: Frame(images, labels)}, torch.ones(6))
        if (k, method) == (3, "dm"):
            trajectory = Trajectory({}, torch.empty(0), status="diverged", message="at step 3")
        write_flow(tmp_path / "flows" / f"{name}.safetensors", trajectory, job.spec)
    return PlanIn(root=tmp_path, jobs=jobs)


def test_pictures_have_a_column_a_class_at_the_least_and_most_images(plan):
    figure = DistillationImages().draw(None, plan)
    pictures = {axis.get_title(): axis.images[0].get_array() for axis in figure.axes if axis.images}
    assert set(pictures) == {
        "random\nmine (bundled)\n1 per class",
        "dm\nmine (bundled)\n1 per class",
        "random\nmine (bundled)\n3 per class",
    }
    picture = pictures["random\nmine (bundled)\n3 per class"]
    assert picture.shape == (3 * 4, 2 * 5, 3)
    # Dark on white; levels above 1 are clipped to it.
    levels = [[1, 0], [0.9, 0], [0.8, 0]]
    np.testing.assert_allclose(picture[::4, ::5, 0], levels, atol=1e-6)
    axis = next(axis for axis in figure.axes if axis.images)
    assert [tick.get_text() for tick in axis.get_xticklabels()] == ["0", "1"]


@pytest.mark.parametrize("figure", [DistillationImages, LossCurves])
def test_figures_of_a_run_are_written(plan, tmp_path, figure):
    figure().write(pd.DataFrame(), tmp_path / "figure.png", plan)
    assert (tmp_path / "figure.png").stat().st_size > 1000
    assert (tmp_path / "figure.pdf").exists()
