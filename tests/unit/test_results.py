"""Records, scores, tables and checks: contents, and bad input."""

import json

import numpy as np
import pandas as pd
import pytest

from wowbench.errors import InputError
from wowbench.results.check import compare_scores, write_expected, write_verdict
from wowbench.results.published import PUBLISHED, published
from wowbench.results.records import read_record, recorded
from wowbench.results.scores import FIRST_COLUMNS, read_scores, summarise, write_scores
from wowbench.results.tables import write_table
from wowbench.results.tables.transfer_accuracy import make

ACCURACIES = [0.38, 0.40, 0.44, 0.46]


def scores(status="ok"):
    rows = [
        ("transfer", "MNIST", "FashionMNIST", "mmdsw", 1, i // 2, i % 2, "accuracy", value)
        for i, value in enumerate(ACCURACIES)
    ]
    frame = pd.DataFrame(rows, columns=FIRST_COLUMNS)
    return frame.assign(bundled=False, spread="per_flow", status=status)


def test_a_record_holds_spec_status_measurements_and_provenance(tmp_path):
    path = tmp_path / "deep" / "record.json"
    with recorded(path, "flow", {"axes": {"k": 1}}) as entry:
        entry.measurements = [{"metric": "loss", "value": 0.5}]
    record = read_record(path)
    assert record["spec"] == {"axes": {"k": 1}}
    assert record["status"] == "ok"
    assert record["measurements"] == [{"metric": "loss", "value": 0.5}]
    assert {"commit", "dirty", "packages", "device", "threads"} <= record["provenance"].keys()
    assert record["peak_memory_bytes"] > 2**20


def test_a_crash_leaves_no_record(tmp_path):
    path = tmp_path / "record.json"
    with pytest.raises(RuntimeError, match="crash"), recorded(path, "flow", {"axes": {}}):
        raise RuntimeError("crash")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"job": "flow", "spec": {}}'])
def test_what_is_no_record_is_named(tmp_path, text):
    path = tmp_path / "record.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"record\.json.*run that job again"):
        read_record(path)


def test_scores_survive_the_way_through_csv(tmp_path):
    path = tmp_path / "scores.csv"
    write_scores(scores(), path)
    frame = read_scores(path)
    assert tuple(frame.columns[: len(FIRST_COLUMNS)]) == FIRST_COLUMNS
    assert frame.value.tolist() == ACCURACIES


@pytest.mark.parametrize("text", [None, "a,b\n1,2\n", ""])
def test_what_is_no_scores_file_is_named(tmp_path, text):
    path = tmp_path / "scores.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=r"scores\.csv"):
        read_scores(path)


def test_a_summary_has_mean_and_sample_standard_deviation():
    (row,) = summarise(scores(), "accuracy").itertuples()
    assert row.mean == pytest.approx(0.42)
    # Squared deviations .0016 + .0004 + .0004 + .0016 = .004, over 4 - 1.
    assert row.std == pytest.approx((0.004 / 3) ** 0.5)
    assert (row.flows, row.trainings, row.diverged) == (2, 2, 0)
    # Flow 0 has the first two trainings, flow 1 the others.
    assert (row.lowest_flow, row.highest_flow) == pytest.approx((0.39, 0.45))


def test_a_diverged_flow_is_counted_and_left_out_of_the_mean():
    frame = scores()
    diverged = frame.iloc[[0]].assign(
        flow_seed=2, training_seed=pd.NA, metric="evaluate", value=np.nan, status="diverged"
    )
    (row,) = summarise(pd.concat([frame, diverged]), "accuracy").itertuples()
    assert row.mean == pytest.approx(0.42)
    assert (row.flows, row.trainings, row.diverged) == (2, 2, 1)
    assert (row.lowest_flow, row.highest_flow) == pytest.approx((0.39, 0.45))


def test_the_table_has_the_published_value_beside():
    (row,) = make(scores()).itertuples()
    # Table 2 of the paper, MNIST to FashionMNIST, k = 1: 40.5 +- 4.7.
    assert row.published_mean == pytest.approx(0.405)
    assert row.published_std == pytest.approx(0.047)
    error = (0.004 / 3 / 4 + 0.047**2 / 15) ** 0.5
    assert row.difference_se == pytest.approx((0.42 - 0.405) / error)


def test_a_table_is_written_in_three_forms(tmp_path):
    write_table("transfer_accuracy", scores(), tmp_path / "transfer_accuracy.csv")
    assert sorted(p.suffix for p in tmp_path.iterdir()) == [".csv", ".md", ".tex"]
    assert "42.0 ± 3.7     | 39.0 to 45.0" in (tmp_path / "transfer_accuracy.md").read_text()
    assert "40.5 ± 4.7" in (tmp_path / "transfer_accuracy.tex").read_text()


def test_an_unknown_table_is_named(tmp_path):
    with pytest.raises(InputError, match="unknown table 'nothing'"):
        write_table("nothing", scores(), tmp_path / "nothing.csv")


@pytest.mark.parametrize("name", sorted(path.stem for path in PUBLISHED.glob("*.csv")))
def test_every_published_number_says_where_it_is_from(name):
    table = published(name)
    assert len(table) > 0
    assert table.source.str.len().min() > 0


def expected(tmp_path, mean, tolerance):
    path = tmp_path / "expected.csv"
    path.write_text(
        "task,source,target,k,method,mean,tolerance\n"
        f"transfer,MNIST,FashionMNIST,1,mmdsw,{mean},{tolerance}\n"
    )
    return path


def verdict(frame, path, tmp_path):
    """Compare scores with expected ones, and return the verdict's text."""
    comparison, out = tmp_path / "check.csv", tmp_path / "verdict.txt"
    compare_scores(frame, path, comparison)
    write_verdict(comparison, out)
    return out.read_text()


def test_a_check_within_tolerance_passes(tmp_path):
    text = verdict(scores(), expected(tmp_path, 0.43, 0.02), tmp_path)
    assert text == "all 1 means lie within their tolerances\n"
    assert pd.read_csv(tmp_path / "check.csv").within.all()


def test_a_run_is_within_what_it_was_written_to_expect(tmp_path):
    path = tmp_path / "expected.csv"
    write_expected(scores(), path, 0.01)
    (row,) = pd.read_csv(path).itertuples()
    assert (row.mean, row.tolerance) == (pytest.approx(0.42), 0.01)
    assert verdict(scores(), path, tmp_path)
    shifted = scores().assign(value=lambda frame: frame.value + 0.02)
    with pytest.raises(InputError, match="1 of 1 means are off"):
        verdict(shifted, path, tmp_path)


@pytest.mark.parametrize("tolerance", [0, 1, -0.1, float("nan")])
def test_a_tolerance_out_of_range_is_named(tmp_path, tolerance):
    with pytest.raises(InputError, match=f"tolerance {tolerance}"):
        write_expected(scores(), tmp_path / "expected.csv", tolerance)


@pytest.mark.parametrize("status", ["ok", "diverged"])
def test_a_check_outside_tolerance_leaves_the_comparison_and_no_verdict(tmp_path, status):
    frame = scores(status)
    if status == "diverged":
        frame["value"] = np.nan
    with pytest.raises(InputError, match="transfer MNIST FashionMNIST 1 mmdsw"):
        verdict(frame, expected(tmp_path, 0.5, 0.01), tmp_path)
    assert not pd.read_csv(tmp_path / "check.csv").within.any()
    assert not (tmp_path / "verdict.txt").exists()


def test_records_are_json_without_nan(tmp_path):
    path = tmp_path / "record.json"
    with recorded(path, "draw", {"axes": {}}):
        pass
    assert json.loads(path.read_text(), parse_constant=pytest.fail)["job"] == "draw"
