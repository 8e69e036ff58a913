"""A copy of the workflow in a folder of its own, and ways to run it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


class Checkout:
    """The files that a user has, without results; or a copy of another checkout, with them."""

    def __init__(self, folder: Path, *, of: Path | None = None):
        self.folder = folder
        if of is not None:
            shutil.copytree(of, folder, dirs_exist_ok=True)
            return
        for name in ("Snakefile", "Makefile", "environment.yml", "LICENSE"):
            shutil.copy(ROOT / name, folder)
        for name in ("workflow", "profiles", "wowbench", "envs"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        shutil.copytree(ROOT / "results" / "published", folder / "results" / "published")
        expected = ROOT / "results" / "expected"
        shutil.copytree(expected, folder / "results" / "expected")

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess:
        """Run a command in the checkout, with its copy of the package before the installed one."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = os.environ | {"PATH": path, "PYTHONPATH": str(self.folder)} | variables
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=600
        )

    def snakemake(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess:
        """Run Snakemake on the smoke config."""
        return self.run(
            "snakemake",
            "--cores",
            "2",
            "--configfile",
            "workflow/config/smoke.yaml",
            *arguments,
            **variables,
        )

    def would_run(self, *arguments: str, command: Sequence[str] = ()) -> dict[str, int]:
        """Count the jobs by rule that Snakemake would run now, or that `command` would."""
        run = partial(self.run, *command) if command else self.snakemake
        done = run("--dry-run", *arguments)
        assert done.returncode == 0, done.stderr
        lines = (done.stdout + done.stderr).splitlines()
        if any("Nothing to be done" in line for line in lines):
            return {}
        start = next(i for i, line in enumerate(lines) if line.startswith("job "))
        rows = [line.split() for line in lines[start + 2 :]]
        return {row[0]: int(row[1]) for row in rows[: rows.index([])] if row[0] != "total"}

    @contextmanager
    def edited(self, path: str, old: str, new: str) -> Iterator[None]:
        """Replace text of a file for a while."""
        file = self.folder / path
        original = file.read_bytes()
        assert old.encode() in original
        file.write_bytes(original.replace(old.encode(), new.encode()))
        try:
            yield
        finally:
            file.write_bytes(original)


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path)


@pytest.fixture(scope="session")
def new_checkout(tmp_path_factory):
    """Return a function that makes a checkout, for fixtures of longer life than a test."""
    return lambda: Checkout(tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A checkout in which the smoke config has run; tests leave it as it is."""
    checkout = Checkout(tmp_path_factory.mktemp("finished"))
    done = checkout.snakemake()
    assert done.returncode == 0, done.stderr
    return checkout


@pytest.fixture
def again(finished, tmp_path):
    """A copy of the finished checkout, to be changed."""
    return Checkout(tmp_path, of=finished.folder)
