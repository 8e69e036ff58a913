"""The table and the figures of distillation, from scores made up for it."""

from types import SimpleNamespace

import matplotlib

matplotlib.use("Agg")

import numpy as np
import pandas as pd
import pytest
import torch

from wowbench.figures import distillation_accuracy as accuracy_figure
from wowbench.figures import distillation_images as images_figure
from wowbench.figures import distillation_steps as steps_figure
from wowbench.figures import write_figure
from wowbench.jobs.files import Flowed, write_flowed
from wowbench.results.tables import distillation_accuracy, write_table

VALUES = [0.64, 0.68, 0.60, 0.64]
NO_SEED = {"training_seed": pd.NA}


def rows(method, k, *, values=VALUES, dataset="MNIST", protocol="paper", scenario=None, **columns):
    shared = {"task": "distillation", "source": dataset, "target": dataset, "bundled": False}
    shared |= {"spread": "per_flow", "status": "ok", "metric": "accuracy", "method": method}
    shared |= {"k": k, "protocol": protocol, "device": "cpu", **columns}
    if scenario is not None:
        shared |= dict(zip(("algorithm", "augmentation", "embedding"), scenario, strict=True))
    return [
        {**shared, "flow_seed": i // 2, "training_seed": i % 2, "value": value}
        for i, value in enumerate(values)
    ]


def frame(*groups):
    return pd.DataFrame([row for group in groups for row in group])


@pytest.fixture
def scores():
    return frame(
        rows("mmdsw", 1, scenario=("mmdsw", "no", "no")),
        rows("both", 1, scenario=("mmdsw", "yes", "yes")),
        rows("mmdsw", 10, scenario=("mmdsw", "no", "no")),
        rows("random", 10),
        rows("full_data", 0, values=[0.99]),
    )


def test_published_values_stand_beside_the_same_scenario(scores):
    table = distillation_accuracy.make(scores).set_index(["method", "k"])
    # Table 1 of the paper, MNIST: 66.5 +- 5.5, with both 60.3 +- 3.4; random at 10: 92.2 +- 1.1.
    assert table.published_mean["mmdsw", 1] == pytest.approx(0.665)
    assert table.published_std["mmdsw", 1] == pytest.approx(0.055)
    assert table.published_mean["both", 1] == pytest.approx(0.603)
    assert table.published_mean["random", 10] == pytest.approx(0.922)
    assert table["mean"]["mmdsw", 1] == pytest.approx(0.64)
    error = (np.var(VALUES, ddof=1) / 4 + 0.055**2 / 15) ** 0.5
    assert table.difference_se["mmdsw", 1] == pytest.approx((0.64 - 0.665) / error)


def test_the_whole_training_set_comes_last_without_a_spread(scores):
    readable = distillation_accuracy.readable(distillation_accuracy.make(scores))
    last = readable.iloc[-1]
    assert readable["images per class"].tolist() == ["1", "1", "10", "10", "all"]
    assert (last["accuracy (%)"], last["published, second-hand (%)"]) == ("99.0", "99.4")
    assert (last.augmentation, last.embedding) == ("no", "no")


def test_protocols_are_apart_and_only_the_papers_has_published_values():
    scores = frame(rows("random", 1), rows("random", 1, protocol="dm", values=[0.5, 0.7]))
    table = distillation_accuracy.make(scores)
    by_protocol = table.set_index("protocol")
    assert by_protocol["mean"].to_dict() == pytest.approx({"paper": 0.64, "dm": 0.6})
    assert by_protocol.published_mean.notna().to_dict() == {"paper": True, "dm": False}
    assert distillation_accuracy.readable(table).protocol.tolist() == ["paper", "dm"]


def diverged(method, k, flow_seed):
    """The row of a flow that diverged, as aggregation makes it."""
    (row,) = rows(method, k, values=[np.nan])
    del row["protocol"]
    return [row | {"metric": "evaluate", "status": "diverged", "flow_seed": flow_seed} | NO_SEED]


def test_a_diverged_flow_is_counted():
    (row,) = distillation_accuracy.make(frame(rows("dm", 1), diverged("dm", 1, 5))).itertuples()
    assert (row.flows, row.diverged) == (2, 1)
    assert row.mean == pytest.approx(0.64)


def test_a_run_in_which_all_diverged_has_a_table_and_no_figures(tmp_path):
    scores = frame(diverged("dm", 1, 0))
    write_table("distillation_accuracy", scores, tmp_path / "table.csv")
    assert "0 x 0 (1 diverged)" in (tmp_path / "table.md").read_text()
    assert accuracy_figure.draw(scores, None) is None
    assert steps_figure.draw(scores, None) is None


def test_the_accuracy_figure_has_a_panel_a_dataset(scores):
    scores = pd.concat([scores, frame(rows("mmdsw", 10, dataset="FashionMNIST"))])
    figure = accuracy_figure.draw(scores, None)
    panels = {axis.get_title(): axis for axis in figure.axes}
    assert set(panels) == {"MNIST", "FashionMNIST"}
    heights = [line.get_ydata() for line in panels["MNIST"].lines]
    assert any(np.allclose(y, [99, 99]) for y in heights)  # the whole training set
    assert any(len(y) == 1 and np.allclose(y, 60.3) for y in heights)  # published, with both


def test_the_steps_figure_goes_through_the_means():
    curves = [
        rows("dm", 1, metric="accuracy_at_step", step=step, values=[value, value + 0.02])
        for step, value in ((0, 0.4), (100, 0.6), (2000, 0.5))
    ]
    figure = steps_figure.draw(frame(rows("dm", 1), *curves), None)
    (axis,) = figure.axes
    means = [line.get_ydata() for line in axis.lines]
    assert any(np.allclose(y, [41, 61, 51]) for y in means if len(y) == 3)
    assert axis.get_xlim()[0] < 0


def test_the_steps_figure_begins_at_the_first_snapshot():
    curves = [rows("dm", 1, metric="accuracy_at_step", step=step) for step in (500, 2000)]
    (axis,) = steps_figure.draw(frame(rows("dm", 1), *curves), None).axes
    assert 100 < axis.get_xlim()[0] < 500


class FakePlan(SimpleNamespace):
    def path(self, folder, name):
        return str(self.root / folder / name)


@pytest.fixture
def plan(tmp_path):
    """A run of two methods at three numbers of images; image j of class c has level c + j / 10."""
    jobs = {}
    for k in (1, 2, 3):
        for method in ("random", "dm"):
            name = f"p{k}/{method}"
            labels = torch.arange(2).repeat_interleave(k)
            levels = labels + torch.arange(2 * k) % k / 10
            images = levels[:, None, None, None].expand(-1, 1, 4, 5).float()
            if (k, method) == (3, "dm"):
                images, labels = images[:0], labels[:0]  # diverged
            flowed = Flowed(images, labels, torch.ones(6), 2 * k)
            axes = {"task": "distillation", "target": "mine", "method": method, "k": k}
            axes |= {"source": "mine", "experiment": "distillation", "flow_seed": 0}
            jobs[name] = SimpleNamespace(spec={"axes": axes})
            write_flowed(tmp_path / "flows" / f"{name}.safetensors", flowed, jobs[name].spec)
    return FakePlan(root=tmp_path, jobs={"flow": jobs})


def test_pictures_have_a_column_a_class_at_the_least_and_most_images(plan):
    figure = images_figure.draw(None, plan)
    pictures = {axis.get_title(): axis.images[0].get_array() for axis in figure.axes if axis.images}
    assert set(pictures) == {
        "random\nmine, 1 per class",
        "dm\nmine, 1 per class",
        "random\nmine, 3 per class",
    }
    picture = pictures["random\nmine, 3 per class"]
    assert picture.shape == (3 * 4, 2 * 5)
    # Levels above 1 are clipped to it.
    np.testing.assert_allclose(picture[::4, ::5], [[0, 1], [0.1, 1], [0.2, 1]], atol=1e-6)


@pytest.mark.parametrize("name", ["distillation_images", "loss_curves"])
def test_figures_of_a_run_are_written(plan, tmp_path, name):
    write_figure(name, pd.DataFrame(), plan, tmp_path / f"{name}.png")
    assert (tmp_path / f"{name}.png").stat().st_size > 1000
    assert (tmp_path / f"{name}.pdf").exists()
