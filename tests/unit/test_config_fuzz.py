"""Hostile configs: every place of a config with every kind of wrong value."""

import copy
import json
import math
from pathlib import Path

import jsonschema
import pytest
import yaml

from wowbench.cli import BAD_INPUT, main
from wowbench.config import config_schema
from wowbench.errors import InputError
from wowbench.parameters import FromRegistry
from wowbench.plan import Plan
from wowbench.registry import METHODS, TASKS

ROOT = Path(__file__).parents[2]
LONGEST = 500


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


VALUES = {
    "null": None,
    "empty list": [],
    "empty mapping": {},
    "true": True,
    "false": False,
    "minus one": -1,
    "zero": 0,
    "a half": 0.5,
    "huge": 10**30,
    "thousands of digits": 1 << 100_000,
    "infinite": math.inf,
    "minus infinite": -math.inf,
    "not a number": math.nan,
    "infinite text": "1e400",
    "empty text": "",
    "long text": "x" * 200,
    "very long text": "x" * 100_000,
    "lines": "a\nb\tc",
    "up": "../..",
    "shell": "$(touch x); rm -rf `pwd`",
    "null byte": "\0",
    "surrogate": "\ud800",
    "nested": nested(20),
    "deeply nested": nested(400),
    "booleans": [True],
    "a list of nulls": [None, None],
    "long list": [1] * 10_000,
    "twice": ["a", "a"],
    "numbers as keys": {3: 4, None: 5, (1, 2): 6},
    "unknown mapping": {"name": {"name": "x" * 300}},
    "mappings": [{}, {"a": {"b": [1]}}],
}

UNWRITABLE = ("thousands of digits", "surrogate", "deeply nested", "numbers as keys")
"""What YAML's writer cannot write."""


def method(name):
    """A method with all its parameters written out."""
    return FromRegistry(METHODS).dump(FromRegistry(METHODS).build(name))


def everything():
    """Configs that have every field of every task and method."""
    digits = {"name": "MNIST", "bundled": True, "id": "numerals", "image_size": 28}
    folder = {"name": "folder", "id": "mine", "path": "x", "image_size": 28, "channels": 1}
    transfer = {
        "task": "transfer",
        "id": "one",
        "source": digits,
        "targets": [{"name": "FashionMNIST", "bundled": True}, "USPS", folder],
        "shots": [1, 2],
        "images_per_class": 10,
        "spread": "fixed",
        "flows": 1,
        "trainings": 2,
        "training": {"network": "lenet5", "epochs": 2, "batch_size": 64, "lr": 1e-3},
        "methods": [method(n) for n in METHODS.names() if "free" in METHODS.get(n).pairings],
    }
    distillation = {
        "task": "distillation",
        "datasets": [digits],
        "images_per_class": [1, 2],
        "target_images": 100,
        "batch_size": 20,
        "snapshots": [0, 10],
        "protocols": ["paper", {"name": "dm", "epochs": 3, "augmentation": ["crop"]}],
        "flows": 1,
        "trainings": 1,
        "methods": [method(n) for n in METHODS.names() if "by_number" in METHODS.get(n).pairings],
    }
    top = {"name": "test", "seed": 1, "data_root": "data", "device": "cpu", "threads": 2}
    smoke = yaml.safe_load((ROOT / "workflow" / "config" / "smoke.yaml").read_text())
    return {
        "smoke": smoke,
        "transfer": {**top, "experiments": [transfer]},
        "distillation": {**top, "experiments": [distillation]},
    }


def places(node, path=()):
    """Paths of all that a config holds, itself left out."""
    children = node.items() if isinstance(node, dict) else enumerate(node)
    for key, child in children:
        yield (*path, key)
        if isinstance(child, dict | list):
            yield from places(child, (*path, key))


def replaced(config, path, value):
    config = copy.deepcopy(config)
    node = config
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return config


CASES = [(name, path) for name, config in everything().items() for path in places(config)]


def test_the_configs_have_every_task():
    tasks = {e["task"] for config in everything().values() for e in config["experiments"]}
    assert tasks >= {"transfer", "distillation"} == tasks & set(TASKS.names())


@pytest.mark.parametrize("name", everything())
def test_they_are_valid_as_they_are(name):
    config = everything()[name]
    assert Plan.load(config).jobs["flow"]
    jsonschema.validate(config, config_schema())


@pytest.mark.parametrize(
    ("name", "path"), CASES, ids=[f"{n}-{'.'.join(map(str, p))}" for n, p in CASES]
)
def test_a_wrong_value_is_refused_in_one_line_or_makes_a_plan(name, path):
    config = everything()[name]
    for kind, value in VALUES.items():
        try:
            plan = Plan.load(replaced(config, path, value))
        except InputError as error:
            message = str(error)
            assert "\n" not in message, kind
            assert 0 < len(message) <= LONGEST, (kind, len(message))
            assert message.isprintable(), (kind, message)
        else:
            assert plan.jobs["flow"], kind
            # What is valid is finite, and is the same after the way through JSON.
            text = json.dumps(plan.config.model_dump(mode="json"), allow_nan=False)
            assert Plan.load(text).jobs == plan.jobs, kind


@pytest.mark.parametrize("kind", VALUES)
def test_validate_refuses_it_with_one_line_and_no_traceback(kind, tmp_path, capsys):
    path = tmp_path / "config.yaml"
    config = replaced(everything()["smoke"], ("experiments", 0, "flows"), VALUES[kind])
    path.write_text(yaml.dump(config, Dumper=yaml.SafeDumper) if kind not in UNWRITABLE else "[")
    assert main(["validate", str(path)]) == BAD_INPUT
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("wowbench validate: error: ")
    assert captured.err.count("\n") == 1
    assert len(captured.err) <= LONGEST + 100
