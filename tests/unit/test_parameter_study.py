"""Ablations: which methods are compared, means and errors by hand, differences against SciPy."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from wowbench.figures.parameter_study import ParameterStudy as StudyFigure
from wowbench.results.tables.parameter_study import ParameterStudy

METHODS = [
    {"name": "mmdsw", "id": "base"},
    {"name": "mmdsw", "id": "many", "n_directions": 5000},
    {"name": "mmdsw", "id": "few", "n_directions": 50},
    {"name": "mmdsw", "id": "linear", "quantiles": "linear"},
    {"name": "mmdsw", "id": "slow", "scheme": {"lr": 0.5}},
    {"name": "mmdsw", "id": "gaussian", "kernel": {"name": "gaussian", "h": 0.25}},
    {"name": "mmdsw", "id": "two", "n_directions": 50, "quantiles": "linear"},
    {"name": "mmdsw", "id": "same"},
    "otdd",
]
FLOWS, TRAININGS = 3, 2
RNG = np.random.default_rng(0)
VALUES = {
    (name, k): RNG.uniform(0.4, 0.8, (FLOWS, TRAININGS))
    for name in ("base", "many", "few", "linear", "slow", "gaussian", "two", "same", "otdd")
    for k in (1, 5)
}
ROWS = {
    ("n_directions", "50"): "few",
    ("n_directions", "500"): "base",
    ("n_directions", "5000"): "many",
    ("quantiles", "exact"): "base",
    ("quantiles", "linear"): "linear",
    ("scheme.lr", "0.5"): "slow",
    ("scheme.lr", "1.0"): "base",
    ("kernel", "riesz (r 1.0)"): "base",
    ("kernel", "gaussian (h 0.25)"): "gaussian",
}
"""Parameter and value of each row, in the order of the table, and the method it is of."""


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def transfer(**changes):
    experiment = {"task": "transfer", "source": "MNIST", "targets": ["USPS"], "shots": [5]}
    experiment |= {"methods": METHODS, "flows": FLOWS, "trainings": TRAININGS}
    return experiment | changes


def value(row):
    return VALUES[row["method"], row["k"]][row["flow_seed"], row["training_seed"]]


def test_a_method_that_differs_in_one_parameter_is_a_row_of_it(scores_of):
    table = ParameterStudy().make(scores_of(transfer(), value=value))
    rows = zip(table.parameter, table.value, table.method, strict=True)
    assert [((parameter, said), method) for parameter, said, method in rows] == [*ROWS.items()]
    assert (table.is_reference == (table.method == "base")).all()


def test_means_and_errors_are_of_flows_and_differences_of_draws(scores_of):
    table = ParameterStudy().make(scores_of(transfer(shots=[1, 5]), value=value))
    assert table.k.tolist() == [1] * len(ROWS) + [5] * len(ROWS)
    for row in table.itertuples():
        flows, base = VALUES[row.method, row.k].mean(1), VALUES["base", row.k].mean(1)
        assert row.mean == pytest.approx(flows.mean())
        assert row.error == pytest.approx(stats.sem(flows))
        if row.is_reference:
            assert np.isnan([row.difference, row.low, row.high]).all()
            assert row.paired_draws is pd.NA
            continue
        interval = stats.ttest_rel(flows, base).confidence_interval(0.95)
        assert row.difference == pytest.approx((flows - base).mean())
        assert (row.low, row.high) == pytest.approx((interval.low, interval.high))
        assert row.paired_draws == FLOWS


def test_it_is_readable_in_percent(scores_of):
    levels = {"base": [0.60, 0.64], "few": [0.58, 0.60]}
    scores = scores_of(
        transfer(methods=[METHODS[0], METHODS[2]], flows=2, trainings=1),
        value=lambda row: levels[row["method"]][row["flow_seed"]],
    )
    study = ParameterStudy()
    readable = study.readable(study.make(scores))
    shared = {"problem": "MNIST to USPS", "k": "5", "algorithm": "mmdsw"}
    shared |= {"parameter": "n_directions"}
    # Differences of -2 and -4 points: a mean of -3, and t(0.975, 1) = 12.706 times an error of 1.
    assert readable.to_dict("records") == [
        shared
        | {"value": "50", "test accuracy (%)": "59.0", "s.e.": "1.0", "minus reference": "-3.0"}
        | {"95% interval": "[-15.7, +9.7]", "flows": "2"},
        shared
        | {"value": "500", "test accuracy (%)": "62.0", "s.e.": "2.0"}
        | {"minus reference": "reference", "95% interval": "", "flows": "2"},
    ]


def test_the_reference_is_the_first_of_its_own_experiment_and_problem(scores_of):
    few, base = METHODS[2], METHODS[0]
    scores = scores_of(
        transfer(methods=[base, few], targets=["USPS", "KMNIST"]),
        transfer(methods=[few, base], id="other"),
        value=value,
    )
    table = ParameterStudy().make(scores)
    references = table[table.is_reference]
    found = set(zip(references.experiment, references.target, references.method, strict=True))
    assert found == {
        ("transfer", "USPS", "base"),
        ("transfer", "KMNIST", "base"),
        ("other", "USPS", "few"),
    }
    assert len(table) == 6
    assert ParameterStudy().readable(table).experiment.tolist() == list(table.experiment)


@pytest.mark.parametrize("lost", ["base", "few"])
def test_a_method_that_diverged_has_a_row_and_no_difference(scores_of, lost):
    def status(axes):
        return ("diverged", "step 3") if axes["method"] == lost else ("ok", "")

    methods = [METHODS[0], METHODS[1], METHODS[2]]
    scores = scores_of(transfer(methods=methods), value=value, status=status)
    table = ParameterStudy().make(scores).set_index("method")
    assert np.isnan(table["mean"][lost])
    assert table.is_reference.to_dict() == {"few": False, "base": True, "many": False}
    # Without the reference there is nothing to compare with.
    assert table.difference.notna()["many"] == (lost != "base")
    assert np.isnan(table.difference["few"])
    readable = ParameterStudy().readable(table.reset_index()).set_index("value")
    assert readable.flows[{"base": "500", "few": "50"}[lost]] == f"0 ({FLOWS} diverged)"
    (axis,) = StudyFigure().draw(scores, None).axes
    assert len(axis.containers[0].lines[0].get_xdata()) == 2


def test_protocols_are_studied_apart(scores_of):
    experiment = {"task": "distillation", "datasets": ["MNIST"], "images_per_class": [1]}
    experiment |= {"methods": [METHODS[0], METHODS[2]], "protocols": ["paper", "dm"]}
    experiment |= {"flows": 2, "trainings": 1}
    shift = {"paper": {"base": 0.6, "few": 0.5}, "dm": {"base": 0.4, "few": 0.6}}
    scores = scores_of(experiment, value=lambda row: shift[row["protocol"]][row["method"]])
    table = ParameterStudy().make(scores)
    differences = table[table.method == "few"].set_index("protocol").difference
    assert differences.to_dict() == pytest.approx({"paper": -0.1, "dm": 0.2})


def test_a_run_without_a_parameter_that_varies_has_an_empty_table(scores_of, tmp_path):
    scores = scores_of(transfer(methods=["mmdsw", "otdd", METHODS[6]]), value=lambda row: 0.5)
    ParameterStudy().write(scores, tmp_path / "study.csv")
    header = (tmp_path / "study.csv").read_text()
    assert header.count("\n") == 1
    assert "parameter,value,is_reference" in header
    assert StudyFigure().draw(scores, None) is None


def test_it_serves_another_metric_of_another_job_in_its_own_unit(scores_of):
    class Seconds(ParameterStudy):
        metric, job, quantity, scale, form = "seconds_per_step", "flow", "ms per step", 1e3, ".2f"

    class SecondsFigure(StudyFigure):
        table, yscale = Seconds, "log"

    scores = scores_of(transfer(methods=METHODS[:3]), value=value)
    scores = scores[(scores.metric != "seconds_per_step") | scores.training_seed.isna()]
    rows = (scores.metric == "seconds_per_step") & (scores.method == "many")
    scores.loc[rows, "value"] = 0.02
    study = Seconds()
    readable = study.readable(study.make(scores)).set_index("value")
    assert readable["ms per step"].to_dict() == {"50": "10.00", "500": "10.00", "5000": "20.00"}
    assert readable["minus reference"]["5000"] == "+10.00"
    (axis,) = SecondsFigure().draw(scores, None).axes
    assert axis.get_yscale() == "log"
    assert axis.get_ylabel() == "ms per step"
    assert axis.containers[0].lines[0].get_ydata().tolist() == pytest.approx([10, 10, 20])


def panels_of(figure):
    """Panels by the parameter below them."""
    return {axis.get_xlabel(): axis for axis in figure.axes if axis.containers}


def test_the_figure_has_a_panel_for_each_parameter_and_a_curve_for_each_k(scores_of):
    scores = scores_of(transfer(shots=[1, 5]), value=value)
    figure = StudyFigure().draw(scores, None)
    panels = panels_of(figure)
    assert list(panels) == ["n_directions", "quantiles", "scheme.lr", "kernel"]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["k = 1", "k = 5"]
    for parameter, axis in panels.items():
        assert axis.get_title().replace("\n", " ") == f"MNIST to USPS; mmdsw: {parameter}"
        names = [name for (varied, _), name in ROWS.items() if varied == parameter]
        for k, container in zip((1, 5), axis.containers, strict=True):
            flows = [VALUES[name, k].mean(1) for name in names]
            heights = 100 * np.array([f.mean() for f in flows])
            np.testing.assert_allclose(container.lines[0].get_ydata().astype(float), heights)
            errors = 100 * np.array([stats.sem(f) for f in flows])
            ends = [s[:, 1] for s in container.lines[2][0].get_segments()]
            np.testing.assert_allclose(ends, np.stack([heights - errors, heights + errors], 1))


def test_numbers_stand_at_their_place_and_text_side_by_side(scores_of):
    panels = panels_of(StudyFigure().draw(scores_of(transfer(), value=value), None))
    places = {
        name: axis.containers[0].lines[0].get_xdata().tolist() for name, axis in panels.items()
    }
    assert places["n_directions"] == [50, 500, 5000]
    assert panels["n_directions"].get_xscale() == "log"
    assert places["scheme.lr"] == [0.5, 1.0]
    assert panels["scheme.lr"].get_xscale() == "linear"
    assert places["kernel"] == [0, 1]
    labels = {name: [t.get_text() for t in a.get_xticklabels()] for name, a in panels.items()}
    assert labels["n_directions"] == ["50", "500", "5000"]
    assert labels["kernel"] == ["riesz (r 1.0)", "gaussian (h 0.25)"]
    lines = {name: axis.lines[0].get_xdata() for name, axis in panels.items()}
    assert {name: line[0] for name, line in lines.items()} == {
        **{"n_directions": 500, "quantiles": 0, "scheme.lr": 1.0, "kernel": 0}
    }


def test_a_single_flow_has_no_error_bar(scores_of):
    scores = scores_of(transfer(methods=[METHODS[0], METHODS[2]], flows=1), value=value)
    (axis,) = StudyFigure().draw(scores, None).axes
    assert not [s for c in axis.containers for s in c.lines[2][0].get_segments() if len(s)]


def test_means_below_the_least_are_drawn_there(scores_of):
    class Cut(StudyFigure):
        least = 0.55

    scores = scores_of(transfer(), value=value)
    axis, whole = (panels_of(f.draw(scores, None))["n_directions"] for f in (Cut(), StudyFigure()))
    heights, all_heights = (
        a.containers[0].lines[0].get_ydata().astype(float) for a in (axis, whole)
    )
    assert all_heights.min() < 55 < all_heights.max()
    np.testing.assert_allclose(heights, all_heights.clip(55))
