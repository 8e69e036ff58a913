"""The README's examples run, and tables of pages are those of the archived scores."""

import re
import shutil
from pathlib import Path

import pytest
import torch

from wowbench.methods.problem import Problem, RunContext
from wowbench.parameters import FromRegistry
from wowbench.registry import METHODS
from wowbench.results.pages import MARKED, fill_page
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


@pytest.mark.parametrize("page", ["README.md", "docs/measured.md"])
def test_its_tables_are_made_of_the_archived_scores(page, tmp_path):
    copy = tmp_path / "page.md"
    shutil.copy(ROOT / page, copy)
    fill_page(copy, ROOT)
    assert copy.read_text() == (ROOT / page).read_text()


def test_every_archive_has_a_table():
    text = README + (ROOT / "docs" / "measured.md").read_text()
    marked = {
        archive for _, _, names, _ in MARKED.findall(text) for archive in names.split(" and ")
    }
    folders = [p for p in (ROOT / "results/measured").iterdir() if p.is_dir()]
    assert marked == {f"results/measured/{folder.name}" for folder in folders}


def test_links_lead_to_files():
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            if not link.startswith("http"):
                assert (page.parent / link.partition("#")[0]).exists(), (page.name, link)
