"""Records and tables: contents, and bad input."""

import json

import pytest

from wowbench.errors import InputError
from wowbench.results.records import read_record, recorded
from wowbench.results.tables.transfer_accuracy import TransferAccuracy


def test_a_record_holds_spec_status_measurements_and_provenance(tmp_path):
    path = tmp_path / "deep" / "record.json"
    spec = {"axes": {"k": 1}, "method": {"name": "mmdsw"}}
    with recorded(path, "flow", spec) as entry:
        entry.inputs, entry.outputs = {"draw": "0" * 64}, {"flow": "1" * 64}
        entry.files = {"draw": "draw", "flow": "flow"}
        entry.measure("final_loss", 0.5)
    record = read_record(path)
    assert record.spec == spec
    assert record.status == "ok"
    assert [(entry.metric, entry.value) for entry in record.measurements] == [("final_loss", 0.5)]
    known = {"commit", "dirty", "lock", "packages", "device", "threads", "arithmetic"}
    assert known <= record.provenance.keys()
    assert record.peak_memory_bytes > 2**20


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


@pytest.fixture
def scores(scores_of):
    experiment = {"task": "transfer", "source": "MNIST", "targets": ["FashionMNIST"], "shots": [1]}
    experiment |= {"methods": ["mmdsw"], "flows": 2, "trainings": 2}
    accuracies = [[0.38, 0.40], [0.44, 0.46]]
    return scores_of(
        experiment, value=lambda row: accuracies[row["flow_seed"]][row["training_seed"]]
    )


def test_a_table_is_written_in_four_forms(scores, tmp_path):
    TransferAccuracy().write(scores, tmp_path / "transfer_accuracy.csv")
    assert sorted(p.suffix for p in tmp_path.iterdir()) == [".csv", ".html", ".md", ".tex"]
    # Means of flows 39 and 45: an error of 3.
    assert (
        "42.0 ± 3.7     | 3.0    | 39.0 to 45.0" in (tmp_path / "transfer_accuracy.md").read_text()
    )
    assert "40.5 ± 4.7" in (tmp_path / "transfer_accuracy.tex").read_text()


def test_records_are_json_without_nan(tmp_path):
    path = tmp_path / "record.json"
    with recorded(path, "draw", {"axes": {}}):
        pass
    assert json.loads(path.read_text(), parse_constant=pytest.fail)["job"] == "draw"
