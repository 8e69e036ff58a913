"""Tables and figures by import path: what is read from their source, and what is refused."""

import importlib
import sys

import pytest

from wowbench import listed as module
from wowbench import sources
from wowbench.errors import InputError
from wowbench.listed import listed
from wowbench.plan import Plan
from wowbench.results.report import Animation, Figure, Table

BASE = """
from wowbench.results.report import Table

class Base(Table):
    '''Of a base.'''

    reads = ("flow", "published/base.csv")
"""
PARTS = """
from typing import ClassVar
import wowbench.results.report
import wowbench.results.report as r
from wowbench.results import report
from wowbench.results.report import Figure as Picture, Table
from toypack import base as low
from .base import Base

class Plain(Table):
    '''A caption.

    Of two
      parts.
    '''

class Heir(Base): ...

class Base(Base):
    '''Of another.'''

class Grown(Base):
    '''Grown.'''
    reads: ClassVar[tuple[str, ...]] = (*low.Base.reads, "draw")

class Same(Table):
    '''Same.'''
    reads = Grown.reads

class Mixin:
    '''Mixed in.'''
    reads = ["draw"]

class Mixed(Mixin, Table):
    '''Mixed.'''

class Diamond(Plain, Base):
    '''A diamond.'''

class Drawn(Picture):
    '''Drawn.'''

class Moving(report.Animation):
    '''Moving.'''

class Named(wowbench.results.report.Figure):
    '''Named.'''

class Renamed(r.Table):
    '''Renamed.'''

class Bare(Table): ...

class Other:
    '''Other.'''

class Computed(Table):
    '''Computed.'''
    reads = tuple("draw flow".split())

function = Other
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A package of a third party."""
    pack = tmp_path / "toypack"
    pack.mkdir()
    (pack / "__init__.py").write_text("from toypack.parts import Plain\n")
    (pack / "base.py").write_text(BASE)
    (pack / "parts.py").write_text(PARTS)
    (pack / "odd.py").write_text("class Odd(:")
    (pack / "empty.py").write_text("")
    for file, cls in (("a", "One"), ("b", "Two")):
        (pack / file).mkdir()
        text = f"from wowbench.results.report import Table\nclass {cls}(Table):\n    '''{cls}.'''\n"
        (pack / file / "mine.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    caches = (listed, module._tree, *(f for f in vars(sources).values() if _is_cache(f)))
    for cache in caches:
        cache.cache_clear()
    yield pack
    for cache in caches:
        cache.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] == "toypack"]:
        del sys.modules[name]


def _is_cache(function):
    return hasattr(function, "cache_clear")


CLASSES = {
    "Plain": (Table, "A caption.\n\nOf two\n  parts.", ()),
    "Heir": (Table, "Of a base.", ("flow", "published/base.csv")),
    "Base": (Table, "Of another.", ("flow", "published/base.csv")),
    "Grown": (Table, "Grown.", ("flow", "published/base.csv", "draw")),
    "Same": (Table, "Same.", ("flow", "published/base.csv", "draw")),
    "Mixed": (Table, "Mixed.", ("draw",)),
    "Diamond": (Table, "A diamond.", ("flow", "published/base.csv")),
    "Drawn": (Figure, "Drawn.", ()),
    "Moving": (Animation, "Moving.", ()),
    "Named": (Figure, "Named.", ()),
    "Renamed": (Table, "Renamed.", ()),
}


@pytest.mark.parametrize("name", CLASSES)
def test_base_caption_and_reads_are_those_that_python_finds(name):
    found = listed(f"toypack.parts:{name}")
    assert (found.base, found.caption, found.reads) == CLASSES[name]
    assert found.name == "parts"
    assert "toypack.parts" not in sys.modules
    cls = getattr(importlib.import_module("toypack.parts"), name)
    assert issubclass(cls, found.base)
    assert tuple(cls.reads) == found.reads
    assert type(found.load()) is cls


def test_a_class_may_be_listed_where_it_is_handed_on():
    found = listed("toypack:Plain")
    assert (found.name, found.file) == ("toypack", "tables/toypack.csv")


REFUSED = {
    "nowhere.at_all:Table": "module 'nowhere.at_all' is not found; is its package installed",
    "toypack.nowhere:Table": "module 'toypack.nowhere' is not found",
    "toypack.parts:Plane": "module 'toypack.parts' has no class 'Plane'; did you mean 'Plain'",
    "toypack.parts:function": "module 'toypack.parts' has no class 'function'; expected one of",
    "toypack.empty:Table": "module 'toypack.empty' has no class 'Table'; it has no class at all",
    "toypack.odd:Odd": "the source of module 'toypack.odd' cannot be read",
    "toypack.parts:Other": "this class is neither a table nor a figure; expected a subclass of T",
    "wowbench.results.report:Table": "this class is neither a table nor a figure",
    "toypack.parts:Bare": "this class has no docstring, which would be its caption",
    "toypack.parts:Computed": r"reads is tuple\('draw flow'.split\(\)\); expected a tuple of str",
}


def transfer(reports, **changes):
    experiment = {"task": "transfer", "source": "MNIST", "targets": ["USPS"], "shots": [1]}
    return experiment | {"methods": ["mmdsw"], "flows": 1, "reports": reports} | changes


def plan_of(*experiments):
    return Plan.load({"name": "test", "experiments": list(experiments)})


@pytest.mark.parametrize("path", REFUSED)
def test_what_is_no_table_and_no_figure_is_refused_in_one_line(path):
    with pytest.raises(InputError, match=f"experiment 'transfer': {path}: {REFUSED[path]}") as e:
        plan_of(transfer([path]))
    assert "\n" not in str(e.value)


@pytest.mark.parametrize("path", ["parts", "a/b:C", "a.b:", ":C", "a..b:C", "a:b:C", "a:é", ""])
def test_what_is_no_import_path_is_refused(path):
    with pytest.raises(InputError, match=r"reports\[0\]: got .*; expected an import path like"):
        plan_of(transfer([path]))


def test_two_classes_of_one_name_are_refused():
    one, two = "toypack.a.mine:One", "toypack.b.mine:Two"
    message = f"two tables are called 'mine', {one} and {two}; move one of them to a module of anot"
    with pytest.raises(InputError, match=message):
        plan_of(transfer([one, two]))
    with pytest.raises(InputError, match=message):
        plan_of(transfer([one]), transfer([two], id="other"))
    own = "two tables are called 'parts', toypack.parts:Plain and toypack.parts:Same"
    with pytest.raises(InputError, match=own):
        plan_of(transfer(["toypack.parts:Plain", "toypack.parts:Same"]))


def test_a_table_and_a_figure_of_one_name_are_two_and_one_listed_twice_is_one():
    paths = ["toypack.parts:Plain", "toypack.parts:Drawn", "toypack.parts:Plain"]
    plan = plan_of(transfer(paths), transfer(paths, id="again"))
    assert plan.tables["parts"].path == "toypack.parts:Plain"
    assert plan.figures["parts"].path == "toypack.parts:Drawn"
    assert [r.file for r in plan.reports].count("tables/parts.csv") == 1


def test_a_report_reads_the_files_of_the_experiments_that_list_it():
    plan = plan_of(transfer(["toypack.parts:Grown"]), transfer([], id="other"))
    reads = plan.reads(plan.tables["parts"])
    place = "transfer/MNIST-USPS/k1"
    assert reads == {
        "flow": [f"results/test/flows/{place}/mmdsw/flow0.safetensors"],
        "draw": [f"results/test/draws/{place}/flow0.safetensors"],
        "numbers": [],
    }


def test_reports_change_no_job():
    one, two = (plan_of(transfer(paths)) for paths in ([], ["toypack.parts:Plain"]))
    assert one.jobs == two.jobs


def test_an_edited_class_has_another_digest_and_an_edited_caption_has_not(folder):
    before = sources.source_digest("toypack.parts")
    text = (folder / "base.py").read_text()
    (folder / "base.py").write_text(text.replace("Of a base.", "Of my base."))
    for cache in (sources.source_digest, sources._source):
        cache.cache_clear()
    assert sources.source_digest("toypack.parts") == before
    (folder / "base.py").write_text(text.replace('"flow"', '"draw"'))
    for cache in (sources.source_digest, sources._source):
        cache.cache_clear()
    assert sources.source_digest("toypack.parts") != before


def test_a_module_that_cannot_be_imported_is_named(folder):
    (folder / "base.py").write_text(f"import nothing_at_all\n{BASE}")
    with pytest.raises(InputError, match=r"toypack\.base:Base cannot be imported: No module named"):
        listed("toypack.base:Base").load()
