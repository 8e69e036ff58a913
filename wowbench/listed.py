"""Tables and figures by import path: what their source says of them, without importing it.

Planning a run has to stay quick, and so loads neither pandas nor matplotlib. That a class is a
table or a figure follows from the bases that its ``class`` statement names, followed through
imports at the top of modules.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from wowbench.errors import InputError, closest, one_line
from wowbench.results import report
from wowbench.results.report import Animation, Figure, Report, Table
from wowbench.sources import find_module, origin_of

if TYPE_CHECKING:
    from wowbench.tasks.base import Task

BASES = {base.__name__: base for base in (Table, Figure, Animation)}


@dataclass(frozen=True)
class Listed:
    """A table or a figure, as its source says.

    Attributes
    ----------
    path : str
        Import path, ``package.module:Class``.
    base : type
        `Table`, `Figure` or `Animation`: the nearest that it is derived from.
    caption : str
        Its docstring, or that of the nearest base of its own.
    reads : tuple of str
        Its attribute `Report.reads`.
    """

    path: str
    base: type[Report]
    caption: str
    reads: tuple[str, ...]

    @property
    def module(self) -> str:
        """Module of the class."""
        return self.path.partition(":")[0]

    @property
    def name(self) -> str:
        """Name of its files: the last part of its module's name."""
        return self.module.rpartition(".")[2]

    @property
    def file(self) -> str:
        """The first of its files, below the folder of a run."""
        return f"{self.base.folder}/{self.name}.{self.base.suffixes[0]}"

    def load(self) -> Report:
        """Import the class and make an instance.

        Raises
        ------
        InputError
            If it cannot be imported.
        """
        try:
            cls = getattr(importlib.import_module(self.module), self.path.partition(":")[2])
        except (ImportError, AttributeError) as error:
            raise InputError(f"{self.path} cannot be imported: {one_line(error)}") from None
        return cls()


@cache
def listed(path: str) -> Listed:
    """Read what the source of a table or a figure says of it.

    Parameters
    ----------
    path : str
        Import path, ``package.module:Class``.

    Raises
    ------
    InputError
        If there is no such class, if it is neither a table nor a figure, has no docstring, or
        `Report.reads` is not written as that says.
    """
    module, _, name = path.partition(":")
    found = _class(module, name)
    if found is None:
        raise InputError(f"{path}: {_why_absent(module, name)}")
    lineage = _lineage(found)
    bases = [BASES.get(c.node.name) for c in lineage[1:] if c.module == report.__name__]
    if not any(bases):
        raise InputError(
            f"{path}: this class is neither a table nor a figure; expected a subclass of "
            f"{', '.join(BASES)} of {report.__name__}"
        )
    own = [c for c in lineage if c.module != report.__name__]
    caption = next(filter(None, (ast.get_docstring(c.node) for c in own)), None)
    if caption is None:
        raise InputError(f"{path}: this class has no docstring, which would be its caption")
    try:
        return Listed(path, next(filter(None, bases)), caption, tuple(_reads(lineage)))
    except _NotLiteralError as error:
        raise InputError(
            f"{path}: reads is {error}; expected a tuple of strings, or the reads of another class"
        ) from None


def listed_by(experiments: Iterable[Task]) -> list[Listed]:
    """List the tables and figures of experiments: those of their tasks, and their own.

    Raises
    ------
    InputError
        If one is not found (see `listed`), or if two would be written to the same files.
    """
    reports: dict[str, Listed] = {}
    for experiment in experiments:
        for path in experiment.listing():
            try:
                one = listed(path)
            except InputError as error:
                raise InputError(f"experiment {experiment.label!r}: {error}") from None
            other = reports.setdefault(f"{one.base.folder}/{one.name}".casefold(), one)
            if other.path != path:
                raise InputError(
                    f"two {one.base.folder} are called {one.name!r}, {other.path} and {path}; "
                    "move one of them to a module of another name"
                )
    return list(reports.values())


class _Class(NamedTuple):
    """A class statement, and the module that it is in."""

    module: str
    node: ast.ClassDef


class _NotLiteralError(ValueError):
    """An expression whose value the source alone does not tell."""


@cache
def _tree(module: str) -> ast.Module | None:
    """Statements of a module; None where it has no source that can be read."""
    path = find_module(module)
    try:
        return ast.parse(path.read_bytes()) if path else None
    except (SyntaxError, ValueError):  # compiled, or broken
        return None


def _class(module: str, dotted: str, before: float = float("inf"), seen=()) -> _Class | None:
    """Find the class that a dotted name stands for in a module, followed through its imports.

    Statements from the line `before` on do not count; `seen` has the names that led here.
    """
    tree = _tree(module)
    if tree is None or (module, dotted) in seen:
        return None
    seen = (*seen, (module, dotted))
    for statement in reversed(tree.body):
        if statement.lineno >= before:
            continue
        if isinstance(statement, ast.ClassDef) and statement.name == dotted:
            return _Class(module, statement)
        for origin, name in _imported_as(statement, module, dotted):
            return _class(origin, name, seen=seen)
    return None


def _imported_as(statement: ast.stmt, module: str, dotted: str) -> Iterator[tuple[str, str]]:
    """Yield the module, and the name there, that an import statement gives a dotted name."""
    head, _, rest = dotted.partition(".")
    for alias in getattr(statement, "names", ()):
        bound = alias.asname or alias.name
        if isinstance(statement, ast.ImportFrom) and bound == head:
            is_package = find_module(module).name == "__init__.py"
            origin = origin_of(statement, module if is_package else module.rpartition(".")[0])
            yield (f"{origin}.{alias.name}", rest) if rest else (origin, alias.name)
        elif isinstance(statement, ast.Import) and dotted.startswith(f"{bound}."):
            yield alias.name, dotted.removeprefix(f"{bound}.")


def _lineage(cls: _Class) -> list[_Class]:
    """List a class and its bases in the order in which attributes are looked up."""
    found = [cls]
    for base in cls.node.bases:
        parent = _class(cls.module, ast.unparse(base), cls.node.lineno)
        found += _lineage(parent) if parent else []
    return list(dict.fromkeys(reversed(found)))[::-1]


def _reads(lineage: list[_Class]) -> Iterator[str]:
    for cls in lineage:
        for statement in cls.node.body:
            match statement:
                case (
                    ast.Assign(targets=[ast.Name(id="reads")], value=ast.expr() as value)
                    | ast.AnnAssign(target=ast.Name(id="reads"), value=ast.expr() as value)
                ):
                    yield from _strings(value, cls)
                    return


def _strings(value: ast.expr, within: _Class) -> Iterator[str]:
    match value:
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            for part in parts:
                yield from _strings(part, within)
        case ast.Constant(value=str() as text):
            yield text
        case ast.Starred(value=whole):
            yield from _strings(whole, within)
        case ast.Attribute(value=owner, attr="reads"):
            other = _class(within.module, ast.unparse(owner), within.node.lineno)
            if other is None:
                raise _NotLiteralError(ast.unparse(value))
            yield from _reads(_lineage(other))
        case _:
            raise _NotLiteralError(ast.unparse(value))


def _why_absent(module: str, name: str) -> str:
    if find_module(module) is None:
        return f"module {module!r} is not found; is its package installed?"
    tree = _tree(module)
    if tree is None:
        return f"the source of module {module!r} cannot be read"
    classes = [s.name for s in tree.body if isinstance(s, ast.ClassDef)]
    hint = closest(name, classes) if classes else "it has no class at all"
    return f"module {module!r} has no class {name!r}; {hint}"
