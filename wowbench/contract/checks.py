"""What a check is, and how its result is told."""

import logging
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

from wowbench.errors import InputError


class ContractError(Exception):
    """Something does not keep to the contract: the message says in one line what."""


@dataclass(frozen=True)
class Check:
    """One thing that is to be kept to.

    Attributes
    ----------
    title : str
        What it does if it keeps to it: a clause without a subject.
    run : callable
        Raises an exception if it does not.
    """

    title: str
    run: Callable[[], None]

    @classmethod
    def of(cls, function: Callable, run: Callable[[], None], where: str = "") -> Self:
        """Return a check whose title is the name of a function, in words."""
        title = function.__name__.replace("_", " ").replace("json", "JSON")
        return cls(f"{title}, {where}" if where else title, run)

    def reason(self) -> str | None:
        """Why it fails, in one line; None if it does not."""
        try:
            self.run()
        except (ContractError, InputError) as error:
            return _one_line(error)
        # Whatever a third party's code raises is what this check has found.
        except Exception as error:
            frame = traceback.extract_tb(error.__traceback__)[-1]
            return f"{_one_line(error, named=True)} ({frame.filename}:{frame.lineno})"
        return None


def require(condition: object, message: str) -> None:
    """Raise a `ContractError` unless the condition holds."""
    if not condition:
        raise ContractError(message)


def report(checks: Iterable[Check]) -> bool:
    """Run checks and print one line for each.

    Returns
    -------
    bool
        Whether all passed.
    """
    passed = True
    for check in checks:
        with _without_news():
            reason = check.reason()
        passed &= reason is None
        line = f"passed: {check.title}" if reason is None else f"FAILED: {check.title}: {reason}"
        print(line, flush=True)
    return passed


@contextmanager
def _without_news() -> Iterator[None]:
    """Leave out what flows log where nothing is wrong, as that they resume."""
    logger = logging.getLogger("wowbench")
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


def _one_line(error: Exception, *, named: bool = False) -> str:
    name = f"{type(error).__name__}: " if named else ""
    return " ".join(f"{name}{error}".split())
