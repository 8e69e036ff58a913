"""Archives merged: rows taken once, results that disagree refused with both, provenance kept."""

import csv
import json
import shutil
from pathlib import Path

import pytest
import yaml

from wowbench.cli import BAD_INPUT, main
from wowbench.contract.kinds import checks_of
from wowbench.results.archive import read_archive

WHOLE = Path(__file__).parents[2] / "results" / "measured" / "k100"
"""One flow each of three methods, the first of which moves nothing."""

BASELINE = "train_on_target"


def rows_of(folder):
    with open(folder / "scores.csv", newline="") as file:
        return list(csv.DictReader(file))


def edit_rows(folder, change):
    """Change rows in place, or leave out those for which `change` gives False."""
    rows = [row for row in rows_of(folder) if change(row) is not False]
    with open(folder / "scores.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def edit_config(folder, change):
    path = folder / "config.yaml"
    config = yaml.safe_load(path.read_text())
    change(config)
    path.write_text(yaml.safe_dump(config))


@pytest.fixture
def halves(tmp_path, monkeypatch):
    """Two archives, each of the baseline and one other method."""
    monkeypatch.chdir(tmp_path)
    folders = []
    for name, method in (("one", "mmdsw"), ("two", "mmdsw_fast")):
        folder = Path(name)
        shutil.copytree(WHOLE, folder)
        kept = (BASELINE, method)
        edit_rows(folder, lambda row, kept=kept: row["method"] in kept)

        def keep(config, kept=kept, name=name):
            (experiment,) = config["experiments"]
            experiment["methods"] = [m for m in experiment["methods"] if m["name"] in kept]
            config["name"] = name

        edit_config(folder, keep)
        folders.append(folder)
    return folders


def merge(*folders, out="both"):
    return main(["merge", *map(str, folders), "--out", out])


def refusal(capsys, *folders, out="both"):
    assert merge(*folders, out=out) == BAD_INPUT
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("wowbench merge: error: ")
    return line.removeprefix("wowbench merge: error: ")


def test_halves_make_the_whole(halves):
    assert merge(*halves) == 0

    def in_order(rows):
        return sorted(json.dumps(row, sort_keys=True) for row in rows)

    assert in_order(rows_of(Path("both"))) == in_order(rows_of(WHOLE))
    both, whole = (read_archive(folder).plan.config for folder in (Path("both"), WHOLE))
    assert both == whole.model_copy(update={"name": "both"})
    (provenance,) = json.loads((WHOLE / "provenance.json").read_text())[:1]
    kept = json.loads(Path("both/provenance.json").read_text())
    assert [entry.pop("archive") for entry in kept] == sorted(["one", "two"] * (len(kept) // 2))
    assert kept[0] == provenance
    reasons = {check.title: check.reason() for check in checks_of("archive", "both")}
    assert len(reasons) == 7
    assert set(reasons.values()) == {None}


def test_what_is_merged_can_be_merged_again(halves):
    assert merge(*halves) == 0
    assert merge("both", halves[0], out="again") == 0
    assert rows_of(Path("again")) == rows_of(Path("both"))
    entries = json.loads(Path("again/provenance.json").read_text())
    assert {entry["archive"] for entry in entries} == {"one", "two"}


def test_times_of_the_first_count(halves):
    def slow(row):
        if row["metric"] in ("flow_seconds", "seconds_per_step"):
            row["value"] = "1000.0"

    edit_rows(halves[1], slow)
    assert merge(*halves) == 0
    times = {
        r["method"]: r["value"] for r in rows_of(Path("both")) if r["metric"] == "flow_seconds"
    }
    assert times[BASELINE] == "0.0"
    assert times["mmdsw_fast"] == "1000.0"


def test_another_value_is_refused_with_both(halves, capsys):
    def better(row):
        if (row["method"], row["metric"], row["training_seed"]) == (BASELINE, "accuracy", "0"):
            row["value"] = "0.999"

    edit_rows(halves[1], better)
    before = next(
        row["value"]
        for row in rows_of(halves[0])
        if (row["method"], row["metric"], row["training_seed"]) == (BASELINE, "accuracy", "0")
    )
    error = refusal(capsys, *halves)
    assert error.startswith(
        "two results of one cell, transfer, MNIST to FashionMNIST, k = 100, train_on_target, "
    )
    assert f"flow seed 0, training seed 0, accuracy: value {before} in one, 0.999 in two" in error
    assert not Path("both").exists()


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [("draw", "0" * 16, f"in one, {'0' * 16} in two"), ("status", "odd", "ok in one, odd in two")],
)
def test_another_draw_and_another_end_are_refused(halves, capsys, column, value, said):
    def other(row):
        if row["method"] == BASELINE:
            row[column] = value

    edit_rows(halves[1], other)
    error = refusal(capsys, *halves)
    assert "two results of one cell, transfer" in error
    assert said in error
    assert f": {column} " in error


def test_the_way_a_number_is_written_is_no_other_value(halves):
    def longer(row):
        if row["metric"] == "accuracy":
            row["value"] += "000"

    edit_rows(halves[1], longer)
    assert merge(*halves) == 0


def test_a_row_that_comes_twice_is_refused(halves, capsys):
    with open(halves[1] / "scores.csv") as file:
        *_, last = file.readlines()
    with open(halves[1] / "scores.csv", "a") as file:
        file.write(last)
    error = refusal(capsys, *halves)
    assert error.startswith("two: transfer, MNIST to FashionMNIST, k = 100, mmdsw_fast")
    assert error.endswith("comes twice; expected one row")


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        (
            "seed",
            7,
            "the root seed is 0 in one and 7 in two, by which flows of one",
        ),
        (
            "images_per_class",
            7,
            "from that of those before it in methods, images_per_class",
        ),
    ],
)
def test_configs_that_make_no_common_one_are_refused(halves, capsys, key, value, said):
    def other(config):
        (config if key == "seed" else config["experiments"][0])[key] = value

    edit_config(halves[1], other)
    assert said in refusal(capsys, *halves)
    assert not Path("both").exists()


def test_other_experiments_stand_side_by_side(halves):
    def rename(config):
        config["experiments"][0]["id"] = "other"

    edit_config(halves[1], rename)
    edit_rows(halves[1], lambda row: row.update(experiment="other"))
    assert merge(*halves) == 0
    plan = read_archive(Path("both")).plan
    assert [experiment.label for experiment in plan.config.experiments] == ["transfer", "other"]
    assert len(rows_of(Path("both"))) == sum(len(rows_of(folder)) for folder in halves)


def test_bad_folders_are_named(halves, capsys):
    one, two = halves
    assert refusal(capsys, one) == "expected at least two archives to merge"
    assert refusal(capsys, one, f"./{one}") == "expected at least two archives to merge"
    assert refusal(capsys, one, two, out="one") == "one exists; expected a new or an empty folder"
    assert refusal(capsys, one, "absent") == "absent is no archive: it has no scores.csv"
    (two / "provenance.json").write_text("[1]")
    assert refusal(capsys, one, two).startswith("two/provenance.json: it has no list of mappings")
    (two / "provenance.json").write_text("{")
    assert refusal(capsys, one, two).startswith("two/provenance.json: Expecting property name")
    (two / "provenance.json").unlink()
    assert refusal(capsys, one, two) == "two is no archive: it has no provenance.json"
