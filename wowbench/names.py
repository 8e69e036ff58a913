"""Names that become part of file names, and names of classes."""

import re
from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from wowbench.errors import shown

_SLUG = "[A-Za-z0-9_][A-Za-z0-9._-]*"
SLUG_LENGTH = 100


def _check_slug(value: str) -> str:
    if len(value) > SLUG_LENGTH:
        raise ValueError(
            f"got {shown(value)} of {len(value)} letters; expected at most {SLUG_LENGTH}, "
            "since it becomes part of file names"
        )
    if not re.fullmatch(_SLUG, value):
        raise ValueError(
            f"got {shown(value)}; expected a short name of ASCII letters, digits, '.', '_' and "
            "'-', since it becomes part of file names"
        )
    return value


Slug = Annotated[
    str,
    AfterValidator(_check_slug),
    WithJsonSchema({"type": "string", "pattern": f"^{_SLUG}$", "maxLength": SLUG_LENGTH}),
]
"""Name that becomes part of file names."""


_IDENTIFIER = "[A-Za-z_][A-Za-z0-9_]*"
_IMPORT_PATH = rf"{_IDENTIFIER}(\.{_IDENTIFIER})*:{_IDENTIFIER}"


def _check_import_path(value: str) -> str:
    if not re.fullmatch(_IMPORT_PATH, value):
        raise ValueError(f"got {shown(value)}; expected an import path like 'package.module:Class'")
    return value


ImportPath = Annotated[
    str,
    AfterValidator(_check_import_path),
    WithJsonSchema({"type": "string", "pattern": f"^{_IMPORT_PATH}$"}),
]
"""Where a class is: ``package.module:Class``."""


def class_slug(name: str) -> str:
    """Write the name of a class as one that every file system takes: T-shirt-top."""
    return "".join(c if c.isalnum() or c in "._-" else "-" for c in name)


def class_folders(classes: Sequence[str]) -> list[str]:
    """Names for the folders of classes, whose order is that of the labels: 0_T-shirt-top."""
    width = len(str(len(classes) - 1))
    return [f"{label:0{width}}_{class_slug(name)}" for label, name in enumerate(classes)]


def unique(what: str, names: list[str]) -> None:
    """Refuse a list in which a name comes twice, also in other capitals.

    Raises
    ------
    ValueError
        Naming the first repeated one.
    """
    known: dict[str, str] = {}
    for name in names:
        folded = name.casefold()
        if known.get(folded) == name:
            raise ValueError(f"two {what} are called {name!r}; give one of them another `id`")
        if folded in known:
            raise ValueError(
                f"two {what} are called {known[folded]!r} and {name!r}, which some file systems "
                "do not tell apart; give one of them another `id`"
            )
        known[folded] = name
