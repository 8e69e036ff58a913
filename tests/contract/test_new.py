"""Files of `wowbench new`: each loads, keeps to the contract, and pleases ruff."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from wowbench.cli import BAD_INPUT, CHECKED, main

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """A folder with a copy of the package alone, and a way to run Python beside it."""
    folder = tmp_path_factory.mktemp("elsewhere")
    ignored = shutil.ignore_patterns("__pycache__", "bundled")
    shutil.copytree(ROOT / "wowbench", folder / "site" / "wowbench", ignore=ignored)
    work = folder / "work"
    work.mkdir()

    def run(*arguments):
        return subprocess.run(
            [sys.executable, *map(str, arguments)],
            cwd=work,
            env=os.environ | {"PYTHONPATH": str(folder / "site")},
            capture_output=True,
            text=True,
        )

    run.work = work
    return run


@pytest.fixture(scope="module")
def written(elsewhere):
    """The commands that come next, by kind."""
    return {
        kind: elsewhere("-m", "wowbench.cli", "new", kind, f"my_{kind}", "--out", "mine")
        for kind in CHECKED
    }


def test_it_writes_a_file_and_its_test_and_names_two_commands(elsewhere, written):
    for kind, done in written.items():
        assert (done.returncode, done.stderr) == (0, "")
        entry = f"my_{kind}:My{kind.title()}" if kind in ("table", "figure") else f"my_{kind}"
        assert done.stdout.splitlines() == [
            f"pytest mine/test_my_{kind}.py",
            f"wowbench check {kind} {entry} --plugin mine/my_{kind}.py",
        ]
        assert (elsewhere.work / f"mine/my_{kind}.py").is_file()


def test_their_tests_pass(elsewhere, written):
    options = ("-q", "-rf", "-p", "no:cacheprovider", "-W", "error")
    done = elsewhere("-m", "pytest", "mine", *options)
    assert done.returncode == 0, done.stdout
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) > 60


@pytest.mark.parametrize("kind", ["kernel", "table"])
def test_a_check_of_a_file_passes_far_from_the_repository(elsewhere, written, kind):
    command = written[kind].stdout.splitlines()[1].split()[1:]
    done = elsewhere("-m", "wowbench.cli", *command)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) >= 5
    assert all(line.startswith("passed: ") for line in lines)


def test_a_file_that_is_spoilt_fails_its_check(elsewhere, written):
    spoilt = elsewhere.work / "spoilt.py"
    text = (elsewhere.work / "mine/my_kernel.py").read_text()
    spoilt.write_text(text.replace("return -self.h", "return self.h"))
    done = elsewhere("-m", "wowbench.cli", "check", "kernel", "my_kernel", "-p", spoilt)
    assert done.returncode == 1
    (failed,) = (line for line in done.stdout.splitlines() if not line.startswith("passed: "))
    assert failed.startswith("FAILED: has the derivative of its value: its derivative at cost")


def test_ruff_has_nothing_to_say(elsewhere, written):
    files = sorted((elsewhere.work / "mine").glob("*.py"))
    assert len(files) == 2 * len(CHECKED)
    # There wowbench is a library of somebody else's, and tests need no docstrings either.
    settings = (
        f"extend = '{ROOT / 'pyproject.toml'}'",
        "lint.isort.known-third-party = ['wowbench']",
        "lint.extend-per-file-ignores = {'test_*' = ['D']}",
    )
    (elsewhere.work / "ruff.toml").write_text("\n".join(settings))
    for arguments in (("check", "--no-cache"), ("format", "--check", "--no-cache")):
        command = ["ruff", *arguments, *map(str, files)]
        done = subprocess.run(command, cwd=elsewhere.work, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_it_overwrites_nothing(tmp_path, capsys):
    arguments = ["new", "kernel", "my_own", "--out", str(tmp_path / "a")]
    assert main(arguments) == 0
    file = tmp_path / "a" / "my_own.py"
    file.write_text("mine")
    capsys.readouterr()
    assert main(arguments) == BAD_INPUT
    assert f"error: {file} exists; remove it" in capsys.readouterr().err
    assert file.read_text() == "mine"
    file.unlink()
    assert main(arguments) == BAD_INPUT
    assert f"error: {file.with_name('test_my_own.py')} exists" in capsys.readouterr().err
    assert not file.exists()


@pytest.mark.parametrize(
    ("kind", "name", "reason"),
    [
        ("method", "My-Method", "got the name 'My-Method'; expected at most 60 small letters"),
        ("method", "a/b", "got the name 'a/b'; expected"),
        ("method", "", "got the name ''; expected"),
        ("method", "1st", "got the name '1st'; expected"),
        ("method", "class", "got the name 'class'; expected"),
        ("method", "test_it", "got the name 'test_it'; expected"),
        ("method", "x" * 61, "; expected at most 60 small letters"),
        ("method", "mmdsw", "there is a method 'mmdsw'; choose another name"),
        ("dataset", "mnist", "there is a dataset 'mnist'; choose another name"),
        ("kernel", "random", "there is a module 'random' ("),
        ("table", "numpy", "there is a module 'numpy' ("),
        ("method", "matched_flow", "'matched_flow' would be the class MatchedFlow, which the"),
    ],
)
def test_a_bad_name_is_refused_in_one_line(tmp_path, capsys, kind, name, reason):
    assert main(["new", kind, name, "--out", str(tmp_path / "new")]) == BAD_INPUT
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("wowbench new: error: ")
    assert reason in line
    assert not (tmp_path / "new").exists()
