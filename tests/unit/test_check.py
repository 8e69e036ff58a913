"""The check of a run against expected means."""

from pathlib import Path

import pandas as pd
import pytest

from wowbench.cli import FAILED, main
from wowbench.errors import InputError
from wowbench.plan import Plan
from wowbench.registry import EVALUATORS
from wowbench.results.expected import KEY, expected_cells, read_expected, write_expected
from wowbench.results.scores import write_scores
from wowbench.results.verdict_page import read_verdicts, verdict_line
from wowbench.results.verdicts import is_off, verdicts

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


def checked(scores, expected):
    return verdicts(scores, read_expected(expected))


def test_a_run_is_within_what_it_was_written_to_expect(scores, expected):
    table = checked(scores, expected)
    assert set(table.verdict) == {"agrees"}
    assert table.mean_a.tolist() == pytest.approx([0.4, 0.3, 0.6, 0.7])
    assert not is_off(table).any()
    assert verdict_line(table) == "all 4 means lie within their tolerances"


def test_what_cancels_in_a_pooled_mean_is_off(scores, expected):
    shift = (scores.protocol == "dm") * 0.02 - (scores.protocol == "paper") * 0.02
    table = checked(scores.assign(value=scores.value + shift), expected)
    assert table.verdict.tolist() == ["agrees", "agrees", "differs", "better than it should be"]
    assert is_off(table).tolist() == [False, False, True, True]


@pytest.mark.parametrize(
    ("change", "verdict", "detail"),
    [
        ({"images_per_class": 99}, "not comparable", "images_per_class 99 against 200"),
        ({"methods": ["otdd"]}, "not run", "only in B"),
    ],
)
def test_a_run_with_other_parameters_does_not_stand_for_the_expected(
    scores_of, expected, change, verdict, detail
):
    run = scores_of(transfer(**change), OTHERS, PROTOCOLS, value=value)
    table = checked(run, expected)
    off = table[is_off(table)]
    assert (off.verdict.tolist(), off.detail.tolist()) == ([verdict], [detail])
    line = verdict_line(table)
    assert line.startswith(
        "1 of 4 means are off; first transfer transfer MNIST FashionMNIST 1 mmdsw own accuracy: "
        f"{verdict} {detail}"
    )
    assert "against 0.4" in line


def test_a_run_in_which_all_diverged_is_off(scores_of, expected):
    diverged = scores_of(transfer(), OTHERS, PROTOCOLS, status=lambda axes: ("diverged", ""))
    table = checked(diverged, expected)
    assert set(table.verdict) == {"not run"}
    assert set(table.detail) == {"A: 2 diverged"}
    assert is_off(table).all()


def test_the_verbs_compare_always_and_then_judge(scores, expected, tmp_path, capsys):
    path, out, verdict = (tmp_path / n for n in ("scores.csv", "check.csv", "verdict.txt"))
    write_scores(scores.assign(value=scores.value + 0.5), path)
    assert main(["compare", str(path), str(expected), "--out", str(out)]) == FAILED
    assert main(["verdict", "--comparison", str(out), "--out", str(verdict)]) == FAILED
    said = capsys.readouterr()
    line = "4 of 4 means are off; first transfer transfer MNIST FashionMNIST 1 mmdsw own accuracy"
    assert said.out.count("\n") == said.err.count("\n") == 1
    assert line in said.out
    assert line in said.err
    assert not verdict.exists()

    write_scores(scores, path)
    assert main(["compare", str(path), str(expected), "--out", str(out)]) == 0
    assert main(["verdict", "--comparison", str(out), "--out", str(verdict)]) == 0
    assert verdict.read_text() == "all 4 means lie within their tolerances\n"


@pytest.mark.parametrize("text", [None, "", "a,b\n1,2\n", "mean,tolerance\n1,2\n"])
def test_what_is_no_file_of_means_is_named(tmp_path, text):
    path = tmp_path / "broken.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=r"expected scores .*broken\.csv"):
        read_expected(path)
    with pytest.raises(InputError, match=r"comparison .*broken\.csv"):
        read_verdicts(path)


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
