"""The README is short, its example of numerics decreases the loss, and tables are the archives'."""

import re
import shutil

import pytest
from pages import PAGES, ROOT, name_of

from wowbench.geometry import wow_distance
from wowbench.results.pages import MARKED, fill_page

README = (ROOT / "README.md").read_text()
WITH_TABLES = [name_of(page) for page in PAGES if MARKED.search(page.read_text())]


def test_the_readme_is_short():
    assert len(README.splitlines()) <= 120


def test_the_example_of_numerics_decreases_the_loss(capsys):
    (numerics,) = re.findall(r"```python\n(.*?)```", README, flags=re.S)
    names = {}
    exec(numerics, names)
    flow, source, target = names["flow"], names["source"], names["target"]
    assert flow.x.shape == source.shape
    assert flow.losses[-1] < flow.losses[0] / 10
    assert wow_distance(flow.x, target) < wow_distance(source, target) / 3


def test_the_readme_and_the_page_of_results_have_tables():
    assert {"README.md", "docs/measured.md"} <= set(WITH_TABLES)


@pytest.mark.parametrize("page", WITH_TABLES)
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
