"""The check of a run against expected means."""

from pathlib import Path

import pandas as pd
import pytest

from wowbench.cli import BAD_INPUT, main
from wowbench.errors import InputError
from wowbench.plan import Plan
from wowbench.registry import EVALUATORS
from wowbench.results.check import (
    KEY,
    compare_scores,
    expected_cells,
    write_expected,
    write_verdict,
)
from wowbench.results.scores import write_scores

ROOT = Path(__file__).parents[2]


def transfer(**changes):
    experiment = {"task": "transfer", "source": "MNIST", "targets": ["FashionMNIST"], "shots": [1]}
    experiment |= {"methods": ["mmdsw"], "flows": 2, "trainings": 2}
    return experiment | changes


OTHERS = transfer(id="others", images_per_class=100)
PROTOCOLS = {
    "task": "distillation",
    "datasets": ["MNIST"],
    "images_per_class": [1],
    "protocols": ["paper", "dm"],
    "methods": ["random"],
    "flows": 2,
    "trainings": 2,
}


def value(row):
    return {"transfer": 0.4, "others": 0.3, "distillation": 0.6}[row["experiment"]] + (
        0.1 if row.get("protocol") == "dm" else 0
    )


@pytest.fixture
def scores(scores_of):
    return scores_of(transfer(), OTHERS, PROTOCOLS, value=value)


@pytest.fixture
def expected(scores, tmp_path):
    path = tmp_path / "expected.csv"
    write_expected(scores, path, 0.01)
    return path


def test_experiments_and_protocols_are_expected_apart(expected):
    rows = pd.read_csv(expected, keep_default_na=False)
    assert rows.experiment.tolist() == ["transfer", "others", *["distillation"] * 2]
    assert rows.protocol.tolist() == ["", "", "paper", "dm"]
    assert rows["mean"].tolist() == pytest.approx([0.4, 0.3, 0.6, 0.7])
    assert "task.images_per_class=100" in rows.settings[1]


def test_a_run_is_within_what_it_was_written_to_expect(scores, expected, tmp_path):
    out, verdict = tmp_path / "check.csv", tmp_path / "verdict.txt"
    compare_scores(scores, expected, out)
    rows = pd.read_csv(out)
    assert rows.within.all()
    assert rows.measured.tolist() == pytest.approx([0.4, 0.3, 0.6, 0.7])
    write_verdict(out, verdict)
    assert verdict.read_text() == "all 4 means lie within their tolerances\n"


def test_what_cancels_in_a_pooled_mean_is_off(scores, expected, tmp_path):
    out = tmp_path / "check.csv"
    shift = (scores.protocol == "paper") * 0.02 - (scores.protocol == "dm") * 0.02
    compare_scores(scores.assign(value=scores.value + shift), expected, out)
    assert pd.read_csv(out).within.tolist() == [True, True, False, False]


@pytest.mark.parametrize("change", [{"images_per_class": 99}, {"methods": ["otdd"]}])
def test_a_run_with_other_parameters_does_not_stand_for_the_expected(
    scores_of, expected, tmp_path, change
):
    out, verdict = tmp_path / "check.csv", tmp_path / "verdict.txt"
    compare_scores(scores_of(transfer(**change), OTHERS, PROTOCOLS, value=value), expected, out)
    assert pd.read_csv(out).within.tolist() == [False, True, True, True]
    with pytest.raises(InputError) as error:
        write_verdict(out, verdict)
    assert str(error.value) == (
        "1 of 4 means are off; first transfer transfer MNIST FashionMNIST 1 mmdsw own: missing, "
        f"expected 0.4000 within 0.0100 (see {out})"
    )
    assert not verdict.exists()


def test_a_run_in_which_all_diverged_is_off(scores_of, expected, tmp_path):
    diverged = scores_of(transfer(), OTHERS, PROTOCOLS, status=lambda axes: ("diverged", ""))
    compare_scores(diverged, expected, tmp_path / "check.csv")
    assert not pd.read_csv(tmp_path / "check.csv").within.any()


def test_the_verbs_compare_always_and_then_judge(scores, expected, tmp_path, capsys):
    path, out, verdict = (tmp_path / n for n in ("scores.csv", "check.csv", "verdict.txt"))
    write_scores(scores.assign(value=scores.value + 0.5), path)
    files = ["--scores", str(path), "--expected", str(expected)]
    assert main(["compare", *files, "--out", str(out)]) == 0
    assert main(["verdict", "--comparison", str(out), "--out", str(verdict)]) == BAD_INPUT
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert (
        "4 of 4 means are off; first transfer transfer MNIST FashionMNIST 1 mmdsw own: 0.9" in error
    )
    assert out.exists()
    assert not verdict.exists()


@pytest.mark.parametrize("text", [None, "", "a,b\n1,2\n"])
def test_what_is_no_file_of_means_is_named(scores, tmp_path, text):
    path, out = tmp_path / "broken.csv", tmp_path / "out"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=r"expected scores .*broken\.csv"):
        compare_scores(scores, path, out)
    with pytest.raises(InputError, match=r"comparison .*broken\.csv"):
        write_verdict(path, out)
    assert not out.exists()


@pytest.mark.parametrize("tolerance", [0, 1, -0.1, float("nan")])
def test_a_tolerance_out_of_range_is_named(scores, tmp_path, tolerance):
    with pytest.raises(InputError, match=f"tolerance {tolerance}"):
        write_expected(scores, tmp_path / "expected.csv", tolerance)
    assert not (tmp_path / "expected.csv").exists()


@pytest.mark.parametrize("name", [p.stem for p in (ROOT / "results" / "expected").glob("*.csv")])
def test_every_cell_of_a_config_has_one_expected_mean(name):
    plan = Plan.load(ROOT / "workflow" / "config" / f"{name}.yaml")
    rows = [
        {**job.spec["axes"], **columns}
        for job in plan.jobs["evaluate"].values()
        for evaluator, columns in zip(job.spec["evaluators"], job.columns, strict=True)
        if "accuracy" in EVALUATORS.get(evaluator["name"]).metrics
    ]
    cells = expected_cells(pd.DataFrame(rows).fillna("")).drop_duplicates()
    expected = pd.read_csv(
        ROOT / "results" / "expected" / f"{name}.csv", dtype=str, keep_default_na=False
    )
    assert set(expected[KEY].itertuples(index=False, name=None)) == set(
        cells.astype(str).itertuples(index=False, name=None)
    )
    assert not expected.duplicated(KEY).any()
