"""Run times of transfer flows, against figures computed by hand."""

import numpy as np
import pytest

from wowbench.results.tables.transfer_runtime import TransferRuntime

SECONDS = {"mmdsw": [0.01, 0.03], "otdd": [0.2, 0.4]}


def transfer(**changes):
    experiment = {"task": "transfer", "source": "MNIST", "targets": ["FashionMNIST"]}
    experiment |= {"shots": [5], "flows": 2, "trainings": 1, "methods": ["mmdsw", "otdd"]}
    return experiment | changes


@pytest.fixture
def timed(scores_of):
    def scores(*experiments, factor=lambda row: 1):
        table = scores_of(*experiments)
        steps = table.metric == "seconds_per_step"
        seconds = [
            SECONDS[row.algorithm][row.flow_seed] * factor(row) for row in table[steps].itertuples()
        ]
        table.loc[steps, "value"] = seconds
        return table

    return scores


def test_run_times_are_those_of_5000_steps_and_their_ratios(timed):
    table = TransferRuntime().make(timed(transfer())).set_index("method")
    assert table.seconds_mean.to_dict() == pytest.approx({"mmdsw": 100, "otdd": 1500})
    # Two flows 100 s apart: a standard deviation of 50 sqrt(2), and an error of 50.
    assert table.seconds_error["mmdsw"] == pytest.approx(50)
    assert table.ratio.to_dict() == pytest.approx({"mmdsw": 1, "otdd": 15})
    # Table 3 of the paper: 14.12 s and 1130.89 s at k = 5.
    assert table.published_seconds.to_dict() == pytest.approx({"mmdsw": 14.12, "otdd": 1130.89})
    assert table.published_ratio["otdd"] == pytest.approx(1130.89 / 14.12)
    assert not table.columns.str.endswith("_flow").any()  # these would be seconds of one step


def test_published_seconds_are_called_second_hand_and_departures_named(timed):
    fewer = {"name": "mmdsw", "n_directions": 50}
    scores = timed(transfer(methods=[fewer, "otdd"]))
    readable = TransferRuntime().readable(TransferRuntime().make(scores))
    assert "published, second-hand seconds" in readable
    assert readable["not as published"].tolist() == ["n_directions 50, not 500", ""]


def test_seconds_of_other_numbers_of_steps_are_called_extrapolated(timed):
    scores = timed(transfer(methods=["mmdsw", {"name": "otdd", "steps": 1000}]))
    readable = TransferRuntime().readable(TransferRuntime().make(scores))
    assert readable["extrapolated from"].tolist() == ["", "1000 steps"]
    assert "extrapolated from" not in TransferRuntime().readable(
        TransferRuntime().make(timed(transfer()))
    )


def test_nothing_published_is_no_column(timed):
    readable = TransferRuntime().readable(TransferRuntime().make(timed(transfer(targets=["USPS"]))))
    assert not any("published" in column for column in readable)


def test_two_sources_onto_one_target_keep_their_devices(timed):
    scores = timed(transfer(), transfer(id="other", source="KMNIST"))
    scores["device"] = np.where(scores.source == "MNIST", "cpu", "cuda")
    table = TransferRuntime().make(scores)
    assert set(zip(table.source, table.device, strict=True)) == {
        ("MNIST", "cpu"),
        ("KMNIST", "cuda"),
    }


def test_flows_on_two_devices_are_two_rows_with_their_own_ratio(timed):
    scores = timed(transfer(), factor=lambda row: 1 if row.flow_seed else 10)
    scores["device"] = np.where(scores.flow_seed == 0, "cpu", "cuda")
    table = TransferRuntime().make(scores).set_index(["method", "device"])
    assert table.flows.tolist() == [1, 1, 1, 1]
    assert table.ratio["otdd", "cpu"] == pytest.approx(0.2 / 0.01)
    assert table.ratio["otdd", "cuda"] == pytest.approx(0.4 / 0.03)


def test_a_ratio_is_to_the_reference_of_the_same_experiment_or_the_only_one(timed):
    fast = {"name": "mmdsw", "n_directions": 50}
    experiments = [
        transfer(),
        transfer(id="fast", methods=[fast, "otdd"]),
        transfer(id="alone", methods=["otdd"]),
    ]
    factor = {"transfer": 1, "fast": 0.1, "alone": 1}
    scores = timed(*experiments, factor=lambda row: factor[row.experiment])
    table = TransferRuntime().make(scores[scores.experiment != "fast"])
    ratios = table[table.method == "otdd"].set_index("experiment").ratio
    assert ratios.to_dict() == pytest.approx({"transfer": 15, "alone": 15})
    table = TransferRuntime().make(scores)
    ratios = table[table.method == "otdd"].set_index("experiment").ratio
    assert ratios["fast"] == pytest.approx(15)
    assert np.isnan(ratios["alone"])
