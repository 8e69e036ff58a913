"""The names that a config may use: methods, datasets and tasks.

A plug-in is one class in one module of `wowbench.methods`, `wowbench.datasets` or
`wowbench.tasks`, or in a third party's package under the entry-point group of the same name.
Plug-in modules import torch inside their functions, so that listing names stays quick.
"""

import importlib
import pkgutil
from importlib.metadata import entry_points

from wowbench.errors import InputError, closest


class Registry:
    """Classes of one kind by name, found on first use.

    Parameters
    ----------
    kind : str
        What an entry is, in the singular; used in messages.
    package : str
        Package whose modules register entries, and entry-point group for third parties.
    """

    def __init__(self, kind: str, package: str):
        self.kind = kind
        self.package = package
        self._classes: dict[str, type] = {}
        self._discovered = False

    def register(self, cls: type) -> type:
        """Class decorator that enters `cls` under its attribute `name`.

        Raises
        ------
        InputError
            If another class has that name.
        """
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
        """All registered names, sorted."""
        self._discover()
        return sorted(self._classes)

    def get(self, name: str) -> type:
        """Return the class registered as `name`.

        Raises
        ------
        InputError
            If there is none; the message has the closest name.
        """
        self._discover()
        if name not in self._classes:
            raise InputError(f"unknown {self.kind} {name!r}; {closest(name, self._classes)}")
        return self._classes[name]

    def _discover(self) -> None:
        if self._discovered:
            return
        self._discovered = True
        package = importlib.import_module(self.package)
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{self.package}.{module.name}")
        for entry in entry_points(group=self.package):
            self.register(entry.load())


METHODS = Registry("method", "wowbench.methods")
DATASETS = Registry("dataset", "wowbench.datasets")
TASKS = Registry("task", "wowbench.tasks")
