"""Every registered method keeps to the contract, those of other packages included."""

import subprocess
import sys
from typing import ClassVar

import pytest
from pydantic import Field

from wowbench.contract.methods import STEPS, brief_method, method_checks
from wowbench.contract.problems import POSED
from wowbench.errors import InputError
from wowbench.parameters import FromRegistry
from wowbench.registry import METHODS

WITH_PARAMETERS = (
    {"name": "mmdsw", "center": True, "n_directions": 5, "n_directions_end": 20},
    {"name": "mmdsw_sprint", "n_directions": 4, "n_directions_end": "frame", "until": None},
    {"name": "mmdsw", "augmentation": ["flip"], "n_directions": 5, "n_directions_end": 20},
    {"name": "mmdsw", "scheme": {"average": 0.6}},
    {"name": "otdd", "scheme": {"average": 0.6}},
)
"""Methods whose parameters make them remember more from step to step than by default."""

CHECKS = [
    pytest.param(check, id=f"{entry}: {check.title}")
    for entry in (*METHODS.names(), *WITH_PARAMETERS)
    for check in method_checks(brief_method(entry))
]


@pytest.mark.parametrize("check", CHECKS)
def test_it_keeps_to_the_contract(check):
    check.run()


@pytest.mark.parametrize("name", METHODS.names())
def test_it_survives_the_way_through_a_config(name):
    entry, method = FromRegistry(METHODS), brief_method(name)
    assert entry.build(entry.dump(method)) == method


@pytest.mark.parametrize("name", METHODS.names())
def test_every_pairing_and_every_step_is_tried(name):
    method = METHODS.get(name)
    titles = {check.title for check in method_checks(brief_method(name))}
    for pairing in method.pairings:
        assert f"gives what a trajectory is, {POSED[pairing]}" in titles
    assert ("resumes after being killed" in titles) == ("steps" in method.model_fields)


def test_a_method_takes_few_steps_unless_it_is_given_others():
    changed = {"name": "otdd", "scheme": {"lr": 0.1}}
    assert brief_method("otdd").steps == brief_method(changed).steps == STEPS
    assert brief_method({"name": "otdd", "steps": 7}).steps == 7
    assert brief_method(changed).scheme.lr == 0.1
    with pytest.raises(InputError, match="unknown method 'ottd'; did you mean 'otdd'"):
        brief_method("ottd")


def test_a_method_that_needs_more_steps_takes_as_many(monkeypatch):
    class Slow(METHODS.get("otdd")):
        name: ClassVar[str] = "slow"
        steps: int = Field(12, ge=10)

    monkeypatch.setattr(METHODS, "_classes", {"slow": Slow})
    assert brief_method("slow").steps == 12


def test_listing_methods_imports_no_torch():
    code = (
        "import sys; from wowbench.registry import METHODS, TASKS; METHODS.names(); TASKS.names();"
        "assert 'torch' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
