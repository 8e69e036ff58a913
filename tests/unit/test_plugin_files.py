"""Plug-in files of a config: found, loaded before all else, and named where they are broken."""

import json
import re
import sys
from pathlib import Path

import pytest

from wowbench import plugins, registry
from wowbench.cli import BAD_INPUT, main
from wowbench.config import load_config
from wowbench.errors import InputError
from wowbench.listed import listed
from wowbench.plan import Plan
from wowbench.plugins import load_plugin
from wowbench.registry import KERNELS, METHODS
from wowbench.results.scores import write_scores

KERNEL = '''
from typing import ClassVar

from wowbench.kernels.base import Kernel
from wowbench.registry import KERNELS


@KERNELS.register
class Cauchy(Kernel):
    """K = 1 / (1 + SW_2^2)."""

    name: ClassVar[str] = "{name}"
    summary: ClassVar[str] = "K = 1 / (1 + SW_2^2)"
    p: ClassVar[int] = 2

    def value(self, cost):
        return 1 / (1 + cost)

    def derivative(self, cost):
        return -1 / (1 + cost) ** 2
'''
TABLE = '''
from wowbench.results.report import Table


class Counts(Table):
    """Rows that there are."""

    def make(self, scores):
        return scores.groupby("method").size().rename("n").reset_index()
'''

FIGURE = '''
from wowbench.results.report import Figure


class Empty(Figure):
    """Nothing to see."""

    def draw(self, scores, plan):
        return None
'''


@pytest.fixture(autouse=True)
def _forget(monkeypatch):
    """Leave registries and modules as they were."""
    before = set(sys.modules)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(plugins, "_FILES", {})
    for entries in registry.REGISTRIES:
        entries.names()
        monkeypatch.setattr(entries, "_classes", dict(entries._classes))
    yield
    for name in set(sys.modules) - before:
        if name.startswith("plug_"):
            del sys.modules[name]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def config(*files, method="mmdsw", **others):
    experiment = {
        "task": "transfer",
        "source": {"name": "MNIST", "bundled": True},
        "targets": [{"name": "FashionMNIST", "bundled": True}],
        "shots": [1],
        "flows": 1,
        "methods": ["train_on_target", method],
    }
    return {"plugins": [*files], "name": "mine", "experiments": [experiment | others]}


def test_those_of_a_file_are_relative_to_it_and_those_of_text_to_the_working_directory(here):
    write(here / "deep" / "plug_one.py", KERNEL.format(name="cauchy_one"))
    values = config("plug_one.py", method={"name": "mmdsw", "kernel": "cauchy_one"})
    path = write(here / "deep" / "config.yaml", json.dumps(values))
    plan = Plan.load(path)
    assert plan.config.plugins == (Path("deep/plug_one.py"),)
    # What the workflow hands on is text.
    assert Plan.load(plan.config_json).config == plan.config
    with pytest.raises(InputError, match=r"config: plugins: plug-in 'plug_one\.py' is not found"):
        Plan.load(values)


def test_those_of_a_mapping_are_relative_to_the_last_file_that_names_them(here):
    write(here / "deep" / "plug_two.py", KERNEL.format(name="cauchy_two"))
    first = write(here / "first.yaml", "plugins: [plug_none.py]")
    last = write(here / "deep" / "last.yaml", "plugins: [plug_two.py]")
    silent = write(here / "silent.yaml", "seed: 3")
    loaded = load_config(config("plug_two.py"), [first, last, silent])
    assert loaded.plugins == (Path("deep/plug_two.py"),)
    # As by --config plugins=..., on a command line.
    beside = load_config(config("deep/plug_two.py"), [last])
    assert beside.plugins == loaded.plugins


def test_a_job_has_those_that_it_executes_and_no_others(here):
    write(here / "plug_kernel.py", KERNEL.format(name="cauchy_kernel"))
    write(here / "plug_unused.py", KERNEL.format(name="cauchy_unused"))
    values = config(
        *("plug_kernel.py", "plug_unused.py"),
        method={"name": "mmdsw", "kernel": "cauchy_kernel"},
    )
    jobs = Plan.load(values).jobs
    ours, other = sorted(jobs["flow"], key=lambda name: "mmdsw" not in name)
    assert jobs["flow"][ours].spec["plugins"] == ["plug_kernel.py"]
    assert "plug_kernel" in jobs["flow"][ours].modules
    alone = [jobs["flow"][other], *jobs["prepare"].values(), *jobs["draw"].values()]
    assert all("plugins" not in job.spec for job in alone)


def test_what_a_plugin_imports_from_another_one_goes_with_it(here):
    write(here / "a" / "plug_base.py", KERNEL.format(name="cauchy_base"))
    write(
        here / "b" / "plug_child.py",
        "from typing import ClassVar\nfrom plug_base import Cauchy\n"
        "from wowbench.registry import KERNELS\n\n\n@KERNELS.register\nclass Child(Cauchy):\n"
        '    """As its base."""\n\n    name: ClassVar[str] = "cauchy_child"\n',
    )
    values = config(
        "a/plug_base.py", "b/plug_child.py", method={"name": "mmdsw", "kernel": "cauchy_child"}
    )
    jobs = Plan.load(values).jobs["flow"].items()
    (spec,) = (job.spec for name, job in jobs if "mmdsw" in name)
    assert spec["plugins"] == ["a/plug_base.py", "b/plug_child.py"]


def test_a_table_is_listed_by_its_import_path(here):
    write(here / "plug_counts.py", TABLE)
    plan = Plan.load(config("plug_counts.py", reports=["plug_counts:Counts"]))
    assert plan.tables["plug_counts"].caption == "Rows that there are."


def test_a_table_and_a_figure_are_made_by_those_that_they_are_told(here, scores_of):
    write(here / "plug_made.py", TABLE)
    write(here / "plug_drawn.py", FIGURE)
    reports = ["plug_made:Counts", "plug_drawn:Empty"]
    values = config("plug_made.py", "plug_drawn.py", reports=reports)
    plan = Plan.load(values)
    assert plan.plugins == ["--plugin", "plug_made.py", "--plugin", "plug_drawn.py"]
    write_scores(scores_of(values["experiments"][0]), here / "scores.csv")
    for name in ("plug_made", "plug_drawn"):
        del sys.modules[name]
    listed.cache_clear()
    plugins._FILES.clear()
    sys.path.remove(str(here))
    scores = ("--scores", "scores.csv", "--out")
    assert main(["table", "plug_made:Counts", *scores, "made.csv"]) == BAD_INPUT
    told = ("--plugin", "plug_made.py")
    assert main(["table", "plug_made:Counts", *told, *scores, "made.csv"]) == 0
    assert (here / "made.csv").read_text().startswith("method,n\n")
    drawn = ("figure", "plug_drawn:Empty", "--config", json.dumps(values))
    assert main([*drawn, *scores, "drawn.png"]) == 0
    assert (here / "drawn.pdf").exists()


def test_names_of_files_are_listed_and_in_the_schema(here, capsys):
    write(here / "plug_listed.py", KERNEL.format(name="cauchy_listed"))
    told = ("--plugin", "plug_listed.py")
    assert main(["list", "kernels", *told]) == 0
    assert "cauchy_listed  K = 1 / (1 + SW_2^2)" in capsys.readouterr().out
    assert main(["schema", "--out", "schema.json", *told]) == 0
    assert "cauchy_listed" in (here / "schema.json").read_text()
    assert main(["list", "kernels", "--plugin", "absent.py"]) == BAD_INPUT
    assert "list: error: plug-in 'absent.py' is not found" in capsys.readouterr().err


BROKEN = {
    "raises": ("x = 1\n\nraise RuntimeError('two\\nlines')", ", line 3: RuntimeError: two lines$"),
    "syntax": ("x = 1\ndef", ", line 2: SyntaxError: "),
    "imports": ("import nowhere_at_all", ", line 1: ModuleNotFoundError: No module named 'nowh"),
    "quits": ("import sys\nsys.exit('no licence')", ", line 2: SystemExit: no licence$"),
    "empty": ("import math", " registers nothing; expected a class under @METHODS.register"),
    "borrowed": (
        "from wowbench.kernels.riesz import Riesz\nfrom wowbench.results.report import Table",
        " registers nothing; expected",
    ),
    "taken": (
        KERNEL.format(name="riesz"),
        ", line 8: kernel 'riesz' is registered twice, by wowbench.kernels.riesz and plug_taken; "
        "names must be unique$",
    ),
    "half": (KERNEL.format(name="cauchy_half") + "\n1 / 0", ", line 22: ZeroDivisionError: "),
}


@pytest.mark.parametrize("name", BROKEN)
def test_one_that_is_broken_says_where_and_why_in_one_line(here, name, capsys):
    text, reason = BROKEN[name]
    write(here / "deep" / f"plug_{name}.py", text)
    path = write(here / "deep" / "config.yaml", json.dumps(config(f"plug_{name}.py")))
    before = set(KERNELS.names())
    assert main(["validate", str(path)]) == BAD_INPUT
    (line,) = capsys.readouterr().err.splitlines()
    start = f"wowbench validate: error: {path}: plugins: plug-in deep/plug_{name}.py"
    assert line.startswith(start)
    assert re.search(reason, line), line
    assert set(KERNELS.names()) == before
    # It is no better the second time.
    assert main(["validate", str(path)]) == BAD_INPUT
    assert capsys.readouterr().err == line + "\n"


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("absent.py", "plug-in 'absent.py' is not found; expected a Python file"),
        (".", "plug-in '.' is a folder; expected a Python file"),
        ("my-method.py", "its name is no Python module's; expected one such as my_method.py"),
        ("class.py", "its name is no Python module's"),
        ("notes.txt", "its name is no Python module's"),
        ("random.py", "its module name 'random' is that of .*random.py; rename the file"),
        ("sys.py", "its module name 'sys' is that of a module of Python itself; rename the file"),
        ("__main__.py", "its module name '__main__' is that of .*; rename the file"),
        ("numpy.py", "its module name 'numpy' is that of .*rename the file"),
    ],
)
def test_a_file_that_cannot_be_one_is_named(here, file, reason):
    if file not in ("absent.py", "."):
        write(here / file, KERNEL.format(name="cauchy_odd"))
    path = list(sys.path)
    with pytest.raises(InputError, match=f"config: plugins: .*{reason}"):
        load_config(config(file))
    assert sys.path == path


@pytest.mark.parametrize("value", ["plug_one.py", [3], [["plug_one.py"]], [None], {"a": 1}, 7])
def test_what_is_no_list_of_paths_is_refused(here, value):
    path = write(here / "config.yaml", json.dumps(config() | {"plugins": value}))
    with pytest.raises(InputError, match=r"config.yaml: plugins(\[0\])?: got"):
        load_config(path)


def test_a_copy_is_the_same_plugin_and_another_file_of_that_name_is_not(here):
    text = KERNEL.format(name="cauchy_copy")
    one, copy, other = (write(here / f / "plug_copy.py", text) for f in ("one", "copy", "other"))
    other.write_text(text + "# changed\n")
    assert load_plugin(one) is load_plugin(copy) is load_plugin(one)
    with pytest.raises(InputError, match=r"its module name 'plug_copy' is that of .*; rename"):
        load_plugin(other)


def test_an_unknown_method_beside_plugins_is_told_as_ever(here):
    write(here / "plug_hint.py", KERNEL.format(name="cauchy_hint"))
    with pytest.raises(InputError, match="unknown kernel 'cauchy_hin'; did you mean 'cauchy_hint'"):
        load_config(config("plug_hint.py", method={"name": "mmdsw", "kernel": "cauchy_hin"}))
    assert "mmdsw" in METHODS.names()
