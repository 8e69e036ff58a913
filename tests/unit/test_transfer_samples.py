"""The picture of a flow's images, from images made up for it."""

from types import SimpleNamespace

import matplotlib

matplotlib.use("Agg")

import numpy as np
import pytest
import torch

from wowbench.figures.transfer_samples import TransferSamples
from wowbench.jobs.drawn import Drawn, write_draw
from wowbench.jobs.flowed import read_flow, write_flow
from wowbench.methods.trajectory import Frame, Trajectory

SIZE = 4
SOURCE = torch.tensor([[10, 20], [30, 40]], dtype=torch.uint8)
TARGET = torch.tensor([[110, 120], [130, 140], [150, 160]], dtype=torch.uint8)
DRAW = {"axes": {}}
MOVED = torch.tensor([0.1, 0.2, 0.3, 0.4])


def squares(levels):
    return levels[..., None, None, None].expand(*levels.shape, 1, SIZE, SIZE).contiguous()


class FakePlan(SimpleNamespace):
    def path(self, folder, name):
        return str(self.root / folder / name)

    def inputs(self, verb, name):
        return {"draw": self.root / "draw.safetensors"}


@pytest.fixture
def plan(tmp_path):
    """A flow of 2 classes of 2 images onto 3 classes, that labels the images of a class apart."""
    write_draw(
        tmp_path / "draw.safetensors",
        Drawn(squares(SOURCE), squares(TARGET), classes=("a", "b", "c")),
        DRAW,
    )
    frame = Frame(squares(MOVED), torch.tensor([2, 0, 0, 2]))
    axes = {"task": "transfer", "source": "one", "target": "two", "method": "mine"}
    axes |= {"experiment": "transfer", "k": 2, "flow_seed": 0}
    columns = {"algorithm": "mine", "departures": ""}
    columns |= {"source.bundled": "True", "target.bundled": "False"}
    job = SimpleNamespace(spec={"axes": axes, "inputs": {"draw": DRAW}}, columns=(columns,))
    trajectory = Trajectory({1: frame}, torch.ones(1))
    write_flow(tmp_path / "flows" / "mine.safetensors", trajectory, job.spec)
    return FakePlan(root=tmp_path, jobs={"flow": {"mine": job}})


def test_each_image_stands_in_the_column_of_its_own_label(plan):
    (axis,) = TransferSamples().draw(None, plan).axes
    levels = 1 - axis.images[0].get_array()[::SIZE, ::SIZE, 0]  # dark on white
    rows = [label.get_text() for label in axis.get_yticklabels()]
    assert rows == ["source", "flowed 1", "flowed 2", "flowed 3", "target"]
    expected = [
        [20 / 255, 0, 10 / 255],
        [0.2, 0, 0.1],
        [0.3, 0, 0.4],
        [0, 0, 0],
        [110 / 255, 130 / 255, 150 / 255],
    ]
    np.testing.assert_allclose(levels, expected, atol=1e-6)


def test_grey_levels_mean_the_same_in_every_panel_and_are_clipped(plan):
    flow = plan.root / "flows" / "mine.safetensors"
    frame = Frame(squares(torch.tensor([0.1, 7.0, -3.0, 0.4])), torch.tensor([2, 0, 0, 2]))
    write_flow(flow, Trajectory({1: frame}, torch.ones(1)), plan.jobs["flow"]["mine"].spec)
    (axis,) = TransferSamples().draw(None, plan).axes
    levels = 1 - axis.images[0].get_array()[::SIZE, ::SIZE]
    assert levels[1:4].max(-1).tolist()[0] == pytest.approx([1, 0, 0.1])
    assert levels[2, 0, 0] == 0
    assert levels[4, 2, 0] == pytest.approx(150 / 255)


def test_its_title_names_the_bundled_side_and_its_columns_the_classes(plan):
    (axis,) = TransferSamples().draw(None, plan).axes
    assert axis.get_title() == "one to two (source bundled), mine, k = 2"
    assert [label.get_text() for label in axis.get_xticklabels()] == ["a", "b", "c"]


def test_problems_of_the_same_names_have_a_panel_each_of_the_largest_k(plan):
    job = plan.jobs["flow"]["mine"]
    for number, changes in enumerate([{"k": 1}, {"experiment": "other"}]):
        columns = dict(job.columns[0])
        if "experiment" in changes:
            columns["task.images_per_class"] = "9"
        axes = job.spec["axes"] | changes
        other = SimpleNamespace(spec=job.spec | {"axes": axes}, columns=(columns,))
        plan.jobs["flow"][f"other{number}"] = other
        mine, _ = read_flow(plan.root / "flows" / "mine.safetensors")
        write_flow(plan.root / "flows" / f"other{number}.safetensors", mine, other.spec)
    titles = [axis.get_title() for axis in TransferSamples().draw(None, plan).axes]
    assert titles == [
        "one to two (source bundled); images_per_class none, mine, k = 2",
        "one to two (source bundled); images_per_class 9, mine, k = 2",
    ]


def test_a_run_that_moved_nothing_has_no_picture(plan):
    plan.jobs["flow"].clear()
    assert TransferSamples().draw(None, plan) is None
