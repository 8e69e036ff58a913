"""The illustration of transfer: what is trained on, accuracies along the way, table and figure."""

from types import SimpleNamespace

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pandas as pd
import pytest
import torch

from wowbench.errors import InputError
from wowbench.evaluation import training
from wowbench.evaluators.base import Evidence
from wowbench.evaluators.few_shot import FewShot
from wowbench.evaluators.few_shot_by_epoch import FewShotByEpoch, rescaled
from wowbench.figures.illustration_accuracy import IllustrationAccuracy as AccuracyFigure
from wowbench.jobs.drawn import Drawn
from wowbench.methods.trajectory import Frame, Trajectory
from wowbench.plan import Plan
from wowbench.results.tables.illustration_accuracy import IllustrationAccuracy

SHAPE = (1, 28, 28)
GENERATOR = torch.Generator().manual_seed(0)
FLOW = {"name": "mmdsw", "steps": 2500}


def images(*shape, low=0.0, high=1.0):
    return low + (high - low) * torch.rand(*shape, *SHAPE, generator=GENERATOR)


@pytest.fixture
def evidence():
    target = (255 * images(3, 2)).to(torch.uint8)
    frames = {
        1: Frame(images(6), torch.tensor([2, 2, 2, 1, 1, 1])),
        9: Frame(images(6, low=-0.5, high=1.5), torch.tensor([0, 0, 1, 1, 2, 2])),
    }
    test = SimpleNamespace(
        particles=(255 * images(30)).to(torch.uint8).numpy(), labels=(torch.arange(30) % 3).numpy()
    )
    drawn = Drawn(source=target, target=target, classes=("a", "b", "c"))
    return Evidence(drawn, Trajectory(frames, torch.zeros(9)), test)


def evaluator(**changes):
    values = {"training": {"epochs": 3}, "epochs": [1, 3], "images": "clipped"}
    return FewShotByEpoch(**(values | changes))


def trained_on(evidence, monkeypatch, **changes):
    """Images and labels that an evaluator trains on."""
    given = []

    def train(images, labels, **options):
        given.append((images, labels))
        raise ArithmeticError

    monkeypatch.setattr(training, "train_classifiers", train)
    with pytest.raises(ArithmeticError):
        evaluator(**changes).score(evidence, [0], "cpu")
    return given[0]


def test_images_are_rescaled_one_by_one():
    two = torch.tensor([[[[-1.0, 0.0, 3.0]]], [[[2.0, 2.5, 3.0]]]])
    assert rescaled(two).flatten().tolist() == [0.0, 0.25, 1.0, 0.0, 0.5, 1.0]
    assert rescaled(torch.full((1, 1, 2, 2), 7.0)).eq(0).all()
    assert rescaled(two[:0]).shape == (0, 1, 1, 3)


@pytest.mark.parametrize("way", ["none", "clipped", "rescaled", "trajectory"])
def test_what_is_trained_on(evidence, monkeypatch, way):
    found, labels = trained_on(evidence, monkeypatch, images=way)
    target = evidence.drawn.target.flatten(0, 1).float() / 255
    first, last = (frame.particles for frame in evidence.trajectory.frames.values())
    flowed = {
        "none": last[:0],
        "clipped": last.clamp(0, 1),
        "rescaled": torch.stack([(x - x.min()) / (x.max() - x.min()) for x in last]),
        "trajectory": torch.cat([first, last.clamp(0, 1)]),
    }[way]
    assert found.equal(torch.cat([target, flowed]))
    # The labels of a trajectory are those of its end.
    ends = [0, 0, 1, 1, 2, 2] * (len(flowed) // 6)
    assert labels.tolist() == [0, 0, 1, 1, 2, 2, *ends]


def test_accuracies_along_the_way_are_those_of_shorter_trainings(evidence):
    rows = evaluator().score(evidence, [0, 1], "cpu")
    assert [(row["epoch"], row["training_seed"]) for row in rows] == [
        (1, 0),
        (1, 1),
        (3, 0),
        (3, 1),
    ]
    assert {row["metric"] for row in rows} == {"accuracy_at_epoch"}
    clipped = Evidence(
        evidence.drawn, evidence.trajectory.mapped(lambda x: x.clamp(0, 1)), evidence.test
    )
    for epochs in (1, 3):
        shorter = FewShot(training={"epochs": epochs}).score(clipped, [0, 1], "cpu")
        found = [row["value"] for row in rows if row["epoch"] == epochs]
        assert found == [row["value"] for row in shorter]


def illustration(**changes):
    experiment = {"task": "transfer_illustration", "source": "MNIST", "targets": ["FashionMNIST"]}
    return experiment | {"flows": 1, "methods": ["train_on_target", FLOW]} | changes


def plan(**changes):
    return Plan.load({"name": "test", "experiments": [illustration(**changes)]})


def test_draws_are_those_of_transfer():
    transfer = {"task": "transfer", "source": "MNIST", "targets": ["FashionMNIST"], "shots": [5]}
    transfer |= {"flows": 1, "methods": [FLOW]}
    both = Plan.load({"name": "test", "experiments": [transfer, illustration()]}).jobs["draw"]
    first, second = (dict(job.spec, axes=None, minimum_size=None) for job in both.values())
    assert first == second


def test_a_flow_is_neither_clipped_nor_trained_on_in_one_way_alone():
    jobs = plan().jobs
    alone, flowed = sorted(jobs["evaluate"].values(), key=lambda job: len(job.columns))
    assert [columns["protocol"] for columns in alone.columns] == ["none"]
    assert [c["protocol"] for c in flowed.columns] == ["clipped", "rescaled", "trajectory"]
    assert {job.spec["problem"].get("clip", False) for job in jobs["flow"].values()} == {False}
    assert {len(job.spec["snapshots"]) for job in jobs["flow"].values()} == {10}


def test_the_published_settings_are_the_defaults():
    departures = {
        columns["departures"] for job in plan().jobs["evaluate"].values() for columns in job.columns
    }
    assert departures == {""}
    jobs = plan(methods=[{"name": "mmdsw"}]).jobs["evaluate"]
    assert next(iter(jobs.values())).columns[0]["departures"] == "steps 5000, not 2500"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": [5, 51]}, "epochs has 51, and the training has 50 epochs"),
        ({"epochs": [5, 5]}, r"epochs are \[5, 5\]; expected different ones"),
        ({"images": ["clipped", "clipped"]}, "expected different ones"),
        ({"snapshots": [2501]}, "snapshots has 2501, and method 'mmdsw' takes 2500 steps"),
    ],
)
def test_what_cannot_be_asked_for(changes, message):
    with pytest.raises(InputError, match=message):
        plan(**changes)


@pytest.fixture
def scores(scores_of):
    """Accuracies of 5 and 50 epochs, from the protocol, the training and the flow."""
    base = {"none": 0.1, "clipped": 0.5, "rescaled": 0.4, "trajectory": 0.6}

    def value(row):
        return base[row["protocol"]] + 0.01 * row["training_seed"] + 0.1 * row["flow_seed"]

    gathered = scores_of(illustration(flows=2, trainings=3), value=value)
    rows = gathered[gathered.metric == "accuracy"].assign(metric="accuracy_at_epoch")
    later = rows.assign(epoch=50, value=rows.value + 0.1)
    both = pd.concat([rows.assign(epoch=5), later], ignore_index=True)
    return both.astype({"epoch": "Int64"})


def test_means_spreads_and_published_values(scores):
    table = IllustrationAccuracy().make(scores).set_index(["images", "epoch"])
    assert len(table) == 8
    row = table.loc[("flowed and clipped", 50)]
    # Flows of means 0.61 and 0.71; trainings 0.01 apart on each.
    assert row["mean"] == pytest.approx(0.66)
    assert row.std_of_trainings == pytest.approx(0.01 * (2 / 3) ** 0.5)
    assert (row.flows, row.trainings) == (2, 3)
    assert (row.published_mean, row.published_std) == pytest.approx((0.5794, 0.0063))
    assert table.published_mean.notna().all()


def test_other_problems_have_no_published_values(scores):
    table = IllustrationAccuracy().make(scores.assign(k=10))
    assert table.published_mean.isna().all()


def test_the_table_for_people(scores):
    readable = IllustrationAccuracy().readable(IllustrationAccuracy().make(scores))
    row = readable[(readable["trained on"] == "flowed and rescaled") & (readable.epochs == 50)]
    (row,) = row.to_dict("records")
    assert row["accuracy (%)"] == "56.0 ± 0.8"
    assert row["published (%)"] == "56.8 ± 0.6"
    assert row["flows x trainings"] == "2 x 3"


def test_the_figure_has_a_curve_for_what_is_trained_on(scores):
    figure = AccuracyFigure().draw(scores, None)
    (axis,) = figure.axes
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels[:2] == ["target alone", "flowed and clipped"]
    assert labels[-1] == "published"
    crosses = [line for line in axis.lines if line.get_marker() == "x"]
    drawn = {round(float(y), 2) for line in crosses for y in line.get_ydata() if y == y}
    assert drawn == {10.36, 41.58, 47.44, 57.94, 46.16, 56.75, 58.98, 56.96}
    assert [tick.get_text() for tick in axis.get_xticklabels()] == ["5", "50"]
    plt.close(figure)


def test_a_run_without_results_has_no_figure(scores):
    assert AccuracyFigure().draw(scores.assign(value=float("nan")), None) is None
