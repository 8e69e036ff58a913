"""Entry points of other distributions: good ones are used, broken ones name themselves."""

import re

import pytest
from third_party import METHOD, PIECES, QUESTION, ROOT, config, distribute, run, wowbench

PAGE = (ROOT / "docs/add_method.md").read_text()
EXAMPLE = re.search(r"```python\n(.*?)```", PAGE, flags=re.S)[1]
"""The method `blend` that the documentation shows."""

BROKEN = {
    "no_module": ("nowhere:Odd", None, "ModuleNotFoundError: No module named 'nowhere'"),
    "no_class": ("no_class:Absent", METHOD, "AttributeError: .* no attribute 'Absent'"),
    "crash": ("crash", "raise RuntimeError('two\\nlines')", "RuntimeError: two lines$"),
    "syntax": ("syntax", "def", "SyntaxError: "),
    "quits": ("quits", "import sys; sys.exit('no licence')", "SystemExit: no licence$"),
    "module": ("module", "", "it is of type module; expected a subclass of wowbench.methods.base."),
    "function": ("function:f", "def f(): ...", "it is of type function; expected a subclass of"),
    "other": ("other:C", "class C: name = 'other'", "other.C is a class of another kind; expected"),
    "dataset": (
        "wowbench.datasets.digits:Digits",
        None,
        "wowbench.datasets.digits.Digits is a class of another kind; expected a subclass of wow",
    ),
    "nameless": ("nameless:Odd", METHOD, "nameless.Odd has no class attribute name$"),
    "bare": (
        "bare:Bare",
        "import wowbench.methods.base as b\nclass Bare(b.Method):\n    name = 'bare'",
        "PydanticUserError: |bare.Bare has no class attribute label_rule, pairings, summary$",
    ),
    "slash": (
        "slash:Odd",
        METHOD + "    name: ClassVar[str] = 'a/b'",
        r"the name of slash.Odd: got",
    ),
    "number": (
        "number:Odd",
        METHOD + "    name: ClassVar[int] = 3",
        "the name of number.Odd: got 3",
    ),
    "renamed": (
        "renamed:Odd",
        METHOD + "    name: ClassVar[str] = 'another'",
        "it is called 'another'; both names must be the same",
    ),
    "mmdsw": (
        "taken:Odd",
        METHOD + "    name: ClassVar[str] = 'mmdsw'",
        "method 'mmdsw' is registered twice, by wowbench.methods.mmdsw and taken; names must be",
    ),
}


@pytest.fixture(scope="module")
def blend(tmp_path_factory):
    folder = tmp_path_factory.mktemp("blend")
    distribute(folder, "wowbench-blend", {"blend": EXAMPLE}, {"blend": "blend:Blend"})
    return folder


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """One distribution with all that is broken, and a good entry point of another."""
    folder = tmp_path_factory.mktemp("odd")
    modules = {}
    for value, source, _ in BROKEN.values():
        if source is not None:
            modules[value.partition(":")[0]] = source
    distribute(folder, "wowbench-odd", modules, {name: v for name, (v, *_) in BROKEN.items()})
    return folder


def test_a_method_of_another_distribution_is_listed_and_planned(blend, tmp_path):
    listed = wowbench("list", "methods", path=[blend])
    assert (listed.returncode, listed.stderr) == (0, "")
    assert re.search(r"^blend +source images blended with", listed.stdout, re.M)
    method = {"name": "blend", "share": 0.25}
    code = (
        "import sys; from wowbench.plan import Plan; plan = Plan.load(sys.argv[1]); "
        "name = 'transfer/MNIST-bundled-FashionMNIST-bundled/k1/blend/flow0'; "
        "job = plan.job('flow', name); print(job.spec['method'], job.modules); "
        "assert plan.sources('flow', name); "
        "assert 'torch' not in sys.modules"
    )
    planned = run("-c", code, str(config(tmp_path, method)), path=[blend])
    assert planned.stderr == ""
    assert planned.stdout == "{'name': 'blend', 'id': None, 'share': 0.25} ('blend',)\n"


def test_a_kernel_and_a_scheme_of_another_distribution_are_used_by_any_method(tmp_path):
    folder = tmp_path / "d"
    kernels, schemes = {"cauchy": "pieces:Cauchy"}, {"plain": "pieces:Plain"}
    distribute(folder, "pieces", {"pieces": PIECES}, {}, kernels=kernels, schemes=schemes)
    for kind, name in (("kernel", "cauchy"), ("scheme", "plain")):
        listed = wowbench("list", f"{kind}s", path=[folder])
        assert re.search(rf"^{name} ", listed.stdout, re.M), listed
        checked = wowbench("check", kind, name, path=[folder])
        assert (checked.returncode, checked.stderr) == (0, ""), checked.stdout
    method = {"name": "mmdsw", "kernel": "cauchy", "scheme": {"name": "plain", "lr": 0.5}}
    code = (
        "import sys; from wowbench.plan import Plan; plan = Plan.load(sys.argv[1]); "
        "job = plan.job('flow', 'transfer/MNIST-bundled-FashionMNIST-bundled/k1/mmdsw/flow0'); "
        "spec = job.spec['method']; "
        "print(spec['kernel'], spec['scheme'], 'pieces' in job.modules); "
        "assert 'torch' not in sys.modules"
    )
    planned = run("-c", code, str(config(tmp_path, method)), path=[folder])
    assert planned.stderr == ""
    assert planned.stdout == (
        "{'name': 'cauchy'} {'name': 'plain', 'decay': 'none', 'average': 0.0, 'lr': 0.5, "
        "'momentum': 0.0} True\n"
    )


def test_an_evaluator_and_a_task_of_another_distribution_are_planned(tmp_path):
    folder = tmp_path / "d"
    evaluators, tasks = {"head": "question:Head"}, {"census": "question:Census"}
    distribute(folder, "question", {"question": QUESTION}, {}, evaluators=evaluators, tasks=tasks)
    for kind, name in (("evaluators", "head"), ("tasks", "census")):
        listed = wowbench("list", kind, path=[folder])
        assert (listed.returncode, listed.stderr) == (0, "")
        assert re.search(rf"^{name} ", listed.stdout, re.M)
    path = config(tmp_path, "mmdsw")
    path.write_text(path.read_text().replace('"transfer"', '"census"'))
    code = (
        "import sys; from wowbench.plan import Plan; plan = Plan.load(sys.argv[1]); "
        "name = 'census/MNIST-bundled-FashionMNIST-bundled/k1/mmdsw/flow0'; "
        "job = plan.job('evaluate', name); assert plan.sources('evaluate', name); "
        "print([e['name'] for e in job.spec['evaluators']], 'question' in job.modules); "
        "assert 'torch' not in sys.modules"
    )
    planned = run("-c", code, str(path), path=[folder])
    assert planned.stderr == ""
    assert planned.stdout == "['head', 'few_shot'] True\n"


def test_the_readmes_method_keeps_to_the_contract(blend):
    checked = wowbench("check", "method", "{name: blend, share: 0.25}", path=[blend])
    assert (checked.returncode, checked.stderr) == (0, "")
    lines = checked.stdout.splitlines()
    assert "passed: gives what a trajectory is, on free classes" in lines
    assert all(line.startswith("passed: ") for line in lines)


def test_a_check_that_fails_is_an_exit_status(tmp_path):
    source = EXAMPLE.replace("deterministic: ClassVar[bool] = True", "")
    assert source != EXAMPLE
    distribute(tmp_path / "d", "wowbench-blend", {"blend": source}, {"blend": "blend:Blend"})
    checked = wowbench("check", "method", "blend", path=[tmp_path / "d"])
    assert (checked.returncode, checked.stderr) == (1, "")
    failed = [line for line in checked.stdout.splitlines() if not line.startswith("passed: ")]
    assert len(failed) == 1
    assert failed[0].startswith(
        "FAILED: follows from the seed, on free classes: 6 seeds give the same"
    )


def test_broken_entry_points_break_no_listing(odd, blend):
    listed = wowbench("list", "methods", path=[odd, blend])
    assert listed.returncode == 0
    names = [line.split()[0] for line in listed.stdout.splitlines()]
    assert {"blend", "mmdsw", "train_on_target"} <= set(names)
    assert not (BROKEN.keys() - {"mmdsw"}) & set(names)
    warnings = listed.stderr.splitlines()
    assert len(warnings) == len(BROKEN)
    for name, line in zip(sorted(BROKEN), warnings, strict=True):
        value, _, reason = BROKEN[name]
        start = f"wowbench list: warning: method {name!r} of wowbench-odd 1.2 ({value})"
        assert line.startswith(f"{start} cannot be used: ")
        assert re.search(reason, line), line


def test_broken_entry_points_break_no_config_that_leaves_them_out(odd, tmp_path):
    valid = wowbench("validate", config(tmp_path, "mmdsw"), path=[odd])
    assert (valid.returncode, valid.stderr) == (0, "")
    assert "run 'mine' has the jobs" in valid.stdout
    schema = wowbench("schema", "--out", tmp_path / "schema.json", path=[odd])
    assert (schema.returncode, schema.stderr) == (0, "")
    listed = wowbench("list", "datasets", path=[odd])
    assert (listed.returncode, listed.stderr) == (0, "")


def test_a_config_that_uses_a_broken_entry_point_is_told_why(odd, tmp_path):
    refused = wowbench("validate", config(tmp_path, "crash"), path=[odd])
    assert refused.returncode == 2
    assert refused.stdout == ""
    (line,) = refused.stderr.splitlines()
    assert line.endswith(
        "method 'crash' of wowbench-odd 1.2 (crash) cannot be used: RuntimeError: two lines"
    )
    checked = wowbench("check", "method", "nameless", path=[odd])
    assert checked.returncode == 2
    (line,) = checked.stderr.splitlines()
    assert line.startswith("wowbench check: error: method 'nameless' of wowbench-odd 1.2")


def test_two_distributions_of_one_name_are_both_refused(tmp_path):
    good = METHOD + "    name: ClassVar[str] = 'odd'"
    for name in ("one", "two"):
        distribute(tmp_path / name, f"wowbench-{name}", {name: good}, {"odd": f"{name}:Odd"})
    code = "from wowbench.registry import METHODS; print(METHODS.names()); print(METHODS.broken())"
    done = run("-c", code, path=[tmp_path / "one", tmp_path / "two"])
    names, broken = done.stdout.splitlines()
    assert "'odd'" not in names
    assert "of wowbench-one 1.2 (one:Odd) and wowbench-two 1.2 (two:Odd) cannot be used" in broken


def test_a_distribution_without_metadata_is_named_as_such(tmp_path):
    distribute(tmp_path / "d", "wowbench-one", {}, {"odd": "nowhere:Odd"})
    (tmp_path / "d" / "wowbench_one-1.2.dist-info" / "METADATA").unlink()
    listed = wowbench("list", "methods", path=[tmp_path / "d"])
    assert listed.returncode == 0
    assert "method 'odd' of an unknown distribution (nowhere:Odd) cannot be used" in listed.stderr
