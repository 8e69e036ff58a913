"""The table and the figure of adaptation, from scores made up for them."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from wowbench.figures.adaptation_accuracy import AdaptationAccuracy as AccuracyFigure
from wowbench.plan import Plan
from wowbench.results import scores as scores_module
from wowbench.results.records import Record
from wowbench.results.tables.adaptation_accuracy import AdaptationAccuracy

PAPERS = {"name": "mmdsw", "scheme": {"lr": 0.1}, "steps": 25001}
FAST = {"name": "mmdsw_fast", "scheme": {"lr": 0.1}, "steps": 25001}
PER_FLOW = np.array([-0.02, 0.0, 0.05])
TESTED = 0.93


def adaptation(**changes):
    experiment = {"task": "adaptation", "sources": ["FashionMNIST"], "target": "MNIST"}
    return experiment | {"flows": 3, "methods": [PAPERS]} | changes


def accuracy(step, flow):
    """Rises from 0.2 at the start to 0.85 after 25,001 steps, differently in each flow."""
    return 0.2 + 0.65 * step / 25001 + PER_FLOW[flow]


def measurements(job, steps):
    flow = job.spec["axes"]["flow_seed"]
    rows = [("accuracy_at_step", step, accuracy(step, flow)) for step in steps]
    rows += [("accuracy", None, accuracy(max(steps), flow)), ("test_accuracy", None, TESTED)]
    for metric, step, value in rows:
        beside = {} if step is None else {"step": step}
        yield {"metric": metric, "value": value, **beside}


@pytest.fixture
def made(monkeypatch):
    """Return a function that gives the scores of experiments, some of whose flows diverged."""

    def gather(*experiments, diverged=()):
        plan = Plan.load({"name": "made_up", "experiments": list(experiments)})
        records = {}
        for name, job in plan.jobs["evaluate"].items():
            flow = job.makers["flow"].name
            spec = plan.jobs["flow"][flow].spec
            end = spec["method"]["steps"]
            steps = [step for step in spec["snapshots"] if step < end] + [end]
            failed = job.spec["axes"]["flow_seed"] in diverged
            records["evaluate", name] = Record(
                job="evaluate",
                spec=job.spec,
                status="diverged" if failed else "ok",
                measurements=[] if failed else list(measurements(job, steps)),
                inputs={"draw": name.ljust(16, "0")},
                provenance={"device": "cpu", "commit": "0" * 40},
            )
        monkeypatch.setattr(scores_module, "read_run", lambda plan, *, partial=False: records)
        return scores_module.gather_scores(plan)

    return gather


def test_the_published_steps_that_are_measured_stand_beside_the_published_means(made):
    table = AdaptationAccuracy().make(made(adaptation())).set_index("step")
    assert list(table.index) == [1, 5001, 10001, 15001, 25001]
    # Figure 3, FashionMNIST: 87.74 after 10,001 steps with a spread of 0.06, 95.79 after 25,001.
    assert table.published_mean[10001] == pytest.approx(0.8774)
    assert table.published_error[10001] == pytest.approx(0.0006 * np.sqrt(3 / 2) / np.sqrt(3))
    assert table.published_mean[25001] == pytest.approx(0.9579)
    assert set(table.unlike_published) == {""}
    means = 0.2 + 0.65 * table.index.to_numpy() / 25001 + 0.01
    np.testing.assert_allclose(table["mean"], means)
    np.testing.assert_allclose(table.difference, means - table.published_mean)
    # The flows are apart by -0.03, -0.01 and 0.04 from their mean.
    error = np.sqrt((0.03**2 + 0.01**2 + 0.04**2) / 2 / 3)
    np.testing.assert_allclose(table.error, error)


def test_the_references_are_the_unflowed_source_and_the_test_set(made):
    table = AdaptationAccuracy().make(made(adaptation()))
    np.testing.assert_allclose(table.unflowed, 0.2 + PER_FLOW.mean())
    np.testing.assert_allclose(table.test_accuracy, TESTED)


def test_the_last_step_is_there_where_none_was_published_for_it(made):
    table = AdaptationAccuracy().make(made(adaptation(methods=[PAPERS | {"steps": 12000}])))
    assert list(table.step) == [1, 5001, 10001, 12000]
    assert list(table.published_mean.isna()) == [False, False, False, True]
    readable = AdaptationAccuracy().readable(table)
    assert readable.iloc[-1]["difference"] == ""
    assert readable.iloc[2]["published (%)"] == "87.7 ± 0.1"


@pytest.mark.parametrize(
    ("changes", "departures"),
    [
        ({"methods": [FAST]}, "n_directions 50, not 500; directions orthogonal, not gaussian"),
        ({"methods": ["mmdsw"], "snapshot_every": 100}, "scheme.lr 1.0, not 0.1"),
        ({"images_per_class": 100}, "images_per_class 100, not 500"),
        ({"classifier": {"steps": 7}}, "classifier.steps 7, not 5000"),
        ({"target": {"name": "MNIST", "bundled": True}}, "target bundled"),
    ],
)
def test_other_parameters_than_the_published_ones_are_named(made, changes, departures):
    table = AdaptationAccuracy().make(made(adaptation(**changes)))
    beside = table[table.published_mean.notna()]
    assert not beside.empty
    assert set(beside.unlike_published) == {departures}


def test_flows_to_cifar10_have_published_settings_of_their_own(made):
    colour = {"sources": ["SVHN"], "target": "CIFAR10", "images_per_class": 100, "units": "own"}
    colour |= {"classifier": {"network": "convnet"}}
    method = PAPERS | {"scheme": {"lr": 1.0}}
    table = AdaptationAccuracy().make(made(adaptation(**colour, methods=[method])))
    assert table.set_index("step").published_mean[25001] == pytest.approx(0.4165)
    assert set(table.unlike_published) == {""}
    table = AdaptationAccuracy().make(made(adaptation(**colour | {"units": "natural"})))
    assert set(table.unlike_published) == {"scheme.lr 0.1, not 1.0; units natural, not own"}


def test_a_level_without_steps_stands_beside_the_end_alone(made):
    methods = [{"name": "otdd", "steps": 5000}]
    table = AdaptationAccuracy().make(made(adaptation(methods=methods, snapshot_every=1000)))
    assert list(table.step) == [5000]
    assert table.published_mean.item() == pytest.approx(0.991)
    assert pd.isna(table.published_error.item())


def test_clusters_are_named_and_have_nothing_published(made):
    sources = ["FashionMNIST", {"name": "clustered", "of": "FashionMNIST"}]
    table = AdaptationAccuracy().make(made(adaptation(sources=sources)))
    readable = AdaptationAccuracy().readable(table)
    assert set(readable.datasets) == {"FashionMNIST to MNIST", "FashionMNIST-clusters to MNIST"}
    clusters = table[table.source == "FashionMNIST-clusters"]
    assert list(clusters.step) == [25001]
    assert clusters.published_mean.isna().all()


def test_flows_that_diverged_are_left_out_and_counted(made):
    table = AdaptationAccuracy().make(made(adaptation(), diverged=[1]))
    last = AdaptationAccuracy().readable(table).iloc[-1]
    assert last["flows"] == "2 (1 diverged)"
    assert last["accuracy (%)"] == "86.5 ± 7.0"
    table = AdaptationAccuracy().make(made(adaptation(), diverged=[0, 1, 2]))
    (row,) = AdaptationAccuracy().readable(table).itertuples(index=False)
    assert row == ("FashionMNIST to MNIST", "mmdsw", "0 (3 diverged)")


def test_a_single_flow_has_no_error(made):
    table = AdaptationAccuracy().make(made(adaptation(flows=1)))
    assert table.error.isna().all()
    assert AdaptationAccuracy().readable(table)["accuracy (%)"].iloc[-1] == "83.0"


@pytest.fixture
def draw():
    def run(scores):
        figure = AccuracyFigure().draw(scores, None)
        (legend,) = figure.legends
        return figure.axes, [text.get_text() for text in legend.get_texts()]

    yield run
    plt.close("all")


def bands(axis):
    """Highest minus lowest value of each band at its first step; none where there is no band."""
    paths = [path.vertices for band in axis.collections for path in band.get_paths()]
    first = [path[path[:, 0] == path[:, 0].min(), 1] for path in paths]
    return [np.ptp(values) for values in first]


def test_a_panel_has_curves_with_bands_the_published_ones_and_the_levels(made, draw):
    methods = [PAPERS, {"name": "otdd", "steps": 5000}]
    (axis,), names = draw(made(adaptation(methods=methods)))
    assert names == [
        *("mmdsw", "otdd", "published mmdsw", "published otdd, at the end"),
        *("target's test set", "unflowed source"),
    ]
    lines = [line.get_xydata() for line in axis.lines]
    own, otdd, carried_on, known = lines[:4]
    assert list(own[:, 0]) == [0, 1, 5001, 10001, 15001, 20001, 25001]
    assert own[-1, 1] == pytest.approx(86)
    assert list(otdd[:, 0]) == [0, 1, 5000]
    assert carried_on.tolist() == [[5000, otdd[-1, 1]], [25001, otdd[-1, 1]]]
    assert known.tolist()[:2] == [[1, 15.2], [5001, 60.95]]
    assert known[-1, 0] == 25001  # not all 500,000 steps
    levels = [line[0, 1] for line in lines[4:]]
    assert levels == [pytest.approx(value) for value in (99.1, 93.0, 21.0)]
    # Two standard errors to either side, of the three flows and of the published spread.
    error = 100 * np.sqrt((0.03**2 + 0.01**2 + 0.04**2) / 2 / 3)
    assert bands(axis) == [
        pytest.approx(value, rel=1e-6) for value in (4 * error, 4 * error, 4 * 2.16 / np.sqrt(2))
    ]


def test_a_single_flow_has_no_band(made, draw):
    (axis,), _ = draw(made(adaptation(flows=1, sources=[{"name": "clustered", "of": "USPS"}])))
    assert bands(axis) == []


def test_each_source_has_a_panel(made, draw):
    axes, names = draw(made(adaptation(sources=["USPS", {"name": "clustered", "of": "USPS"}])))
    assert [axis.get_title() for axis in axes] == ["USPS to MNIST", "USPS-clusters to MNIST"]
    assert "published otdd, at the end" not in names


def test_a_run_of_diverged_flows_has_no_figure(made):
    assert AccuracyFigure().draw(made(adaptation(), diverged=[0, 1, 2]), None) is None
