"""Digests of code, from source files, without importing them.

Snakemake does not see an edit to an imported package; digests of the code that a job's result
depends on stand among a rule's parameters, so that an edit reruns the jobs that depend on it and no
others. A digest follows what is executed: comments, docstrings and what is under ``TYPE_CHECKING``
leave it alone. Modules that are imported by a computed name are not seen.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from wowbench.errors import InputError

NUMERICAL = {
    "geomloss": "geomloss",
    "numpy": "numpy",
    "ot": "pot",
    "scipy": "scipy",
    "sklearn": "scikit-learn",
    "torch": "torch",
    "torchvision": "torchvision",
}
"""Distributions, by package, whose versions change results: a digest has those that it meets."""


@cache
def source_digest(*modules: str) -> str:
    """Digest of the code that the given modules execute, and of what it is executed with.

    Parameters
    ----------
    *modules : str
        Dotted module names.

    Returns
    -------
    str
        16 hexadecimal digits. They change with the code of these modules and of all local ones
        that they import, also inside functions, and with the versions of the numerical packages
        that any of them imports. Local are wowbench, the given modules' own packages, and what
        lies outside of the standard library and of site-packages.

    Raises
    ------
    InputError
        If a given module is not found.
    """
    digest = hashlib.sha256()
    followed, packages = _closure(modules)
    for module in sorted(followed):
        digest.update(f"{module} {_source(module).code}\n".encode())
    for package in sorted(packages):
        digest.update(f"{package} {_version(NUMERICAL[package])}\n".encode())
    return digest.hexdigest()[:16]


@cache
def code_digest(module: str) -> str:
    """Digest of what one module executes, whatever it imports: 16 hexadecimal digits.

    Raises
    ------
    InputError
        If it is not found.
    """
    return _required(module).code[:16]


@cache
def modules_behind(*modules: str) -> frozenset[str]:
    """Local modules that the given ones execute: themselves, and what they import.

    Raises
    ------
    InputError
        If a given module is not found.
    """
    return frozenset(_closure(modules)[0])


@cache
def find_module(module: str) -> Path | None:
    """Find the file of a module without importing its parents; None for one without a file."""
    return _find(module)[0]


def origin_of(statement: ast.ImportFrom, package: str) -> str:
    """Absolute name of the module that a statement in a module of `package` imports from."""
    if not statement.level:
        return statement.module
    ancestors = package.split(".")
    kept = ancestors[: len(ancestors) - statement.level + 1]
    return ".".join([*kept, statement.module] if statement.module else kept)


@dataclass(frozen=True)
class _Source:
    """What is known of a module from its file.

    Attributes
    ----------
    code : str
        Digest of what the file executes.
    imports : tuple of pairs
        Modules it imports, each with the name taken from it, or None for the module itself.
    exports : dict or None
        For a package that does nothing but hand on names of ``__all__``: where each comes from.
    """

    code: str
    imports: tuple[tuple[str, str | None], ...] = ()
    exports: Mapping[str, tuple[str, str]] | None = None


def _closure(modules: tuple[str, ...]) -> tuple[set[str], set[str]]:
    """Return the modules that the given ones execute, and the numerical packages they import."""
    for module in modules:
        _required(module)
    tops = {"wowbench", *(_top(module) for module in modules)}
    followed, packages, seen = set(), set(), set()
    pending: list[tuple[str, str | None]] = [(module, None) for module in modules]
    while pending:
        request = pending.pop()
        if request in seen:
            continue
        seen.add(request)
        module, name = request
        if _top(module) in NUMERICAL:
            packages.add(_top(module))
        elif _top(module) in tops or _is_local(_top(module)):
            pending += _parents(module)
            source = _source(module)
            if name is not None and source and source.exports is not None:
                pending.append(source.exports.get(name, (f"{module}.{name}", None)))
                continue
            if source:
                followed.add(module)
                pending += source.imports
            if name is not None:
                pending.append((f"{module}.{name}", None))
    return followed, packages


def _parents(module: str) -> Iterator[tuple[str, None]]:
    """Yield the packages around a module, which run with it, but for those that hand on names."""
    parts = module.split(".")
    for length in range(1, len(parts)):
        package = ".".join(parts[:length])
        source = _source(package)
        if source and source.exports is None:
            yield package, None


def _required(module: str) -> _Source:
    source = _source(module)
    if source is None:
        raise InputError(f"the source of module {module!r} is not found; is it installed?")
    return source


@cache
def _source(module: str) -> _Source | None:
    """Read a module; None for one without a file, as a namespace package is."""
    path = find_module(module)
    if path is None:
        return None
    content = path.read_bytes()
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):  # compiled, or broken: the job that runs it will say so
        return _Source(hashlib.sha256(content).hexdigest())
    _strip(tree)
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    imports = tuple(pair for node in ast.walk(tree) for pair in _imported(node, package))
    return _Source(
        code=hashlib.sha256(ast.dump(tree).encode()).hexdigest(),
        imports=imports,
        exports=_exports(tree, package) if package == module else None,
    )


def _strip(tree: ast.Module) -> None:
    """Remove what is not executed: docstrings, and what is imported for types alone."""
    for node in ast.walk(tree):
        for field in ("body", "orelse", "finalbody"):
            statements = getattr(node, field, None)
            if isinstance(statements, list):
                setattr(node, field, [kept for s in statements for kept in _executed(s)])


def _executed(statement: ast.stmt) -> list[ast.stmt]:
    match statement:
        case ast.Expr(value=ast.Constant(value=str())):
            return []
        case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
            return [kept for other in statement.orelse for kept in _executed(other)]
    return [statement]


def _imported(node: ast.AST, package: str) -> Iterator[tuple[str, str | None]]:
    """Modules that a statement of a module of `package` imports, with the names it takes."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            parts = alias.name.split(".")
            for length in range(1, len(parts) + 1):
                yield ".".join(parts[:length]), None
    elif isinstance(node, ast.ImportFrom):
        origin = origin_of(node, package)
        for alias in node.names:
            yield origin, None if alias.name == "*" else alias.name


def _exports(tree: ast.Module, package: str) -> dict[str, tuple[str, str]] | None:
    """Where the names of ``__all__`` come from, if the package does nothing but import them."""
    public = set(_constant(tree, "__all__") or ())
    exports = {}
    for statement in tree.body:
        match statement:
            case ast.ImportFrom(module="__future__"):
                continue
            case ast.Assign(targets=[ast.Name(id="__all__")]):
                continue
            case ast.ImportFrom() if {a.asname or a.name for a in statement.names} <= public:
                origin = origin_of(statement, package)
                exports |= {a.asname or a.name: (origin, a.name) for a in statement.names}
            case _:
                return None
    return exports


def _constant(tree: ast.Module, name: str) -> list | tuple | None:
    """Value of a constant of a module, or None where it has none that is a plain list."""
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=found)], value=ast.List() | ast.Tuple()):
                if found == name:
                    return ast.literal_eval(statement.value)
    return None


def _top(module: str) -> str:
    return module.partition(".")[0]


@cache
def _is_local(top: str) -> bool:
    """Whether a package lies outside of the standard library and of site-packages."""
    if top in sys.stdlib_module_names:
        return False
    path, folders = _find(top)
    places = [place for place in (path, *folders) if place is not None]
    return bool(places) and not any(
        {"site-packages", "dist-packages"} & set(place.parts) for place in places
    )


@cache
def _find(module: str) -> tuple[Path | None, tuple[Path, ...]]:
    """File of a module and folders of its submodules, without importing its parents.

    A namespace package has folders alone; a module that is not found has neither.
    """
    package, _, name = module.rpartition(".")
    if not package:
        return _find_top(name)
    _, folders = _find(package)
    for folder in folders:
        path = folder / name / "__init__.py"
        if path.is_file():
            return path, (folder / name,)
        for suffix in (".py", *EXTENSION_SUFFIXES):
            path = folder / f"{name}{suffix}"
            if path.is_file():
                return path, ()
    return None, tuple(folder / name for folder in folders if (folder / name).is_dir())


def _find_top(name: str) -> tuple[Path | None, tuple[Path, ...]]:
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None, ()
    if spec is None:
        return None, ()
    path = Path(spec.origin) if spec.origin and spec.has_location else None
    return path, tuple(map(Path, spec.submodule_search_locations or ()))


@cache
def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
