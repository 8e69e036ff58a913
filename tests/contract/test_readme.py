"""The README's examples run, and its tables are those of the archived scores."""

import re
from pathlib import Path

import pytest
import torch

from wowbench.config import load_config
from wowbench.listed import listed
from wowbench.methods.problem import Problem, RunContext
from wowbench.parameters import FromRegistry
from wowbench.registry import METHODS, TASKS
from wowbench.results.report import Table
from wowbench.results.scores import read_scores
from wowbench.space import Space

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
METHOD, NUMERICS = re.findall(r"```python\n(.*?)```", README, flags=re.S)


@pytest.fixture
def blend(monkeypatch):
    METHODS.names()
    monkeypatch.setattr(METHODS, "_classes", dict(METHODS._classes))
    exec(METHOD, {"__name__": "readme"})
    return FromRegistry(METHODS).build({"name": "blend", "share": 1})


def test_the_example_of_a_method_is_one(blend):
    generator = torch.Generator().manual_seed(0)
    target = torch.rand(3, 2, 1, 4, 4, generator=generator)
    problem = Problem(
        target.mean(1, keepdim=True).repeat(1, 5, 1, 1, 1).flip(0),
        target,
        Space(tuple(target.shape[2:]), bounds=(0.0, 1.0)),
    )
    outcome = blend.run(problem, RunContext(seed=0))
    # At share 1 an image is the mean of its class; the classes come in reverse.
    assert torch.equal(outcome.last.labels, torch.tensor([2, 1, 0]).repeat_interleave(5))
    assert torch.allclose(outcome.last.particles, target.mean(1)[outcome.last.labels])


def test_the_example_of_numerics_decreases_the_loss():
    generator = torch.Generator().manual_seed(0)
    source = torch.randn(3, 8, 2, generator=generator)
    names = {"source": source, "target": source + 2}
    exec(NUMERICS, names)
    flow = names["flow"]
    assert flow.x.shape == source.shape
    assert flow.losses[-1] < flow.losses[0] / 10


def tables_in_readme():
    """List (table, archives, text) by each ``<!-- table of archive and archive -->``."""
    found = re.findall(r"<!-- (\w+) of ([\w/]+(?: and [\w/]+)*) -->\n\n((?:\|.*\n)+)", README)
    return [(name, archives.split(" and "), text) for name, archives, text in found]


def table_of(name, archive):
    """Return the table of a registered task, or of the archive's config, that has this name."""
    paths = [path for task in TASKS.names() for path in TASKS.get(task).tables]
    paths += [p for e in load_config(archive / "config.yaml").experiments for p in e.reports]
    (table,) = (r for r in map(listed, paths) if r.name == name and issubclass(r.base, Table))
    return table.load()


@pytest.mark.parametrize(("name", "archives", "text"), tables_in_readme())
def test_its_tables_are_made_of_the_archived_scores(name, archives, text, tmp_path):
    scores = read_scores(*(ROOT / archive / "scores.csv" for archive in archives))
    table_of(name, ROOT / archives[0]).write(scores, tmp_path / "table.csv")
    assert text == (tmp_path / "table.md").read_text()


def test_it_has_a_table_of_every_archive():
    archives = {archive for _, archives, _ in tables_in_readme() for archive in archives}
    folders = [p for p in (ROOT / "results/measured").iterdir() if p.is_dir()]
    assert archives == {f"results/measured/{folder.name}" for folder in folders}
