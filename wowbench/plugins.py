"""Plug-in files: Python files outside of any package that a config names under ``plugins``.

A file ``my_method.py`` is imported as the module ``my_method``, with its folder at the end of the
module path: what follows modules, as digests of sources, the child processes of checks and import
paths of tables, treats it as any other module.
"""

from __future__ import annotations

import importlib
import importlib.util
import keyword
import os
import sys
import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

from pydantic import AfterValidator

from wowbench.errors import InputError, one_line, shown
from wowbench.parameters import FolderPath, Parameters
from wowbench.registry import REGISTRIES, all_or_nothing
from wowbench.sources import code_digest, modules_behind

_FILES: dict[str, Path] = {}
"""Files of the plug-ins of this process, by module."""


def load_plugin(path: Path) -> ModuleType:
    """Import a plug-in file, which enters its classes into their registries.

    Parameters
    ----------
    path : Path
        The file. One that is loaded already, and a copy of it, are not loaded again.

    Raises
    ------
    InputError
        In one line with file, line and error, if it is no Python file, cannot be imported, has the
        module name of another file, registers a name that is taken, or holds neither a registered
        class nor a table or a figure.
    """
    file = path.resolve()
    name = file.stem
    _check_file(path)
    folder = str(file.parent)
    appended = folder not in sys.path
    if appended:
        sys.path.append(folder)
    importlib.invalidate_caches()
    try:
        _check_origin(path, file, name)
        known = name in sys.modules
        module = _imported(path, file, name)
        if not known:
            _check_contents(path, module)
    except InputError:
        if appended:
            sys.path.remove(folder)
        raise
    _FILES[name] = file
    return module


def plugin_files(modules: Iterable[str]) -> list[str]:
    """Plug-in files that the given modules are made from, or that they import.

    Returns
    -------
    list of str
        Paths relative to the working directory where they lie below it, sorted.
    """
    modules = tuple(modules)
    if not _FILES.keys() & set(modules):
        return []
    return sorted(_shown(_FILES[m]) for m in modules_behind(*modules) if m in _FILES)


def plugin_digests() -> dict[str, str]:
    """Digests of the code of the plug-ins of this process, by the names of their files."""
    return {file.name: code_digest(module) for module, file in sorted(_FILES.items())}


def beside_config(values: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return a config whose plug-in files, relative to `folder`, are so to the working directory.

    What is no list of paths stays as it is, for the config to refuse.
    """
    values = dict(values)
    plugins = values.get("plugins")
    if isinstance(plugins, list):
        values["plugins"] = [
            os.path.normpath(folder / file) if isinstance(file, str) else file for file in plugins
        ]
    return values


def _load_all(paths: tuple[Path, ...]) -> tuple[Path, ...]:
    for path in paths:
        load_plugin(path)
    return tuple(dict.fromkeys(Path(_shown(path)) for path in paths))


Plugins = Annotated[tuple[FolderPath, ...], AfterValidator(_load_all)]
"""Plug-in files, relative to the working directory; to read them is to load them."""


class JobSpec(Parameters):
    """Base of the specs of jobs, which load the plug-ins that they need before all else.

    Parameters
    ----------
    plugins : list of path
        Plug-in files, relative to the working directory; absent where there are none.
    """

    plugins: Plugins = ()


def _shown(path: Path) -> str:
    """Path of a file, relative to the working directory where it lies below it."""
    path, here = path.resolve(), Path.cwd()
    return (path.relative_to(here) if path.is_relative_to(here) else path).as_posix()


def _check_file(path: Path) -> None:
    if not path.is_file():
        reason = "is a folder" if path.is_dir() else "is not found"
        raise InputError(f"plug-in {shown(str(path))} {reason}; expected a Python file")
    name = path.stem
    if path.suffix != ".py" or not name.isidentifier() or keyword.iskeyword(name):
        raise InputError(
            f"plug-in {_shown(path)}: its name is no Python module's; expected one such as "
            "my_method.py"
        )


def _check_origin(path: Path, file: Path, name: str) -> None:
    """Refuse a file whose module name belongs to another file, unless that is a copy of it."""
    try:
        spec = importlib.util.find_spec(name)
    except ValueError:  # such as __main__, which is no file's
        spec = None
    origin = Path(spec.origin) if spec and spec.origin and spec.has_location else None
    if origin and (origin.resolve() == file or origin.read_bytes() == file.read_bytes()):
        return
    other = origin or "a module of Python itself"
    raise InputError(
        f"plug-in {_shown(path)}: its module name {name!r} is that of {other}; rename the file"
    )


def _imported(path: Path, file: Path, name: str) -> ModuleType:
    if name in sys.modules:
        return sys.modules[name]
    for registry in REGISTRIES:  # so that it is the plug-in that takes a taken name
        registry.names()
    try:
        with all_or_nothing():
            return importlib.import_module(name)
    # An import may fail in any way, and end the interpreter too.
    except (Exception, SystemExit) as error:
        kind = "" if isinstance(error, InputError) else f"{type(error).__name__}: "
        message = error.msg if isinstance(error, SyntaxError) else error
        line = _line(error, file)
        raise InputError(
            f"plug-in {_shown(path)}{f', line {line}' if line else ''}: {kind}{one_line(message)}"
        ) from None


def _line(error: BaseException, file: Path) -> int | None:
    """Line of a plug-in file at which an error showed."""
    if isinstance(error, SyntaxError) and error.filename == str(file):
        return error.lineno
    frames = traceback.extract_tb(error.__traceback__)
    return next((f.lineno for f in reversed(frames) if Path(f.filename) == file), None)


def _check_contents(path: Path, module: ModuleType) -> None:
    own = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and value.__module__ == module.__name__
    ]
    registered = any(registry.holds(cls) for registry in REGISTRIES for cls in own)
    # Not imported, since the results of jobs do not depend on it: a report has loaded it.
    reports = sys.modules.get("wowbench.results.report")
    if not registered and not (reports and any(issubclass(cls, reports.Report) for cls in own)):
        sys.modules.pop(module.__name__)
        raise InputError(
            f"plug-in {_shown(path)} registers nothing; expected a class under @METHODS.register "
            "or the like of wowbench.registry, or a table or a figure"
        )
