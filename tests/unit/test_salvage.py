"""What a failed run leaves: the results of the others, and a row for each failure."""

import pandas as pd
import pytest

from wowbench.listed import listed
from wowbench.plan import Plan
from wowbench.results import salvage as module
from wowbench.results.records import recorded
from wowbench.results.salvage import salvage


@pytest.fixture
def plan(tmp_path, monkeypatch):
    """A run of two methods, of which nothing has run; figures are left out."""
    monkeypatch.chdir(tmp_path)
    table = "wowbench.results.tables.transfer_accuracy:TransferAccuracy"
    monkeypatch.setattr(Plan, "reports", [listed(table)])
    experiment = {
        "task": "transfer",
        "source": {"name": "MNIST", "bundled": True},
        "targets": [{"name": "FashionMNIST", "bundled": True}],
        "shots": [1],
        "flows": 1,
        "methods": ["train_on_target", "mmdsw"],
    }
    return Plan.load({"name": "test", "experiments": [experiment]})


def name_of(plan, method):
    (name,) = (name for name in plan.jobs["flow"] if f"/{method}/" in name)
    return name


def finish(plan, method, *verbs):
    """Write records as the jobs of a method do, and return their paths."""
    accuracy = ("accuracy", 0.5, {"training_seed": 0, "budget": "own"})
    measured = {"flow": ("steps", 0.0, {}), "evaluate": accuracy}
    paths = []
    for verb in verbs:
        name = name_of(plan, method)
        paths.append(plan.record(verb, name))
        with recorded(module.Path(paths[-1]), verb, plan.job(verb, name).spec) as entry:
            metric, value, columns = measured[verb]
            entry.measure(metric, value, **columns)
            entry.inputs = {"draw": "0" * 64, "flow": "1" * 64, "test": "2" * 64}
            if verb == "flow":
                entry.outputs = {"flow": "1" * 64}
                entry.files = {"draw": "draw", "flow": "flow"}
    return paths


def write(path, text):
    path = module.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def failures(folder):
    scores = pd.read_csv(folder / "scores.csv")
    failed = scores[scores.status == "failed"]
    return {(row.method, row.metric): row.message for row in failed.itertuples()}


def test_a_job_without_a_record_is_a_row_with_the_last_line_of_its_log(plan):
    finish(plan, "train_on_target", "flow", "evaluate")
    log = plan.path("logs", f"flow/{name_of(plan, 'mmdsw')}.log")
    write(log, "Traceback (most recent call last):\n  ...\nValueError: no\n\n")
    folder = salvage(plan)
    assert folder == module.Path("results/test/partial")
    assert failures(folder) == {
        ("mmdsw", "flow"): "ValueError: no",
        ("mmdsw", "evaluate"): "not run",
    }
    scores = pd.read_csv(folder / "scores.csv")
    (accuracy,) = scores[scores.metric == "accuracy"].itertuples()
    assert (accuracy.method, accuracy.value, accuracy.status) == ("train_on_target", 0.5, "ok")
    table = pd.read_csv(folder / "tables/transfer_accuracy.csv").set_index("method")
    assert table["mean"]["train_on_target"] == 0.5
    assert pd.isna(table["mean"]["mmdsw"])


def test_a_log_without_a_line_still_says_something(plan):
    finish(plan, "train_on_target", "flow", "evaluate")
    write(plan.path("logs", f"flow/{name_of(plan, 'mmdsw')}.log"), "\n")
    assert failures(salvage(plan))["mmdsw", "flow"] == "ended without a message"


def test_a_record_that_is_out_of_date_does_not_count(plan):
    finished = finish(plan, "train_on_target", "flow", "evaluate")
    finish(plan, "mmdsw", "flow", "evaluate")
    write(plan.path("logs", f"flow/{name_of(plan, 'mmdsw')}.log"), "step 1 of 1\n")
    expected = {("mmdsw", "flow"): "not run", ("mmdsw", "evaluate"): "not run"}
    assert failures(salvage(plan, finished)) == expected


def test_nothing_is_written_where_no_job_failed_or_nothing_was_scored(plan):
    assert salvage(plan) is None
    finish(plan, "train_on_target", "flow")
    assert salvage(plan) is None
    finish(plan, "train_on_target", "evaluate")
    finish(plan, "mmdsw", "flow", "evaluate")
    assert salvage(plan) is None
    assert not module.Path("results/test/partial").exists()


def test_a_training_that_failed_is_named_beside_what_did_not_run_for_it(plan, caplog):
    digits = {"name": "digits", "image_size": 28}
    adaptation = {
        **{"task": "adaptation", "sources": [digits], "target": digits | {"id": "others"}},
        **{"flows": 1, "methods": [{"name": "mmdsw", "steps": 5000}]},
    }
    transfer = plan.config.experiments[0].model_dump(mode="json") | {"task": "transfer"}
    transfer["methods"] = ["train_on_target"]
    plan = Plan.load({"name": "test", "experiments": [transfer, adaptation]})
    finish(plan, "train_on_target", "flow", "evaluate")
    (classifier,) = plan.jobs["train"]
    write(plan.path("logs", f"train/{classifier}.log"), "network 'lenet5' is too large\n")
    folder = salvage(plan)
    assert f"train {classifier} failed: network 'lenet5' is too large" in caplog.text
    assert failures(folder) == {("mmdsw", "flow"): "not run", ("mmdsw", "evaluate"): "not run"}
