"""The names that a config may use: methods, kernels, distances, datasets and so on.

A plug-in is one class in one module of `wowbench.methods`, `wowbench.kernels`, `wowbench.schemes`,
`wowbench.datasets`, `wowbench.distances`, `wowbench.evaluators` or `wowbench.tasks`, or in a third
party's package under the entry-point group of the same name, where the entry point has the name of
the class, or in a file that a config names (`wowbench.plugins`). Plug-in modules import torch
inside their functions, so that listing names stays quick.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from wowbench.errors import InputError, closest


class Registry:
    """Classes of one kind by name, found on first use.

    Parameters
    ----------
    kind : str
        What an entry is, in the singular; used in messages. Entries are subclasses of the class
        of that name, in capitals, in the package's module ``base``.
    package : str
        Package whose modules register entries, and entry-point group for third parties.
    """

    def __init__(self, kind: str, package: str):
        self.kind = kind
        self.package = package
        self._classes: dict[str, type] = {}
        self._broken: dict[str, str] = {}
        self._discovered = False

    def register(self, cls: type) -> type:
        """Class decorator that enters `cls` under its attribute `name`.

        Raises
        ------
        InputError
            If `cls` cannot be an entry, or another class has that name.
        """
        self._check(cls)
        other = self._classes.get(cls.name)
        if other is not None and (other.__module__, other.__qualname__) != (
            cls.__module__,
            cls.__qualname__,
        ):
            raise InputError(
                f"{self.kind} {cls.name!r} is registered twice, by {other.__module__} "
                f"and {cls.__module__}; names must be unique"
            )
        self._classes[cls.name] = cls
        return cls

    def names(self) -> list[str]:
        """All registered names that can be used, sorted."""
        self._discover()
        return sorted(self._classes)

    def broken(self) -> list[str]:
        """One line for each entry point that cannot be used, which names it and says why."""
        self._discover()
        return [self._broken[name] for name in sorted(self._broken)]

    def get(self, name: str) -> type:
        """Return the class registered as `name`.

        Raises
        ------
        InputError
            If there is none: the message has the closest name, or why the entry point of that
            name cannot be used.
        """
        self._discover()
        if name in self._classes:
            return self._classes[name]
        if name in self._broken:
            raise InputError(self._broken[name])
        raise InputError(f"unknown {self.kind} {name!r}; {closest(name, self._classes)}")

    def holds(self, cls: type) -> bool:
        """Whether a class is registered."""
        return cls in self._classes.values()

    def _discover(self) -> None:
        if self._discovered:
            return
        self._discovered = True
        package = importlib.import_module(self.package)
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{self.package}.{module.name}")
        by_name: dict[str, dict[str, EntryPoint]] = {}
        for entry in entry_points(group=self.package):
            by_name.setdefault(entry.name, {})[entry.value] = entry
        for name, entries in by_name.items():
            self._add(name, list(entries.values()))

    def _add(self, name: str, entries: list[EntryPoint]) -> None:
        """Register what the entry points of one name give, or keep why that is not possible."""
        before = dict(self._classes)
        origins = " and ".join(map(_origin, entries))
        try:
            if len(entries) > 1:
                raise InputError("names must be unique")
            cls = self.register(entries[0].load())
            if cls.name != name:
                raise InputError(f"it is called {cls.name!r}; both names must be the same")
        # An import may fail in any way, and end the interpreter too.
        except (Exception, SystemExit) as error:
            self._classes = before
            kind = "" if isinstance(error, InputError) else f"{type(error).__name__}: "
            reason = " ".join(f"{kind}{error}".split())
            self._broken[name] = f"{self.kind} {name!r} of {origins} cannot be used: {reason}"

    def _check(self, cls: Any) -> None:
        """Raise an `InputError` unless `cls` can be an entry."""
        base = getattr(importlib.import_module(f"{self.package}.base"), self.kind.title())
        wanted = f"expected a subclass of {base.__module__}.{base.__qualname__}"
        if not isinstance(cls, type):
            raise InputError(f"it is of type {type(cls).__name__}; {wanted}")
        called = f"{cls.__module__}.{cls.__qualname__}"
        if not issubclass(cls, base):
            raise InputError(f"{called} is a class of another kind; {wanted}")
        missing = sorted(name for name in base.__class_vars__ if not hasattr(cls, name))
        if missing:
            raise InputError(f"{called} has no class attribute {', '.join(missing)}")
        if inspect.isabstract(cls):
            methods = ", ".join(sorted(cls.__abstractmethods__))
            raise InputError(f"{called} does not define {methods}")
        _check_name(called, cls.name)


def _check_name(called: str, name: Any) -> None:
    from pydantic import TypeAdapter, ValidationError

    from wowbench.names import Slug
    from wowbench.values import explain

    try:
        TypeAdapter(Slug).validate_python(name)
    except ValidationError as error:
        raise InputError(f"the name of {called}: {explain(error)}") from None


def _origin(entry: EntryPoint) -> str:
    try:
        name, version = entry.dist.name, entry.dist.version
    except Exception:  # Metadata may be absent or odd in any way.
        name = None
    distribution = f"{name} {version}" if name else "an unknown distribution"
    return f"{distribution} ({entry.value})"


METHODS = Registry("method", "wowbench.methods")
KERNELS = Registry("kernel", "wowbench.kernels")
SCHEMES = Registry("scheme", "wowbench.schemes")
DATASETS = Registry("dataset", "wowbench.datasets")
DISTANCES = Registry("distance", "wowbench.distances")
EVALUATORS = Registry("evaluator", "wowbench.evaluators")
TASKS = Registry("task", "wowbench.tasks")
REGISTRIES = (METHODS, KERNELS, SCHEMES, DATASETS, DISTANCES, EVALUATORS, TASKS)


@contextmanager
def all_or_nothing() -> Iterator[None]:
    """Take back all that was registered inside where it ends with an exception."""
    before = [dict(registry._classes) for registry in REGISTRIES]
    try:
        yield
    except BaseException:
        for registry, classes in zip(REGISTRIES, before, strict=True):
            registry._classes = classes
        raise
