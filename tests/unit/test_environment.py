"""environment.yml, pyproject.toml and the lock say the same."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = [
    Requirement(line)
    for line in (ROOT / "envs" / "requirements.lock").read_text().splitlines()
    if line and not line.startswith("#")
]
EXTRAS = PROJECT["optional-dependencies"].values()
DECLARED = [Requirement(r) for r in PROJECT["dependencies"] + [r for e in EXTRAS for r in e]]


@pytest.mark.parametrize("requirement", DECLARED, ids=lambda r: r.name)
def test_the_lock_satisfies_every_declared_requirement(requirement):
    pins = [p for p in LOCK if canonicalize_name(p.name) == canonicalize_name(requirement.name)]
    assert pins
    for pin in pins:
        (specifier,) = pin.specifier
        assert specifier.operator == "=="
        assert requirement.specifier.contains(specifier.version)


def test_torch_and_torchvision_are_a_pair():
    # torchvision 0.(n + 15) belongs to torch 2.n.
    pins = {p.name: next(iter(p.specifier)).version for p in LOCK}
    torch, torchvision = (pins[name].split(".") for name in ("torch", "torchvision"))
    assert torch[0] == "2"
    assert torchvision[0] == "0"
    assert int(torchvision[1]) == int(torch[1]) + 15


def test_the_conda_environment_is_python_pip_and_the_lock():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    python, pip, via_pip = environment["dependencies"]
    assert python.replace(" ", "") == "python" + PROJECT["requires-python"]
    assert pip == "pip"
    assert via_pip == {"pip": ["--requirement envs/requirements.lock", "--editable ."]}


def test_make_installs_the_lock_that_conda_installs():
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(r"pip install .*--requirement envs/requirements\.lock", makefile)


def test_rules_name_the_conda_environment_that_users_create():
    # A file would be copied away from the lock and the package that it refers to.
    name = yaml.safe_load((ROOT / "environment.yml").read_text())["name"]
    workflow = ROOT / "workflow"
    (named,) = re.findall(r'environment = "(.*)" if by_conda', (workflow / "Snakefile").read_text())
    assert named == name
    rules = "".join(path.read_text() for path in (workflow / "rules").glob("*.smk"))
    assert set(re.findall(r"conda:\s+(.*)", rules)) == {"environment"}
    assert rules.count("conda:") == rules.count("shell:")


def test_the_image_installs_the_lock_and_every_file_that_it_copies_is_there():
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert "pip install --no-cache-dir --requirement envs/requirements.lock" in dockerfile
    for source in re.findall(r"^COPY (\S+) ", dockerfile, re.MULTILINE):
        assert (ROOT / source).exists()


@pytest.mark.parametrize(
    "path", sorted((ROOT / ".github" / "workflows").glob("*.yml")), ids=lambda p: p.name
)
def test_continuous_integration_calls_targets_that_exist(path):
    steps = [s for job in yaml.safe_load(path.read_text())["jobs"].values() for s in job["steps"]]
    commands = "\n".join(step.get("run", "") for step in steps)
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"\bmake (\w+)", commands)) <= set(targets)
    for config in re.findall(r"--configfile (\S+)", commands):
        assert (ROOT / config).is_file()
