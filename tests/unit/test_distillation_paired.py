"""Paired differences of distillation, against SciPy, from scores made up for it."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from wowbench.results.tables import distillation_paired

PLAIN, BOTH = ("no", "no"), ("yes", "yes")
RNG = np.random.default_rng(0)
VALUES = {name: RNG.uniform(0.5, 0.9, (3, 2)) for name in ("mmdsw", "dm", "random", "b_m", "b_dm")}
SCENARIOS = {
    "mmdsw": ("mmdsw", *PLAIN),
    "dm": ("dm", *PLAIN),
    "random": (np.nan,) * 3,
    "b_m": ("mmdsw", *BOTH),
    "b_dm": ("dm", *BOTH),
}


@pytest.fixture
def scores():
    rows = [
        {
            "task": "distillation",
            "source": "MNIST",
            "target": "MNIST",
            "bundled": False,
            "spread": "per_flow",
            "status": "ok",
            "metric": "accuracy",
            "method": name,
            "k": 10,
            "protocol": "paper",
            "flow_seed": flow,
            "training_seed": training,
            "value": value,
            **dict(zip(("algorithm", "augmentation", "embedding"), SCENARIOS[name], strict=True)),
        }
        for name, values in VALUES.items()
        for (flow, training), value in np.ndenumerate(values)
    ]
    return pd.DataFrame(rows)


def test_each_method_is_compared_with_mmdsw_of_its_scenario(scores):
    table = distillation_paired.make(scores).set_index("method")
    assert table.embedding.to_dict() == {"dm": "no", "random": "no", "b_dm": "yes"}
    for method, reference in {"dm": "mmdsw", "random": "mmdsw", "b_dm": "b_m"}.items():
        test = stats.ttest_rel(VALUES[reference].mean(1), VALUES[method].mean(1))
        interval = test.confidence_interval(0.95)
        row = table.loc[method]
        assert row.difference == pytest.approx((VALUES[reference] - VALUES[method]).mean())
        assert (row.low, row.high, row.flows) == pytest.approx((interval.low, interval.high, 3))


def test_a_second_mmdsw_of_a_scenario_is_compared_with_the_first(scores):
    other = scores[scores.method == "mmdsw"].assign(method="slow", value=0.25)
    table = distillation_paired.make(pd.concat([scores, other])).set_index("method")
    assert table.difference["slow"] == pytest.approx(VALUES["mmdsw"].mean() - 0.25)
    assert table.difference["dm"] == pytest.approx((VALUES["mmdsw"] - VALUES["dm"]).mean())


def test_without_mmdsw_or_without_accuracies_nothing_is_compared(scores):
    real = scores[scores.method == "random"]
    assert distillation_paired.make(real).empty
    diverged = scores.assign(metric="evaluate", status="diverged").drop(columns="protocol")
    table = distillation_paired.make(diverged)
    assert table.empty
    assert "flows" in distillation_paired.readable(table)
