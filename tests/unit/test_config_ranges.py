"""Ranges of numbers and names: in the models, and in the schema alike."""

import copy
import json
import math
import re
import subprocess
import sys

import jsonschema
import pytest
from pydantic import Field

from wowbench.config import config_schema, load_config
from wowbench.errors import InputError, shown
from wowbench.names import unique
from wowbench.parameters import FromRegistry, Parameters
from wowbench.plan import Plan
from wowbench.registry import TASKS

SCHEMA = config_schema()

TRANSFER = {
    "task": "transfer",
    "source": {"name": "MNIST", "bundled": True},
    "targets": [{"name": "FashionMNIST", "bundled": True}],
    "shots": [1, 5],
    "flows": 2,
    "trainings": 3,
    "training": {},
    "methods": [{"name": "mmdsw"}],
}
DISTILLATION = {
    "task": "distillation",
    "datasets": [{"name": "MNIST", "bundled": True}],
    "images_per_class": [1, 10],
    "target_images": "all_available",
    "snapshots": [0],
    "protocols": [{"name": "dm"}],
    "flows": 2,
    "trainings": 3,
    "methods": [{"name": "dm", "steps": 10**9}, {"name": "full_data"}],
}


def config(*experiments, **top):
    return {"name": "test", "experiments": list(experiments), **top}


def with_value(base, path, value):
    """Config with one experiment, in which `path` is `value`; from the top where it says so."""
    result = config(copy.deepcopy(base))
    *parents, last = path[1:] if path[0] == "top" else ("experiments", 0, *path)
    node = result
    for key in parents:
        node = node[key]
    node[last] = value
    return result


def accepted(values):
    """Whether the models take a config, and whether the schema does."""
    try:
        load_config(values)
        loaded = True
    except InputError:
        loaded = False
    return loaded, jsonschema.Draft202012Validator(SCHEMA).is_valid(values)


METHOD = ("methods", 0)
RANGES = [
    (TRANSFER, ("top", "seed"), [0, 2**63 - 1], [-1, 2**63]),
    (TRANSFER, ("top", "threads"), [1, 1024], [0, 1025]),
    (TRANSFER, ("flows",), [1, 1000], [0, 1001, 100_000_000]),
    (TRANSFER, ("trainings",), [1, 1000], [0, 1001]),
    (TRANSFER, ("shots", 0), [1, 10**6], [0, -1, 10**6 + 1]),
    (TRANSFER, ("images_per_class",), [1, 10**6], [0, 10**6 + 1]),
    (TRANSFER, ("training", "epochs"), [1, 10**6], [0, 10**6 + 1]),
    (TRANSFER, ("training", "batch_size"), [1, 10**6], [0, 10**6 + 1]),
    (TRANSFER, ("training", "lr"), [1e-9, 1e38], [0, -1, 3e38]),
    (TRANSFER, ("training", "weight_decay"), [0, 1e6], [-1e-9, 1e7]),
    (DISTILLATION, ("datasets", 0, "image_size"), [28, 4096], [1, 0, 4097, 10**9]),
    (TRANSFER, (*METHOD, "steps"), [1, 10**9], [0, 10**9 + 1, 10**20]),
    (TRANSFER, (*METHOD, "n_directions"), [1, 10**6], [0, 10**6 + 1]),
    (DISTILLATION, ("images_per_class", 1), [2, 10**6], [0, 10**6 + 1]),
    (DISTILLATION, ("target_images",), [256, 10**6], [0, 10**6 + 1]),
    (DISTILLATION, ("batch_size",), [1, 10**6], [0, 10**6 + 1]),
    (DISTILLATION, ("snapshots", 0), [0, 10**9], [-1, 10**9 + 1]),
    (DISTILLATION, ("protocols", 0, "epochs"), [1, 10**6], [0, 10**6 + 1]),
    (DISTILLATION, ("protocols", 0, "max_steps"), [1, 10**9], [0, 10**9 + 1]),
]


def method(**parameters):
    return {**TRANSFER, "methods": [parameters]}


RANGES += [
    (method(name="mmdsw", kernel=kernel), (*METHOD, "kernel", parameter), good, bad)
    for kernel, parameter, good, bad in (
        ({}, "r", [1e-3, 1, 1.999], [0, -1, 2, 3, 1e300]),
        ({"name": "riesz"}, "r", [0.5, 1.5], [0, 2, 5]),
        ({"name": "gaussian"}, "h", [1e-3, 2, 5, 1e6], [0, -1, 1e300]),
        ({"name": "laplace"}, "h", [1e-3, 2, 5, 1e6], [0, -1, 1e300]),
        ({"name": "imq"}, "h", [1e-3, 2, 5, 1e6], [0, -1, 1e-300]),
    )
]
RANGES += [
    (method(name="otdd"), (*METHOD, "epsilon"), [1e-3, 10], [0, -1, 1e300]),
    (method(name="otdd", scheme={}), (*METHOD, "scheme", "weight_decay"), [0, 1], [-1, 1e300]),
    (method(name="mmdsw", scheme={}), (*METHOD, "scheme", "lr"), [1e-30, 1e38], [0, -1, 3e38]),
    (method(name="mmdsw", scheme={}), (*METHOD, "scheme", "momentum"), [0, 0.999], [-0.1, 1, 2]),
    (
        method(name="mmdsw", scheme={"name": "adamw"}),
        (*METHOD, "scheme", "betas"),
        [[0, 0.5], [0.9, 0.999]],
        [[1, 0.5], [0.9, -0.1], [0.9], [0.9, 0.9, 0.9]],
    ),
    (method(name="mmd_product"), (*METHOD, "noise"), [0, 1], [-1, 1e300]),
    (
        method(name="mmd_product"),
        (*METHOD, "bandwidths"),
        [[1, 1, 1], [1e-3, 50, 1e6]],
        [[0, 1, 1], [1, -1, 1], [1, 1, 1e300], [1, 1], [1, 1, 1, 1]],
    ),
]


@pytest.mark.parametrize(
    ("base", "path", "good", "bad"), RANGES, ids=[".".join(map(str, r[1])) for r in RANGES]
)
def test_models_and_schema_have_the_same_ranges(base, path, good, bad):
    for value in good:
        assert accepted(with_value(base, path, value)) == (True, True), value
    for value in bad:
        assert accepted(with_value(base, path, value)) == (False, False), value


@pytest.mark.parametrize(
    ("base", "path"), [r[:2] for r in RANGES], ids=[".".join(map(str, r[1])) for r in RANGES]
)
@pytest.mark.parametrize("value", [True, False, [True], math.inf, -math.inf, math.nan, "1e400"])
def test_booleans_and_what_is_not_finite_are_no_numbers(base, path, value):
    if path[-1] in ("bandwidths", "betas"):
        value = (
            value
            if isinstance(value, list)
            else [value, 0.5, 0.5][: 2 + (path[-1] == "bandwidths")]
        )
    assert not accepted(with_value(base, path, value))[0]


def test_a_boolean_among_numbers_is_named():
    with pytest.raises(InputError, match=r"shots: got \[1, True\]; expected a number, not true or"):
        load_config(config({**TRANSFER, "shots": [1, True]}))


@pytest.mark.parametrize("text", ["1e-3", "0.001"])
def test_numbers_as_text_are_numbers(text):
    loaded = load_config(with_value(TRANSFER, (*METHOD, "scheme"), {"lr": text}))
    assert loaded.experiments[0].methods[0].scheme.lr == 0.001


class Plugin(Parameters):
    """Fields as a third party might have them."""

    count: int = 1
    share: float | None = None
    sizes: list[int] = Field([])
    pairs: dict[str, tuple[float, ...]] = Field({})
    switch: bool = False
    amount: int | bool = 0
    operations: list[str] | bool = Field([])
    text: str = ""


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"count": True}, "count"),
        ({"share": False}, "share"),
        ({"sizes": [3, True]}, "sizes"),
        ({"pairs": {"a": [1.0, True]}}, "pairs"),
        ({"share": math.inf}, "share"),
        ({"share": math.nan}, "share"),
        ({"pairs": {"a": [math.inf]}}, "pairs.a"),
    ],
)
def test_numbers_of_plug_ins_are_checked_too(values, key):
    with pytest.raises(InputError, match=rf"^plugin: {key}.*: got ") as caught:
        Plugin.parse(values, "plugin")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["switch", "amount", "operations"])
def test_fields_that_take_a_boolean_do(key):
    assert getattr(Plugin.parse({key: True}, "plugin"), key) is True


def numbers(node, path=()):
    """All descriptions of numbers in a schema."""
    if isinstance(node, dict):
        if node.get("type") in ("integer", "number") and "enum" not in node:
            yield path, node
        for key, child in node.items():
            yield from numbers(child, (*path, key))
    elif isinstance(node, list):
        for i, child in enumerate(node):
            yield from numbers(child, (*path, i))


def test_every_number_of_the_schema_has_both_bounds():
    found = list(numbers(SCHEMA))
    assert len(found) > 40
    for path, node in found:
        assert {"minimum", "exclusiveMinimum"} & node.keys(), path
        assert {"maximum", "exclusiveMaximum"} & node.keys(), path


@pytest.mark.parametrize(
    ("kernel", "message"),
    [
        ("gaussian", "gaussian: h: this key is required and missing"),
        ({"h": 1.0}, "riesz: unknown key 'h'; expected one of r"),
        ({"name": "gauss", "h": 1.0}, "unknown kernel 'gauss'; did you mean 'gaussian'"),
        ({"name": "riesz", 3: 1.0}, "riesz: unknown key 3; expected one of r"),
        ({"r": 2.0}, "riesz: r: got 2.0 (float); Input should be less than 2"),
        (3, "got 3; expected the name of a kernel or a mapping with the key 'name'"),
    ],
)
def test_a_kernel_that_cannot_be_made_is_named(kernel, message):
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        load_config(config(method(name="mmdsw", kernel=kernel)))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["measured", "expected", "published", "Measured", "PUBLISHED"])
def test_a_run_is_not_called_as_a_folder_of_results_that_is_none(name):
    with pytest.raises(InputError, match=f"name: got '{name}', a folder of results that no run"):
        load_config({**config(TRANSFER), "name": name})


def test_the_schema_knows_the_names():
    for name, good in (("measured", False), ("a/b", False), ("x" * 101, False), ("x" * 100, True)):
        values = {**config(TRANSFER), "name": name}
        assert jsonschema.Draft202012Validator(SCHEMA).is_valid(values) == good
        assert accepted(values)[0] == good


@pytest.mark.parametrize("name", ["x" * 101, "é", "a b", "a/b", "..", ".a", "-a", "", "a\n"])
@pytest.mark.parametrize(
    "place", [("top", "name"), ("id",), ("source", "id"), ("targets", 0, "id"), (*METHOD, "id")]
)
def test_what_becomes_part_of_a_path_is_a_short_name(place, name):
    with pytest.raises(InputError, match="part of file names") as caught:
        load_config(with_value(TRANSFER, place, name))
    assert shown(name) in str(caught.value)


def test_names_of_a_hundred_letters_make_files_that_file_systems_take():
    ids = {key: key[0] * 100 for key in ("source", "target", "method", "experiment")}
    experiment = {
        **TRANSFER,
        "id": ids["experiment"],
        "source": {**TRANSFER["source"], "id": ids["source"]},
        "targets": [{**TRANSFER["targets"][0], "id": ids["target"]}],
        "methods": [{"name": "mmdsw", "id": ids["method"]}],
    }
    plan = Plan.load({**config(experiment), "name": "r" * 100})
    paths = plan.records(*plan.jobs) + [
        path for jobs in plan.jobs.values() for job in jobs.values() for path in job.inputs.values()
    ]
    assert max(len(part) for path in paths for part in path.split("/")) <= 255 - 30


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"methods": ["mmdsw", {"name": "mmdsw", "id": "MMDSW"}]}, "methods"),
        ({"methods": [{"name": "otdd", "id": "a"}, {"name": "mmdsw", "id": "A"}]}, "methods"),
        (
            {"targets": [{"name": "USPS", "id": "a"}, {"name": "KMNIST", "id": "A"}]},
            "targets",
        ),
    ],
)
def test_names_that_differ_by_capitals_alone_are_refused(changes, what):
    with pytest.raises(InputError, match=rf"two {what} are called '\w+' and '\w+', which some fil"):
        load_config(config({**TRANSFER, **changes}))


def test_experiments_that_differ_by_capitals_alone_are_refused():
    with pytest.raises(InputError, match="two experiments are called 'transfer' and 'Transfer'"):
        load_config(config(TRANSFER, {**TRANSFER, "id": "Transfer"}))


def test_datasets_of_two_experiments_that_differ_by_capitals_alone_are_refused():
    named = [{**TRANSFER, "id": i, "source": {"name": "KMNIST", "id": i}} for i in ("a", "A")]
    named[1]["id"] = "b"
    with pytest.raises(InputError, match="two datasets are called 'a' and 'A', which some file"):
        Plan.load(config(*named))


def test_a_dataset_is_not_called_as_another_in_other_capitals():
    source = {"name": "KMNIST", "id": "mnist"}
    with pytest.raises(InputError, match="id 'mnist' is the name of another dataset"):
        load_config(config({**TRANSFER, "source": source}))


@pytest.mark.parametrize("name", ["mmdsw", "MMDSW", "train_on_target"])
def test_a_method_is_not_called_as_another(name):
    with pytest.raises(InputError, match=f"otdd: id '{name}' is the name of another method; cho"):
        load_config(config(method(name="otdd", id=name)))


def test_a_method_may_be_called_by_its_own_name():
    loaded = load_config(config(method(name="otdd", id="otdd")))
    assert loaded.experiments[0].methods[0].label == "otdd"


def test_names_that_differ_are_unique():
    unique("things", ["a", "b", "ab"])
    with pytest.raises(ValueError, match="two things are called 'a'; give"):
        unique("things", ["a", "b", "a"])


@pytest.mark.parametrize("base", [TRANSFER, DISTILLATION], ids=lambda b: b["task"])
@pytest.mark.parametrize("methods", [["random", "dm"], ["full_data"], ["full_data", "herding"]])
def test_the_jobs_are_counted_before_they_are_listed(base, methods):
    if base["task"] == "transfer":
        methods = ["mmdsw", "train_on_target", "otdd"][: len(methods)]
    plan = Plan.load(config({**base, "methods": methods}))
    size = plan.config.experiments[0].size()
    counts = {verb: len(jobs) for verb, jobs in plan.jobs.items()}
    assert (size.draws, size.flows) == (counts["draw"], counts["flow"])
    assert size.jobs == counts["draw"] + counts["flow"] + counts["evaluate"]
    assert size.trainings == sum(len(j.spec["seeds"]) for j in plan.jobs["evaluate"].values())


def test_a_task_that_does_not_count_its_cells_is_counted_by_listing_those_of_one_flow():
    transfer, distillation = (
        FromRegistry(TASKS, key="task").build(base) for base in (TRANSFER, DISTILLATION)
    )
    for task in (transfer, distillation):
        listed = super(type(task), task).cell_counts()
        assert sum(n for n, _ in listed) == sum(n for n, _ in task.cell_counts())
        assert sum(n * m for n, m in listed) == sum(n * m for n, m in task.cell_counts())


def test_too_many_jobs_are_refused_by_their_number():
    # 100 k times 1,000 flows, each a draw, and for each of 2 methods per flow and an evaluation.
    experiment = {**TRANSFER, "shots": list(range(1, 101)), "flows": 1000}
    experiment["methods"] = ["mmdsw", "train_on_target"]
    message = "experiments: they come to 500,000 jobs; expected at most 100,000 in a run"
    with pytest.raises(InputError, match=message):
        load_config(config(experiment))
    several = [{**experiment, "id": f"e{i}", "flows": 100} for i in range(3)]
    with pytest.raises(InputError, match="150,000 jobs"):
        load_config(config(*several))


def test_too_many_trainings_are_refused_by_their_number():
    experiment = {**TRANSFER, "flows": 1000, "trainings": 1000}
    with pytest.raises(InputError, match="they come to 2,000,000 trainings; expected at most 1,0"):
        load_config(config(experiment))


def test_an_enormous_product_is_refused_without_being_listed():
    """In a process with little memory: the lists would not fit."""
    shots = list(range(1, 3001))
    targets = [{"name": "USPS", "id": f"t{i}"} for i in range(3000)]
    values = config({**TRANSFER, "shots": shots, "targets": targets, "flows": 1000})
    code = (
        "import json, resource, sys; from wowbench.plan import Plan\n"
        "from wowbench.errors import InputError\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))\n"
        "try: Plan.load(json.load(sys.stdin))\n"
        "except InputError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=json.dumps(values), capture_output=True, text=True
    )
    assert "they come to 27,000,000,000 jobs" in done.stdout, done.stderr[-500:]
