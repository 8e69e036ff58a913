"""The package as it is released: one version everywhere, and a wheel that works by itself."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_the_newest_version_of_the_changelog_is_that_of_the_package_and_of_its_citation():
    found = re.findall(
        r"^## (\d+\.\d+\.\d+) - (\d{4}-\d\d-\d\d)$", (ROOT / "CHANGELOG.md").read_text(), re.M
    )
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert found[0] == (citation["version"], citation["date-released"])
    assert found[0][0] == PROJECT["version"]


def test_every_folder_of_the_package_with_data_is_packaged():
    packaged = {
        path
        for pattern in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"][
            "package-data"
        ]["wowbench"]
        for path in (ROOT / "wowbench").glob(pattern)
    }
    listed = subprocess.run(
        ["git", "ls-files", "wowbench"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    data = {ROOT / line for line in listed.stdout.split() if not line.endswith(".py")}
    assert data <= packaged


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Folder that a wheel of the package is installed into, without its dependencies."""
    wheels, target = (tmp_path_factory.mktemp(name) for name in ("wheels", "target"))
    source = tmp_path_factory.mktemp("source") / "wowbench"
    # Building writes into the source tree, which may be one that nobody may write to.
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, source], check=True)
    options = ["--quiet", "--no-deps", "--disable-pip-version-check"]
    for command in (
        ["wheel", "--no-build-isolation", "--wheel-dir", wheels, source],
        ["install", "--target", target, "--no-index", "--find-links", wheels, "wowbench"],
    ):
        verb, *rest = command
        subprocess.run([sys.executable, "-m", "pip", verb, *options, *rest], check=True)
    return target


def test_a_wheel_lists_names_and_validates_a_config_outside_the_repository(installed, tmp_path):
    config = tmp_path / "smoke.yaml"
    config.write_text((ROOT / "workflow/config/smoke.yaml").read_text())
    env = {**os.environ, "PYTHONPATH": str(installed)}
    for arguments, said in (
        (["list", "methods"], r"^mmdsw +flow of"),
        (["validate", "smoke.yaml"], "valid; run 'smoke'"),
    ):
        done = subprocess.run(
            [sys.executable, installed / "bin" / "wowbench", *arguments],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        assert re.search(said, done.stdout, re.M)
    where = subprocess.run(
        [sys.executable, "-c", "import wowbench; print(wowbench.__file__)"],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    assert where.stdout.startswith(str(installed))
