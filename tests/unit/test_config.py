"""Configs: what is accepted, and one clear line for what is not."""

import copy
import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from wowbench.config import config_schema, load_config
from wowbench.errors import InputError
from wowbench.parameters import FromRegistry
from wowbench.plan import Plan
from wowbench.registry import METHODS

ROOT = Path(__file__).parents[2]
CONFIGS = sorted((ROOT / "workflow" / "config").glob("*.yaml"))
BASE = yaml.safe_load((ROOT / "workflow" / "config" / "smoke.yaml").read_text())


def changed(path, value):
    config = copy.deepcopy(BASE)
    node = config
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return config


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_every_config_of_the_workflow_is_valid(path):
    assert load_config(path).name == path.stem


@pytest.mark.parametrize(
    ("path", "value", "culprit", "remedy"),
    [
        (["sede"], 1, "unknown key 'sede'", "'seed'"),
        (["seed"], -1, "seed: got -1", "greater than or equal to 0"),
        (["name"], "a/b", "'a/b'", "letters, digits"),
        (["device"], "gpu", "device: got 'gpu'", "'cuda'"),
        (["threads"], "many", "threads: got 'many'", "integer"),
        (["experiments", 0, "task"], "transferr", "unknown task 'transferr'", "'transfer'"),
        (["experiments", 0, "shotz"], [1], "unknown key 'shotz'", "'shots'"),
        (["experiments", 0, "shots"], [0], "shots[0]: got 0", "greater than 0"),
        (["experiments", 0, "shots"], [2, 2], "shots: got [2, 2]", "different"),
        (["experiments", 0, "flows"], 0, "flows: got 0", "greater than 0"),
        (["experiments", 0, "source"], "MNSIT", "unknown dataset 'MNSIT'", "'MNIST'"),
        (["experiments", 0, "source"], 3, "source: got 3", "name of a dataset"),
        (["experiments", 0, "source"], "CIFAR10", "CIFAR10 has particles", "(3, 32, 32)"),
        (["experiments", 0, "methods", 1, "name"], "mmdws", "unknown method 'mmdws'", "'mmdsw'"),
        (["experiments", 0, "methods", 1, "scheme"], {"lr": "fast"}, "lr: got 'fast'", "number"),
        (
            ["experiments", 0, "methods", 1, "scheme"],
            {"lr": 3e38},
            "lr: got 3e+38",
            "less than or equal to 1e+38",
        ),
        (["data_root"], 3, "data_root: got 3 (int)", "path"),
        (["experiments", 0, "methods", 1, "stepz"], 1, "unknown key 'stepz'", "'steps'"),
        (["experiments", 0, "methods", 0], "mmdsw", "'mmdsw'", "`id`"),
        (["experiments", 0, "training", "epocs"], 1, "unknown key 'epocs'", "'epochs'"),
    ],
)
def test_bad_values_are_named_in_one_line(path, value, culprit, remedy):
    with pytest.raises(InputError) as caught:
        Plan.load(changed(path, value))
    message = str(caught.value)
    assert culprit in message
    assert remedy in message
    assert "\n" not in message


@pytest.mark.parametrize("text", ["a: [", "- 1", "\x00"])
def test_a_file_that_is_no_config_is_named(tmp_path, text):
    path = tmp_path / "broken.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"broken\.yaml") as caught:
        load_config(path)
    assert "\n" not in str(caught.value)


def test_an_absent_config_is_named(tmp_path):
    with pytest.raises(InputError, match=r"absent\.yaml: No such file"):
        load_config(tmp_path / "absent.yaml")


def test_numbers_that_yaml_reads_as_text_are_numbers():
    config = load_config(changed(["experiments", 0, "methods", 1, "scheme"], {"lr": "1e-3"}))
    assert config.experiments[0].methods[1].scheme.lr == 0.001


def test_a_config_survives_the_way_through_json():
    plan = Plan.load(BASE)
    assert Plan.load(plan.config_json).jobs == plan.jobs


def test_a_method_that_does_not_pair_classes_as_a_task_does_says_why():
    method = FromRegistry(METHODS).build("train_on_target")
    method.require_pairing("free", "the task 'rowing'")
    message = "'train_on_target' does not support the task 'rowing': it was not made for it"
    with pytest.raises(InputError, match=message):
        method.require_pairing("by_number", "the task 'rowing'")


def test_the_schema_in_the_repository_is_that_of_the_models():
    path = ROOT / "workflow" / "schemas" / "config.schema.json"
    assert json.loads(path.read_text()) == config_schema()


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_the_schema_accepts_what_the_models_accept(path):
    validator = jsonschema.Draft202012Validator(config_schema())
    assert list(validator.iter_errors(yaml.safe_load(path.read_text()))) == []


def test_the_schema_refuses_a_misspelt_parameter():
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(changed(["experiments", 0, "shotz"], [1]), config_schema())
