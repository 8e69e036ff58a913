"""What a pull request brings in: archives are whole, and agree with themselves."""

import csv
import json
import re
import shutil
from pathlib import Path

import pytest

from wowbench.cli import main
from wowbench.contract.kinds import checks_of

MEASURED = Path(__file__).parents[2] / "results" / "measured"
FOLDERS = sorted(path for path in MEASURED.iterdir() if path.is_dir())
FILES = "has all its files and a valid config"
ROWS = "has one row for each measurement"
RANGE = "has numbers in their range"
CELLS = "has the cells of its plan and no others"
TRAININGS = "has every training"
COMMITS = "was computed from clean commits"
PLUGINS = "has the plugins that it was computed with"
ALL = (FILES, ROWS, RANGE, CELLS, TRAININGS, COMMITS, PLUGINS)


def failures(folder):
    reasons = {check.title: check.reason() for check in checks_of("archive", folder)}
    assert tuple(reasons) == ALL
    return {title: reason for title, reason in reasons.items() if reason is not None}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_it_keeps_to_the_contract(folder):
    assert failures(folder) == {}


def without_last_accuracy(rows):
    rows.remove([row for row in rows if row["metric"] == "accuracy"][-1])


def without_a_method(rows):
    rows[:] = [row for row in rows if row["method"] != "mmdsw"]


def set_first(**values):
    def change(rows):
        next(row for row in rows if row["metric"] == "accuracy").update(values)

    return change


SPOILT = {
    "missing training": (
        without_last_accuracy,
        {TRAININGS: "has the trainings .*; expected 5"},
    ),
    "missing method": (without_a_method, {CELLS: "2 cells have no row; the first is transfer"}),
    "twice": (
        lambda rows: rows.append(dict(rows[3])),
        {ROWS: "1 rows measure what others do"},
    ),
    "percent": (
        set_first(value="68.78"),
        {RANGE: "the value 68.78; expected one from 0"},
    ),
    "text": (set_first(value="good"), {RANGE: "has the value 'good'; expected a number"}),
    "infinite": (set_first(value="inf"), {RANGE: "has the value 'inf'; expected a number"}),
    "failed": (set_first(status="diverged"), {RANGE: "has a value and the status 'diverged'"}),
    "method": (
        set_first(method="mine"),
        {CELLS: "its config has no transfer transfer MNIST FashionMNIST 100 mine", TRAININGS: "."},
    ),
    "parameter": (
        set_first(**{"task.images_per_class": "7"}),
        {CELLS: "has task.images_per_class 7, not 200; expected what its config has"},
    ),
    "commit": (
        set_first(commit="f" * 40),
        {COMMITS: "rows have commits that no prov"},
    ),
}


@pytest.fixture
def archive(tmp_path):
    folder = tmp_path / "mine"
    shutil.copytree(MEASURED / "k100", folder)
    return folder


@pytest.mark.parametrize("name", SPOILT)
def test_spoilt_scores_are_found(archive, name):
    change, expected = SPOILT[name]
    with open(archive / "scores.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    change(rows)
    with open(archive / "scores.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    found = failures(archive)
    assert found.keys() == expected.keys()
    for title, reason in expected.items():
        assert re.search(reason, found[title]), found[title]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"dirty": True}, "a provenance has changes beside the commit"),
        ({"dirty": None}, "a provenance has changes beside the commit"),
        ({"commit": None}, "a provenance has the commit None; run it from a checkout"),
        ({"commit": "abc"}, "a provenance has the commit 'abc'; run it"),
    ],
)
def test_a_provenance_without_a_clean_commit_is_found(archive, changes, reason):
    path = archive / "provenance.json"
    entries = json.loads(path.read_text())
    entries[0].update(changes)
    path.write_text(json.dumps(entries))
    found = failures(archive)
    assert found.keys() == {COMMITS}
    assert found[COMMITS].startswith(reason)


def test_a_plugin_of_other_code_is_found(archive):
    path = archive / "provenance.json"
    entries = json.loads(path.read_text())
    entries[0]["plugins"] = {"mine.py": "0" * 16}
    path.write_text(json.dumps(entries))
    assert failures(archive) == {
        PLUGINS: f"plug-in mine.py: the digest of its code is none, and jobs ran with {'0' * 16}; "
        "run them again"
    }


def test_the_command_says_it_in_lines(archive, capsys):
    assert main(["check", "archive", str(archive)]) == 0
    assert capsys.readouterr().out.splitlines() == [f"passed: {title}" for title in ALL]
    (archive / "config.yaml").write_text("name: mine\nexperimants: []\n")
    other = archive.rename(archive.with_name("renamed"))
    assert main(["check", "archive", str(other)]) == 1
    first, *_ = capsys.readouterr().out.splitlines()
    assert first.startswith(f"FAILED: {FILES}: {other}/config.yaml: unknown key 'experimants'; did")
