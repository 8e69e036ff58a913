"""Links of the documentation lead somewhere, and its code, configs and commands are right."""

import importlib
import re
import shlex

import pandas as pd
import pytest
import torch
import yaml
from pages import PAGES, ROOT, blocks, name_of

from wowbench import registry
from wowbench.cli import build_parser
from wowbench.config import Config
from wowbench.contract.datasets import dataset_checks
from wowbench.contract.distances import distance_checks
from wowbench.contract.kernels import kernel_checks
from wowbench.contract.methods import brief_method, method_checks
from wowbench.listed import listed
from wowbench.methods.problem import Problem, RunContext
from wowbench.parameters import FromRegistry
from wowbench.registry import METHODS, Registry
from wowbench.results.report import Table
from wowbench.results.scores import read_scores
from wowbench.space import Space
from wowbench.tasks.base import Task

REGISTRIES = [value for value in vars(registry).values() if isinstance(value, Registry)]
CHECKS = {
    "method": lambda entry: method_checks(brief_method(entry)),
    "kernel": lambda entry: kernel_checks(FromRegistry(registry.KERNELS).build(entry)),
    "dataset": lambda entry: dataset_checks(FromRegistry(registry.DATASETS).build(entry), None),
    "distance": lambda entry: distance_checks(FromRegistry(registry.DISTANCES).build(entry)),
}
REQUIRED = {"multiquadric": {"h": 0.05}}
"""Parameters of examples that have no default."""

SMALLEST = {"name": "page", "experiments": [{"task": "rings", "methods": ["mmdsw"]}]}

PYTHON = [pytest.param(b, id=f"{b.page} {i}") for i, b in enumerate(blocks("python"))]
PLUGINS = [p for p in PYTHON if ".register" in p.values[0].text]
SCRIPTS = [p for p in PYTHON if p not in PLUGINS]
YAML = [pytest.param(b, id=f"{b.page} {i}") for i, b in enumerate(blocks("yaml"))]
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.M)


@pytest.fixture
def registered(monkeypatch):
    """Let a block register its class for one test."""
    for entries in REGISTRIES:
        entries.names()
        monkeypatch.setattr(entries, "_classes", dict(entries._classes))


def load(block, name, folder, monkeypatch):
    """Import a block as a module of its own, which processes of a check find too."""
    (folder / f"{name}.py").write_text(block.text)
    monkeypatch.syspath_prepend(folder)
    return importlib.import_module(name)


def anchors(page):
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S)
    words = (re.sub(r"[^\w\s-]", "", heading).strip().lower() for heading in HEADING.findall(text))
    return {re.sub(r"[-\s]+", "-", heading) for heading in words}


def generated():
    """Pages that the site makes of the code, by the navigation; its build checks their anchors."""

    def leaves(node):
        if isinstance(node, str):
            return [node]
        children = node.values() if isinstance(node, dict) else node
        return [leaf for child in children for leaf in leaves(child)]

    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]
    return {ROOT / "docs" / page for page in leaves(nav) if page.startswith("reference/")}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_its_links_lead_to_files_and_headings(page):
    for link in LINK.findall(page.read_text()):
        if link.startswith("http"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists() or target in generated(), link
        if anchor and target.exists():
            assert anchor in anchors(target), link


def test_every_page_is_in_the_navigation():
    nav = (ROOT / "mkdocs.yml").read_text()
    missing = [p.name for p in PAGES if p.parent == ROOT / "docs" and f" {p.name}\n" not in nav]
    assert not missing


@pytest.mark.parametrize("block", SCRIPTS)
def test_its_code_runs(block):
    exec(compile(block.text, block.page, "exec"), {"__name__": "example"})


@pytest.mark.parametrize("block", PLUGINS)
def test_its_plug_in_keeps_to_the_contract(block, registered, tmp_path, monkeypatch, request):
    before = {entries.kind: set(entries.names()) for entries in REGISTRIES}
    load(block, f"example_{abs(hash(request.node.name))}", tmp_path, monkeypatch)
    new = [(e.kind, name) for e in REGISTRIES for name in set(e.names()) - before[e.kind]]
    assert len(new) == 1
    for kind, name in new:
        for check in CHECKS[kind]({"name": name, **REQUIRED.get(name, {})}):
            assert check.reason() is None, check.title


def test_the_example_of_a_method_blends(registered, tmp_path, monkeypatch):
    (block,) = [p.values[0] for p in PLUGINS if "class Blend(" in p.values[0].text]
    load(block, "example_blend", tmp_path, monkeypatch)
    target = torch.rand(3, 2, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    problem = Problem(
        target.mean(1, keepdim=True).repeat(1, 5, 1, 1, 1).flip(0),
        target,
        Space(tuple(target.shape[2:]), bounds=(0.0, 1.0)),
    )
    blend = FromRegistry(METHODS).build({"name": "blend", "share": 1})
    outcome = blend.run(problem, RunContext(seed=0))
    # At share 1 an image is the mean of its class; the classes come in reverse.
    assert torch.equal(outcome.last.labels, torch.tensor([2, 1, 0]).repeat_interleave(5))
    assert torch.allclose(outcome.last.particles, target.mean(1)[outcome.last.labels])


def test_the_example_of_a_table_names_the_best_methods():
    (block,) = [p.values[0] for p in SCRIPTS if "(Table)" in p.values[0].text]
    names = {"__name__": "example"}
    exec(block.text, names)
    (cls,) = [v for v in names.values() if isinstance(v, type) and v is not Table]
    scores = pd.DataFrame(
        {
            "metric": "accuracy",
            "target": ["USPS", "USPS", "USPS", "MNIST"],
            "k": 5,
            "method": ["a", "a", "b", "a"],
            "value": [0.1, 0.9, 0.6, 0.3],
        }
    )
    best = cls().make(scores).set_index("target").method
    assert best.to_dict() == {"USPS": "b", "MNIST": "a"}
    assert cls().to_markdown(read_scores(ROOT / "results/measured/mini/scores.csv"))


@pytest.mark.parametrize("block", YAML)
def test_its_config_is_valid(block):
    """A config, its fields without experiments, or fields of an experiment, where it says so."""
    values = yaml.safe_load(block.text)
    if block.remark != "part of an experiment":
        Config.parse(SMALLEST | values, block.page)
        return
    assert values.keys() <= Task.model_fields.keys()
    for path in values["reports"]:
        if path.startswith("wowbench."):
            listed(path)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_entries_in_its_text_are_valid(page):
    """A mapping with a name, set as code, is an entry of a config."""
    examples = set(re.findall(r'name: ClassVar\[str\] = "(\w+)"', page.read_text()))
    for text in re.findall(r"`(\{name: [a-zA-Z]\w*[,}][^`]*)`", page.read_text()):
        entry = yaml.safe_load(text)
        if entry["name"] in examples:
            continue
        homes = [entries for entries in REGISTRIES if entry["name"] in entries.names()]
        assert homes, text
        FromRegistry(homes[0]).build(entry)


def commands():
    for block in blocks("sh"):
        text = block.text.replace("\\\n", " ")
        for line in text.splitlines():
            words = shlex.split(line, comments=True)
            if words:
                yield pytest.param(words, id=f"{block.page}: {' '.join(words)}")


@pytest.mark.parametrize("words", [*commands()])
def test_its_commands_exist(words):
    program, *arguments = words
    if program == "wowbench":
        build_parser().parse_args(arguments)
    elif program == "make":
        assert re.search(rf"^{arguments[0]}:", (ROOT / "Makefile").read_text(), re.M)
    elif program == "snakemake":
        if "--configfile" in arguments:
            assert (ROOT / arguments[arguments.index("--configfile") + 1]).exists()
    elif program == "pytest":
        paths = [a for a in arguments if a.startswith("tests/")]
        assert all((ROOT / path).exists() for path in paths)
    else:
        assert program in (".", "conda", "pip")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_verbs_in_its_text_exist(page):
    verbs = next(a.choices for a in build_parser()._actions if a.dest == "verb")
    for verb in re.findall(r"`wowbench ([a-z]+)", page.read_text()):
        assert verb in verbs


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_configs_in_its_text_exist(page):
    for path in re.findall(r"workflow/config/(\w+)\.yaml", page.read_text()):
        assert path == "NAME" or (ROOT / f"workflow/config/{path}.yaml").exists()
