"""The documentation builds in strict mode, loads nothing, and has a reference of all there is."""

import argparse
import html
import importlib.util
import os
import re
import subprocess
import sys

import pytest
from pages import ROOT

from wowbench import registry
from wowbench.cli import build_parser
from wowbench.config import Config
from wowbench.registry import Registry
from wowbench.results.columns import FIRST_COLUMNS

MISSING = [
    name
    for name in ("latex2mathml", "material", "mkdocs", "mkdocstrings_handlers.python")
    if importlib.util.find_spec(name.partition(".")[0]) is None
]
RESOURCE = re.compile(r"<(?:script|img|iframe|source|link)\b[^>]*?\b(?:src|href)=\"?(https?:)?//")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    if MISSING and not os.environ.get("CI"):
        pytest.skip(f"{', '.join(MISSING)} missing: pip install -e '.[docs]'")
    assert not MISSING
    out = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", out],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return out


def text(site, page):
    return (site / page).read_text()


def headings(page):
    found = re.findall(r"<h[2-6] id=\"[^\"]*\"[^>]*>(.*?)<a [^>]*class=\"headerlink\"", page, re.S)
    return {html.unescape(re.sub(r"<[^>]*>", "", heading)).strip() for heading in found}


def test_no_page_loads_anything_from_another_host(site):
    pages = [*site.rglob("*.html")]
    assert len(pages) > 40
    assert not [page.name for page in pages if RESOURCE.search(page.read_text())]
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(url\(|@import )[\"']?(https?:)?//", sheet.read_text()), sheet


def test_every_formula_is_mathml(site):
    for page in site.rglob("*.html"):
        shown = page.read_text()
        assert "arithmatex" not in shown, page
        assert ".. math::" not in shown, page
        assert ":math:" not in shown, page
    assert text(site, "geometry.html").count("<math ") > 40
    assert "<math " in text(site, "reference/distances.html")
    assert "<math " in text(site, "reference/api/functionals.html")


def test_every_verb_and_option_is_in_the_reference(site):
    page = html.unescape(re.sub(r"<[^>]*>", "", text(site, "reference/cli.html")))

    def check(parser, path):
        for action in parser._actions:
            for option in action.option_strings:
                assert option in ("-h", "--help") or option in page
            if isinstance(action, argparse._SubParsersAction):
                for name, verb in action.choices.items():
                    assert f"{path}{name}" in headings(text(site, "reference/cli.html"))
                    check(verb, f"{path}{name} ")

    check(build_parser(), "")


@pytest.mark.parametrize(
    "kind", sorted(k.lower() for k, v in vars(registry).items() if isinstance(v, Registry))
)
def test_every_registered_class_and_field_is_in_the_reference(site, kind):
    page = text(site, f"reference/{kind}.html")
    entries = getattr(registry, kind.upper())
    for name in entries.names():
        assert name in headings(page)
        section = page[page.index(f'id="{name.lower()}"') :]
        section = section[: section.find("<h2 ") if "<h2 " in section else None]
        for field in entries.get(name).model_fields:
            assert f"<code>{field}</code>" in section, (name, field)


def test_every_field_of_the_reference_has_a_meaning(site):
    for kind in ("config", "tasks", "methods", "kernels", "schemes", "datasets", "distances"):
        rows = re.findall(r"<tr>(.*?)</tr>", text(site, f"reference/{kind}.html"), re.S)
        cells = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.S) for row in rows]
        assert not [row[0] for row in cells if len(row) == 4 and not row[3].strip()]


def test_fields_of_a_config_and_columns_of_scores_are_in_the_reference(site):
    config, scores = text(site, "reference/config.html"), text(site, "reference/scores.html")
    assert all(f"<code>{field}</code>" in config for field in Config.model_fields)
    assert all(f"<code>{column}</code>" in scores for column in FIRST_COLUMNS)


def test_the_site_has_the_files_that_pages_link_to(site):
    archive = site / "repository/results/measured/transfer"
    kept = ROOT / "results/measured/transfer/scores.csv"
    assert (archive / "scores.csv").read_bytes() == kept.read_bytes()
    assert 'href="scores.csv"' in (archive / "index.html").read_text()
    assert "repository/results/measured/transfer/index.html" in text(site, "measured.html")


def test_the_python_reference_has_functions_with_their_parameters(site):
    page = text(site, "reference/api/geometry.html")
    assert {"wow_distance", "sliced_wasserstein_squared", "AffineHull"} <= {
        heading.split()[0] for heading in headings(page) if heading
    }
    assert "x_class_weights" in page
