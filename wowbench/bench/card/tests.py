"""The tests that need a card."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

from wowbench.bench.card.part import Job, Rows, Skipped
from wowbench.provenance import ROOT

TESTS = ROOT / "tests"
MARK = "@pytest.mark.gpu"


def tests(job: Job) -> Rows:
    """Run the tests marked ``gpu``, and tell what pytest says last.

    Raises
    ------
    Skipped
        If the tests are not beside the package, or pytest is not installed.
    """
    if not TESTS.is_dir():
        raise Skipped(f"there is no folder {TESTS}; it is part of a checkout alone")
    if importlib.util.find_spec("pytest") is None:
        raise Skipped("pytest is not installed")
    # By their text: importing all files takes longer than these tests.
    files = [
        str(path) for path in sorted(TESTS.rglob("test_*.py")) if MARK in path.read_text("utf-8")
    ]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-m", "gpu", "-p", "no:cacheprovider", *files],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    print(done.stdout)
    lines = done.stdout.strip().splitlines() or [""]
    failed = [line for line in lines if line.startswith(("FAILED", "ERROR"))]
    yield "tests", {"status": done.returncode, "summary": lines[-1], "failed": failed[:20]}
