"""Which job wrote a file or a record, and how it is held against the job that should have.

A spec holds the whole spec of each job whose files it reads, so that two jobs are the same exactly
where verb and spec are equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wowbench.errors import InputError

ABSENT = "nothing"


@dataclass(frozen=True)
class Origin:
    """The job that wrote a file or a record.

    Attributes
    ----------
    job : str
        Its verb.
    spec : dict
        Its whole spec.
    """

    job: str
    spec: Mapping

    def require(self, path: Path, job: str, spec: Mapping) -> None:
        """Refuse what another job wrote.

        Parameters
        ----------
        path : Path
            The file or record, for the message.
        job, spec
            Verb and spec of the job that should have written it.

        Raises
        ------
        InputError
            Naming the file, the first key that differs, what was found and what was expected.
        """
        difference = first_difference(
            {"job": self.job} | dict(self.spec), {"job": job} | dict(spec)
        )
        if difference is not None:
            key, found, expected = difference
            raise InputError(
                f"{path}: made with {key} = {_short(found)}, expected {_short(expected)}; "
                f"remove it and run its {job} job again"
            )


def first_difference(found: Any, expected: Any, key: str = "") -> tuple[str, Any, Any] | None:
    """Find where two JSON values differ first.

    Returns
    -------
    tuple of (str, object, object) or None
        The key as ``inputs.draw.k`` or ``seeds[1]``, and both values; None where they are equal.
    """
    if isinstance(found, Mapping) and isinstance(expected, Mapping):
        pairs = [
            (f"{key}.{name}" if key else name, found.get(name, ABSENT), expected.get(name, ABSENT))
            for name in dict.fromkeys([*expected, *found])
        ]
    elif isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        pairs = [(f"{key}[{i}]", *pair) for i, pair in enumerate(zip(found, expected, strict=True))]
    elif type(found) is type(expected) and found == expected:
        return None
    else:
        return key, found, expected
    return next((d for k, f, e in pairs if (d := first_difference(f, e, k)) is not None), None)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
