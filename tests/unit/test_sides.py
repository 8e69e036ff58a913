"""What `wowbench compare` takes, says and refuses, from the command line."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

from wowbench.cli import BAD_INPUT, FAILED, main
from wowbench.results.scores import write_scores

FOLDER = Path("results/tiny")


@pytest.fixture
def run(tiny_run):
    """A finished run with its config in a file, and its archive."""
    Path("tiny.yaml").write_text(yaml.safe_dump(tiny_run.config | {"check": {"tolerance": 0.01}}))
    assert main(["archive", "--config", "tiny.yaml", "--out", "archive"]) == 0
    return tiny_run


def compare(capsys, *arguments):
    status = main(["compare", *map(str, arguments)])
    said = capsys.readouterr()
    return status, said.out, said.err


def shifted(source, out, by):
    """Write the scores of an archive anew, with other accuracies."""
    scores = pd.read_csv(source, keep_default_na=False)
    is_accuracy = scores.metric == "accuracy"
    scores["value"] = scores["value"].astype(float) + by * is_accuracy
    out.parent.mkdir(parents=True, exist_ok=True)
    scores.to_csv(out, index=False)


@pytest.mark.parametrize("other", ["archive", "archive/scores.csv", "tiny.yaml"])
def test_a_config_agrees_with_its_archive(run, capsys, other):
    status, said, _ = compare(capsys, "tiny.yaml", other)
    assert status == 0
    assert "means lie within their tolerances" in said
    assert "| transfer transfer digits others 1 mmdsw own " in said


def test_the_configs_tolerance_decides(run, capsys):
    shifted("archive/scores.csv", Path("off/scores.csv"), 0.02)
    status, said, _ = compare(capsys, "tiny.yaml", "off")
    assert status == FAILED
    assert "2 of" in said
    assert "by -0.02, more than 0.01" in said
    config = yaml.safe_load(Path("tiny.yaml").read_text()) | {"check": {"tolerance": 0.03}}
    assert compare(capsys, json.dumps(config), "off")[0] == 0
    # Neither of these knows a config: single flows have no error, and nothing is tested.
    status, said, _ = compare(capsys, "archive/scores.csv", "off/scores.csv")
    assert status == 0
    assert "2 untested" in said


def test_a_half_finished_run_says_what_is_missing(run, capsys):
    Path(run.plan.record("evaluate", run.name("evaluate", "mmdsw"))).unlink()
    log = Path(run.plan.path("logs", f"evaluate/{run.name('evaluate', 'mmdsw')}.log"))
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("Traceback\nRuntimeError: it fell over\n")
    Path(run.plan.record("evaluate", run.name("evaluate", "train_on_target"))).unlink()
    status, said, errors = compare(capsys, "tiny.yaml", "archive", "--out", "out.csv")
    assert status == 0
    assert "2 jobs have no result" in errors
    assert "RuntimeError: it fell over" in errors
    table = pd.read_csv("out.csv").query("metric == 'accuracy'").set_index("method")
    assert table.verdict.to_dict() == {"train_on_target": "not run", "mmdsw": "not run"}
    assert table.detail.to_dict() == {
        "train_on_target": "A: 1 not run",
        "mmdsw": "A: 1 failed",
    }
    assert said.count("\n") == 1


def test_a_run_without_a_result_says_what_is_missing(run, capsys):
    shutil.rmtree(FOLDER / "records")
    status, _, error = compare(capsys, "tiny.yaml", "archive")
    assert status == BAD_INPUT
    assert "run 'tiny' has no result yet: 4 jobs are missing, first flow " in error


def test_a_run_that_has_not_ended_is_named_by_its_config(run, capsys):
    status, _, error = compare(capsys, FOLDER, "archive")
    assert status == BAD_INPUT
    assert "its run has not ended" in error
    assert "give its config" in error


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        ("published", "archive", "A is 'published'; expected a run here"),
        ("archive", "nowhere", "nowhere: nothing to compare; expected"),
        ("archive", ".git", "nothing to compare"),
        ("archive", "empty", "empty: no scores.csv in it"),
        ("archive", "nowhere.csv", "nowhere.csv"),
        ("nowhere.yaml", "archive", "nowhere.yaml"),
    ],
)
def test_what_cannot_be_compared_is_named(run, capsys, a, b, words):
    Path("empty").mkdir()
    status, _, error = compare(capsys, a, b)
    assert status == BAD_INPUT
    assert error.count("\n") == 1
    assert words in error


def test_two_archives_that_claim_one_cell_are_named_with_both_values(run, capsys):
    for name, by in (("one", 0.0), ("two", 0.02)):
        shifted("archive/scores.csv", Path("archives") / name / "scores.csv", by)
    status, _, error = compare(capsys, "archives", "published")
    assert status == BAD_INPUT
    scores = pd.read_csv("archive/scores.csv").query("metric == 'accuracy'")
    mean = scores[scores.method == scores.method.iloc[0]]["value"].mean()
    assert f"is claimed by one ({mean:.4g}, 1 flows) and two ({mean + 0.02:.4g}, 1 flows)" in error


def test_archives_of_one_result_are_no_claims(run, capsys):
    for name in ("one", "two"):
        shifted("archive/scores.csv", Path("archives") / name / "scores.csv", 0.0)
    status, said, _ = compare(capsys, "archives", "archive")
    assert status == 0
    assert "differs" not in said


def test_flows_of_one_cell_on_other_draws_count_together(scores_of, tmp_path, capsys):
    experiment = {"task": "transfer", "source": "MNIST", "targets": ["USPS"], "shots": [5]}
    experiment |= {"methods": ["mmdsw"], "flows": 2, "trainings": 2}
    run = scores_of(experiment, value=lambda row: 0.4 + 0.1 * row["flow_seed"])
    write_scores(run, tmp_path / "archives/one/scores.csv")
    other = run.assign(draw="other " + run.draw, value=run.value + 0.2)
    write_scores(other, tmp_path / "archives/two/scores.csv")
    out = tmp_path / "out.csv"
    compare(capsys, tmp_path / "archives", tmp_path / "archives/one", "--out", out)
    (row,) = pd.read_csv(out).itertuples()
    assert (row.flows_a, row.flows_b) == (4, 2)
    assert row.mean_a == pytest.approx(0.55)


def test_the_table_for_people_counts_what_one_side_has_alone(run, capsys):
    status, said, _ = compare(capsys, "archive", "published")
    assert status == 0
    assert "On one side alone, not published: " in said
    assert "On one side alone, not run: " in said
    assert "0 cells are tested" in said
