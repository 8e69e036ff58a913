"""The tables and figures that tasks and configs list, as parts of a page."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from wowbench.listed import Listed
from wowbench.site.page import image
from wowbench.site.tables import Link


@dataclass(frozen=True)
class Section:
    """A table on a page.

    Attributes
    ----------
    name : str
        Of its files.
    title, caption : str
        First line of its caption, without the full stop, and what follows it.
    frame : DataFrame
        The table for people.
    files : list of Link
        The same table in other forms.
    """

    name: str
    title: str
    caption: str
    frame: pd.DataFrame
    files: list[Link]


def sections(
    tables: Iterable[Listed], scores: pd.DataFrame, files: Callable[[Listed], list[Link]]
) -> list[Section]:
    """Make the tables of scores; those without a row are left out.

    Parameters
    ----------
    tables : iterable of Listed
        Which tables.
    scores : DataFrame
        Tidy scores.
    files : callable
        Gives the links to other forms of a table.
    """
    found = []
    for one in tables:
        report = one.load()
        frame = report.readable(report.make(scores))
        if not frame.empty:
            title, caption = split_caption(one.caption)
            found.append(Section(one.name, title, caption, frame, files(one)))
    return found


def pictures(figures: Iterable[Listed], folder: Path) -> list[dict[str, Any]]:
    """Read the figures that are in the folder of a run; those without a file are left out.

    Returns
    -------
    list of dict
        For each its ``name``, ``title`` and ``caption``, and what `image` gives.
    """
    found = []
    for one in figures:
        if (folder / one.file).exists():
            title, caption = split_caption(one.caption)
            about = {"name": one.name, "title": title, "caption": caption}
            found.append(about | image(folder / one.file))
    return found


def split_caption(caption: str) -> tuple[str, str]:
    """Split a caption into its first sentence, without the full stop, and what follows it."""
    title, _, rest = caption.partition("\n\n")
    return " ".join(title.split()).removesuffix("."), rest
