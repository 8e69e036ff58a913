"""Steps, seconds and held-out losses of transfer flows, against means computed by hand."""

import pandas as pd
import pytest

from wowbench.results.tables.transfer_convergence import TransferConvergence
from wowbench.results.tables.transfer_runtime import TransferRuntime


@pytest.fixture
def converged(scores_of):
    """Scores in which flow f of mmdsw_sprint took 100 (f + 1) steps, f + 1 s, to a loss of 10^-f.

    Those of mmdsw took 5,000 steps, 100 s, to a loss of 0.1.
    """
    measured = {
        "mmdsw": (
            ("steps", [5000, 5000]),
            ("flow_seconds", [100, 100]),
            ("held_out_loss", [0.1] * 2),
        ),
        "mmdsw_sprint": (
            ("steps", [100, 200]),
            ("flow_seconds", [1, 2]),
            ("held_out_loss", [1, 0.1]),
        ),
    }
    experiment = {"task": "transfer", "source": "MNIST", "targets": ["FashionMNIST"]}
    experiment |= {"shots": [5], "flows": 2, "trainings": 1, "methods": list(measured)}
    scores = scores_of(experiment)
    flows = scores[scores.metric == "seconds_per_step"]
    rows = [
        flows[flows.algorithm == method].assign(metric=metric, value=[float(v) for v in values])
        for method, metrics in measured.items()
        for metric, values in metrics
    ]
    return pd.concat([scores, *rows], ignore_index=True)


def test_means_over_flows_and_the_highest_loss(converged):
    table = TransferConvergence().make(converged).set_index("method")
    assert list(table.index) == ["mmdsw", "mmdsw_sprint"]
    row = table.loc["mmdsw_sprint"]
    assert (row.steps, row.flow_seconds) == (150, 1.5)
    assert row.held_out_loss == pytest.approx(0.55)
    assert row.highest_flow == 1
    assert row.flows == 2


def test_older_runs_have_no_held_out_loss_and_no_column(converged):
    table = TransferConvergence().make(converged[converged.metric != "held_out_loss"])
    assert table.held_out_loss.isna().all()
    readable = TransferConvergence().readable(table)
    assert not any("loss" in column or "highest" in column for column in readable)
    assert len(readable) == 2


def test_methods_that_stop_have_no_time_of_a_given_number_of_steps(converged):
    assert TransferRuntime().make(converged).method.tolist() == ["mmdsw"]
