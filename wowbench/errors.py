"""Errors whose message is meant for the person who gave the input."""

import difflib
import reprlib
from collections.abc import Iterable, Sequence


class InputError(ValueError):
    """Bad input: the message is one line that names the culprit, the value and what is right."""


class MethodError(InputError):
    """A method gave back what it must not: the message names method, field, found and expected."""


class DivergedError(ArithmeticError):
    """A flow left the finite numbers, or grew beyond all measure.

    Parameters
    ----------
    step : int
        Step, counted from 1, at which it showed.
    reason : str
        What showed, and what is at fault.
    lr : float, optional
        Learning rate of that flow, where its scheme has one.
    """

    def __init__(self, step: int, reason: str, lr: float | None = None):
        self.step = step
        self.lr = lr
        super().__init__(f"the flow diverged: {reason}")


NAMED = 3
"""Jobs that a message names, of those that failed."""


class JobsFailedError(Exception):
    """Some of the jobs of a process failed; the log has a line for each that says why.

    Parameters
    ----------
    failed : sequence of str
        Their names.
    jobs : int
        Number of jobs of the process.
    """

    def __init__(self, failed: Sequence[str], jobs: int):
        more = f" and {len(failed) - NAMED} more" if len(failed) > NAMED else ""
        names = ", ".join(failed[:NAMED])
        super().__init__(f"{len(failed)} of {jobs} jobs failed: {names}{more}")


_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxlist, _SHORT.maxtuple, _SHORT.maxdict = 3, 4, 4, 4
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 80
LONGEST = 160


def shown(value: object) -> str:
    """Show a value as Python does, in one line and shortened where it is long."""
    try:
        text = _SHORT.repr(value)
    except ValueError:  # Python writes no integer of more than 4,300 digits.
        return "a number of thousands of digits"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def closest(value: object, choices: Iterable[str]) -> str:
    """Say which of `choices` was probably meant, or list them all.

    Parameters
    ----------
    value : object
        What was given.
    choices : iterable of str
        What would be accepted.

    Returns
    -------
    str
        A clause to put behind a semicolon.
    """
    choices = sorted(choices)
    lowered = {choice.lower(): choice for choice in choices}
    match = difflib.get_close_matches(str(value).lower(), lowered, n=1, cutoff=0.6)
    if match:
        return f"did you mean {lowered[match[0]]!r}?"
    return f"expected one of {', '.join(choices)}"


def one_line(error: object, limit: int = 200) -> str:
    """Text of an error as one printable line of at most `limit` characters."""
    text = "".join(c if c.isprintable() else " " for c in str(error))
    text = " ".join(text.split())
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def describe(error: Exception) -> str:
    """Say in one line what went wrong: which file, where one could not be read or written."""
    if isinstance(error, OSError):
        if error.strerror is None:
            return one_line(error)
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}"
    if isinstance(error, InputError | DivergedError | JobsFailedError):
        return str(error)
    return f"{type(error).__name__}: {one_line(error)}"
