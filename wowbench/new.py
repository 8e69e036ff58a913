"""Files to start a plug-in from, each with a test that it keeps to the contract."""

from __future__ import annotations

import keyword
import re
import shlex
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from string import Template

from wowbench.errors import InputError, shown
from wowbench.files import write_text
from wowbench.registry import REGISTRIES


def write_new(kind: str, name: str, folder: Path) -> list[str]:
    """Write a plug-in file and its test.

    Parameters
    ----------
    kind : str
        "method", "kernel", "scheme", "dataset", "distance", "evaluator", "table" or "figure".
    name : str
        Its name, also that of the file.
    folder : Path
        Where to write; made if need be.

    Returns
    -------
    list of str
        The two commands that come next.

    Raises
    ------
    InputError
        For a name that is none, that another plug-in or module has, or whose file is there.
    """
    _check_name(name)
    plugin, test = folder / f"{name}.py", folder / f"test_{name}.py"
    for path in (plugin, test):
        if path.exists():
            raise InputError(f"{path} exists; remove it, or choose another name")
    _check_free(kind, name)
    cls = "".join(part.capitalize() for part in name.split("_"))
    code, tested = _template(kind), _template("test_method" if kind == "method" else "test")
    if re.search(rf"\b{cls}\b", code):
        raise InputError(f"{name!r} would be the class {cls}, which the file has from elsewhere")
    entry = f"{name}:{cls}" if kind in ("table", "figure") else name
    values = {"kind": kind, "name": name, "cls": cls, "entry": entry}
    for path, text in ((plugin, code), (test, tested)):
        write_text(path, Template(text).substitute(values))
    return [
        f"pytest {shlex.quote(str(test))}",
        f"wowbench check {kind} {entry} --plugin {shlex.quote(str(plugin))}",
    ]


def _check_name(name: str) -> None:
    fits = re.fullmatch("[a-z][a-z0-9_]*", name) and len(name) <= 60 and not keyword.iskeyword(name)
    if not fits or name.startswith("test_"):
        raise InputError(
            f"got the name {shown(name)}; expected at most 60 small letters, digits and '_', a "
            "letter first, as my_method"
        )


def _check_free(kind: str, name: str) -> None:
    for entries in REGISTRIES:
        if entries.kind == kind and name in map(str.casefold, entries.names()):
            raise InputError(f"there is a {kind} {name!r}; choose another name")
    spec = find_spec(name)
    if spec is not None and spec.origin is not None:
        raise InputError(f"there is a module {name!r} ({spec.origin}); choose another name")


def _template(name: str) -> str:
    return (files("wowbench") / "templates" / f"{name}.py.txt").read_text(encoding="utf-8")
