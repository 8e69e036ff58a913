"""Means and their errors, against statsmodels and a bootstrap over flows."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from wowbench.results.summary import summarise

RNG = np.random.default_rng(0)
FLOWS, TRAININGS = 6, 5
DRAWN = RNG.normal(0, 0.03, FLOWS)
VALUES = 0.6 + DRAWN[:, None] + RNG.normal(0, 0.02, (FLOWS, TRAININGS))


def transfer(**changes):
    experiment = {"task": "transfer", "source": "MNIST", "targets": ["USPS"], "shots": [5]}
    experiment |= {"methods": ["mmdsw"], "flows": FLOWS, "trainings": TRAININGS}
    return experiment | changes


@pytest.fixture
def scores(scores_of):
    return scores_of(transfer(), value=lambda row: VALUES[row["flow_seed"], row["training_seed"]])


def test_the_error_is_the_cluster_robust_one(scores):
    (row,) = summarise(scores, "accuracy").itertuples()
    accuracies = scores[scores.metric == "accuracy"]
    fit = smf.ols("value ~ 1", accuracies).fit(
        cov_type="cluster", cov_kwds={"groups": accuracies.flow_seed}
    )
    # With an intercept alone, statsmodels' small-sample factor is flows / (flows - 1).
    assert row.mean == pytest.approx(fit.params["Intercept"])
    assert row.error == pytest.approx(fit.bse["Intercept"])
    pooled = smf.ols("value ~ 1", accuracies).fit().bse["Intercept"]
    assert row.error > 1.5 * pooled


def test_the_error_is_that_of_a_bootstrap_over_flows(scores):
    (row,) = summarise(scores, "accuracy").itertuples()
    drawn = np.random.default_rng(1).integers(0, FLOWS, (20_000, FLOWS))
    spread = VALUES[drawn].mean((1, 2)).std()
    # A bootstrap of F flows is too small by sqrt((F - 1) / F).
    assert row.error == pytest.approx(spread * (FLOWS / (FLOWS - 1)) ** 0.5, rel=0.02)


def test_the_mean_weighs_flows_alike(scores):
    accuracies = scores[scores.metric == "accuracy"]
    fewer = accuracies[(accuracies.flow_seed > 0) | (accuracies.training_seed == 0)]
    (row,) = summarise(fewer, "accuracy").itertuples()
    assert row.mean == pytest.approx(np.mean([VALUES[0, 0], *VALUES[1:].mean(1)]))


def test_the_spread_is_over_all_trainings_and_the_range_over_flows(scores):
    (row,) = summarise(scores, "accuracy").itertuples()
    assert row.std == pytest.approx(VALUES.std(ddof=1))
    means = VALUES.mean(1)
    assert (row.lowest_flow, row.highest_flow) == pytest.approx((means.min(), means.max()))
    assert (row.flows, row.trainings, row.draws, row.left_out) == (FLOWS, TRAININGS, FLOWS, "")


def test_a_single_flow_has_a_mean_and_no_more(scores):
    (row,) = summarise(scores[scores.flow_seed == 0], "accuracy").itertuples()
    assert row.mean == pytest.approx(VALUES[0].mean())
    assert np.isnan([row.std, row.error, row.lowest_flow, row.highest_flow]).all()
    assert (row.flows, row.trainings) == (1, TRAININGS)


def test_flows_of_a_fixed_draw_share_it(scores_of):
    (row,) = summarise(scores_of(transfer(spread="fixed")), "accuracy").itertuples()
    assert (row.flows, row.draws) == (FLOWS, 1)


def test_what_gave_no_value_is_counted_and_left_out_of_the_mean(scores_of):
    states = {1: ("diverged", "at step 3"), 2: ("failed", "crash"), 3: ("diverged", "at step 4")}
    scores = scores_of(
        transfer(),
        value=lambda row: VALUES[row["flow_seed"], row["training_seed"]],
        status=lambda axes: states.get(axes["flow_seed"], ("ok", "")),
    )
    (row,) = summarise(scores, "accuracy").itertuples()
    assert row.mean == pytest.approx(VALUES[[0, 4, 5]].mean())
    assert (row.flows, row.left_out) == (3, "2 diverged, 1 failed")
    (row,) = summarise(scores, "seconds_per_step", job="flow").itertuples()
    assert (row.flows, row.left_out) == (3, "2 diverged, 1 failed")


def test_a_cell_in_which_all_failed_is_a_row(scores_of):
    scores = scores_of(
        transfer(methods=["mmdsw", "otdd"]),
        status=lambda axes: ("failed", "x") if axes["method"] == "otdd" else ("ok", ""),
    )
    table = summarise(scores, "accuracy").set_index("method")
    assert table["mean"].isna().to_dict() == {"mmdsw": False, "otdd": True}
    assert table.left_out.to_dict() == {"mmdsw": "", "otdd": f"{FLOWS} failed"}
    assert table.flows.to_dict() == {"mmdsw": FLOWS, "otdd": 0}


def test_no_measurement_is_an_empty_table(scores):
    assert summarise(scores, "nothing").empty
    assert summarise(pd.DataFrame(scores.iloc[:0]), "accuracy").empty


def test_more_columns_tell_rows_apart(scores):
    by_device = scores.assign(device=np.where(scores.flow_seed < 2, "cpu", "cuda"))
    table = summarise(by_device, "accuracy", by=("device",)).set_index("device")
    assert table["mean"].to_dict() == pytest.approx(
        {"cpu": VALUES[:2].mean(), "cuda": VALUES[2:].mean()}
    )
