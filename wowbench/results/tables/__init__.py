"""Tables, one module each with a function ``make(scores)``; written as CSV, Markdown and LaTeX."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from wowbench.errors import InputError
from wowbench.files import atomic_path

if TYPE_CHECKING:
    import pandas as pd


def write_table(name: str, scores: pd.DataFrame, out: Path) -> None:
    """Make a table and write it as CSV, Markdown and LaTeX.

    Parameters
    ----------
    name : str
        Module of this package.
    scores : DataFrame
        Tidy scores.
    out : Path
        The CSV file; the others have its name and ``.md`` or ``.tex``.

    Raises
    ------
    InputError
        If there is no such table.
    """
    try:
        module = importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError:
        raise InputError(f"unknown table {name!r}; expected a module of {__name__}") from None
    table = module.make(scores)
    readable = module.readable(table)
    for suffix, text in (
        ("csv", table.to_csv(index=False)),
        ("md", readable.to_markdown(index=False, disable_numparse=True) + "\n"),
        ("tex", readable.to_latex(index=False, escape=True)),
    ):
        with atomic_path(out.with_suffix(f".{suffix}")) as temporary:
            temporary.write_text(text)
