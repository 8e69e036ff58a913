"""A copy of the workflow in a folder of its own, and ways to run it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


class Checkout:
    """The files that a user has, without results."""

    def __init__(self, folder: Path):
        self.folder = folder
        for name in ("Snakefile", "environment.yml", "LICENSE"):
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


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A checkout in which the smoke config has run."""
    checkout = Checkout(tmp_path_factory.mktemp("finished"))
    done = checkout.snakemake()
    assert done.returncode == 0, done.stderr
    return checkout
