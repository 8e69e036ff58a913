"""Digests of sources: what is executed changes them, and nothing else."""

import re

import pytest

from wowbench import sources
from wowbench.errors import InputError


def forget():
    """Make the next digest read the files again."""
    for function in vars(sources).values():
        if hasattr(function, "cache_clear"):
            function.cache_clear()


@pytest.fixture(autouse=True)
def _forgotten():
    forget()
    yield
    forget()


FILES = {
    "pack/__init__.py": "",
    "pack/top.py": """
        '''Do things.'''
        from __future__ import annotations
        import typing
        from typing import TYPE_CHECKING
        import json
        from other import helper
        from pack import exported
        from space.deep import inside

        if TYPE_CHECKING:
            from pack.types_only import Thing

        if typing.TYPE_CHECKING:
            from pack.types_only import Thing
        else:
            from pack.at_run_time import Thing

        def f():
            '''Give a value.'''
            from pack.lazy import value
            from . import sibling
            from .inner.low import low
            return value  # a comment
        """,
    "pack/types_only.py": "Thing = 1",
    "pack/at_run_time.py": "Thing = 1",
    "pack/lazy.py": "value = 1",
    "pack/sibling.py": "value = 1",
    "pack/exported.py": "value = 1",
    "pack/unused.py": "value = 1",
    "pack/inner/__init__.py": """
        '''Hand on names.'''
        from pack.inner.low import low
        from .high import high as higher

        __all__ = ["low", "higher"]
        """,
    "pack/inner/low.py": "from ..lowest import low",
    "pack/inner/high.py": "high = 1",
    "pack/lowest.py": "low = 1",
    "pack/through.py": "from pack.inner import higher",
    "pack/whole.py": "import pack.inner",
    "pack/busy/__init__.py": "from pack.inner import low\nlow.changed = True",
    "pack/busy/module.py": "value = 1",
    "pack/child.py": "from pack.busy import module",
    "other/__init__.py": "",
    "other/helper.py": "import wowbench.seeding",
    "space/deep/inside.py": "value = 1",
    "site-packages/installed/__init__.py": "value = 1",
    "site-packages/plugin/__init__.py": "import installed\nfrom plugin.near import value",
    "site-packages/plugin/near.py": "value = 1",
}
"""Two packages beside each other, a namespace package, and two installed ones."""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(re.sub(r"^ {8}", "", text, flags=re.M))
    monkeypatch.syspath_prepend(tmp_path / "site-packages")
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def follows(folder, module):
    """Files of the folder whose code the digest of a module follows."""
    forget()
    before = sources.source_digest(module)
    changing = set()
    for name in FILES:
        path = folder / name
        original = path.read_text()
        path.write_text(original + "\nadded = 1\n")
        forget()
        if sources.source_digest(module) != before:
            changing.add(name)
        path.write_text(original)
    return changing


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        (
            "pack.top",
            {
                *("pack/__init__.py", "pack/top.py", "pack/exported.py", "pack/at_run_time.py"),
                *("pack/lazy.py", "pack/sibling.py", "pack/inner/low.py", "pack/lowest.py"),
                *("other/__init__.py", "other/helper.py", "space/deep/inside.py"),
                # What is more than a list of names is executed.
                "pack/inner/__init__.py",
            },
        ),
        (
            "pack.through",
            {"pack/__init__.py", "pack/through.py", "pack/inner/high.py", "pack/inner/__init__.py"},
        ),
        (
            "pack.child",
            {
                *("pack/__init__.py", "pack/child.py", "pack/busy/__init__.py"),
                *("pack/busy/module.py", "pack/inner/low.py", "pack/lowest.py"),
                "pack/inner/__init__.py",
            },
        ),
        ("plugin", {"site-packages/plugin/__init__.py", "site-packages/plugin/near.py"}),
    ],
)
def test_a_digest_follows_what_is_imported_and_no_other(folder, module, expected):
    assert follows(folder, module) == expected


def test_a_package_that_hands_on_names_ties_no_names_together(folder):
    # An edit of one module that it names leaves those alone that take the names of another.
    assert "pack/inner/high.py" not in follows(folder, "pack.inner.low")
    assert "pack/inner/high.py" in follows(folder, "pack.whole")


def test_wowbench_is_followed_from_another_package(folder, monkeypatch):
    before = sources.source_digest("other.helper")
    read = sources._source

    def edited(module):
        source = read(module)
        return sources._Source(code="edited") if module == "wowbench.seeding" else source

    monkeypatch.setattr(sources, "_source", edited)
    sources.source_digest.cache_clear()
    assert sources.source_digest("other.helper") != before


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ("'''Do things.'''", "'''Do other things.'''", False),
        ("'''Give a value.'''", "", False),
        ("  # a comment", "", False),
        ("return value", "return (\n        value)", False),
        ("    from pack.types_only import Thing", "    from pack.unused import Thing", False),
        ("return value", "return 2 * value", True),
        ("pack.at_run_time import Thing", "pack.unused import value as Thing", True),
    ],
)
def test_a_digest_changes_with_code_and_not_with_prose(folder, old, new, changes):
    before = sources.source_digest("pack.top")
    path = folder / "pack/top.py"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    forget()
    assert (sources.source_digest("pack.top") != before) == changes


@pytest.mark.parametrize(
    ("module", "distribution", "changes"),
    [
        ("wowbench.labelling", "pot", True),
        ("wowbench.geometry.wow", "geomloss", True),
        ("wowbench.functionals.sliced_mmd", "torch", True),
        ("wowbench.functionals.sliced_mmd", "pot", False),
        ("wowbench.seeding", "torch", False),
    ],
)
def test_the_versions_of_what_is_imported_are_part_of_a_digest(
    monkeypatch, module, distribution, changes
):
    before = sources.source_digest(module)
    versions = {name: sources._version(name) for name in sources.NUMERICAL.values()}
    monkeypatch.setattr(sources, "version", (versions | {distribution: "0.0.1"}).__getitem__)
    forget()
    assert (sources.source_digest(module) != before) == changes


def test_every_numerical_package_is_installed_under_its_name():
    assert all(sources._version(name) for name in sources.NUMERICAL.values())


def test_a_module_that_is_not_there_is_named():
    with pytest.raises(InputError, match=r"'wowbench\.nothing' is not found"):
        sources.source_digest("wowbench.nothing")


def test_a_broken_file_still_has_a_digest(folder):
    before = sources.source_digest("pack.top")
    (folder / "pack/lazy.py").write_text("value = = 1\n")
    forget()
    assert sources.source_digest("pack.top") != before
