"""Run times and paired differences, against SciPy and figures computed by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from wowbench.results.scores import FIRST_COLUMNS
from wowbench.results.tables import transfer_paired, transfer_runtime

RNG = np.random.default_rng(0)
ACCURACIES = {"mmdsw": RNG.normal(0.6, 0.02, (4, 3)), "otdd": RNG.normal(0.55, 0.02, (4, 3))}


def frame(rows):
    table = pd.DataFrame(rows, columns=FIRST_COLUMNS)
    return table.assign(bundled=False, spread="per_flow", status="ok", device="cpu")


def accuracies(flows):
    return frame(
        [
            ("transfer", "MNIST", "USPS", method, 5, flow, training, "accuracy", value)
            for method, values in ACCURACIES.items()
            for (flow, training), value in np.ndenumerate(values[:flows])
        ]
    )


def test_the_paired_interval_is_that_of_students_t_over_flows():
    (row,) = transfer_paired.make(accuracies(4)).itertuples()
    first, second = (values.mean(1) for values in ACCURACIES.values())
    interval = stats.ttest_rel(first, second).confidence_interval(0.95)
    assert row.method == "otdd"
    assert row.flows == 4
    assert row.difference == pytest.approx((first - second).mean())
    assert (row.low, row.high) == pytest.approx((interval.low, interval.high))
    span = (first - second).min(), (first - second).max()
    assert (row.lowest_flow, row.highest_flow) == pytest.approx(span)


def test_one_flow_has_a_difference_and_no_interval():
    (row,) = transfer_paired.make(accuracies(1)).itertuples()
    assert np.isfinite(row.difference)
    assert np.isnan(row.low)
    assert "[" not in transfer_paired.readable(transfer_paired.make(accuracies(1))).to_string()


def test_flows_that_only_one_method_has_are_left_out():
    scores = accuracies(4)
    scores = scores[(scores.method == "mmdsw") | (scores.flow_seed < 2)]
    (row,) = transfer_paired.make(scores).itertuples()
    assert row.flows == 2


def test_without_mmdsw_nothing_is_compared():
    scores = accuracies(2)
    assert transfer_paired.make(scores[scores.method == "otdd"]).empty


def test_run_times_are_those_of_5000_steps_and_their_ratios():
    seconds = {"mmdsw": [0.01, 0.03], "otdd": [0.2, 0.4]}
    scores = frame(
        [
            ("transfer", "MNIST", "FashionMNIST", method, 5, flow, pd.NA, "seconds_per_step", value)
            for method, values in seconds.items()
            for flow, value in enumerate(values)
        ]
    )
    table = transfer_runtime.make(scores).set_index("method")
    assert table.seconds_mean.to_dict() == pytest.approx({"mmdsw": 100, "otdd": 1500})
    assert table.ratio.to_dict() == pytest.approx({"mmdsw": 1, "otdd": 15})
    # Table 3 of the paper: 14.12 s and 1130.89 s at k = 5.
    assert table.published_seconds.to_dict() == pytest.approx({"mmdsw": 14.12, "otdd": 1130.89})
    assert table.published_ratio["otdd"] == pytest.approx(1130.89 / 14.12)
    assert not table.columns.str.endswith("_flow").any()  # these would be seconds of one step
