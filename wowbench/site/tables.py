"""Tables of a page: HTML that reads well as it is, and that DataTables sorts and filters."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

import pandas as pd
from markupsafe import Markup, escape

LEADING_NUMBER = re.compile(r"[+-]?(\d[\d,]*\.?\d*|\.\d+)(e[+-]?\d+)?(?![\w.])", re.IGNORECASE)
"""What a cell such as "39.3 ± 6.0", "+11.4", "33.9 to 47.0" or "2.6e-06" is sorted by."""

PAGE_LENGTH = 30
"""Rows that are shown at once of a longer table."""

SHORT = 40
"""Letters of a text that stays on one line."""

FILTERED_FROM = 4
"""Rows from which a table has a field to filter it by."""


@dataclass(frozen=True)
class Link:
    """A cell that leads somewhere.

    Attributes
    ----------
    text : str
        What is shown.
    to : str
        Relative address, or an anchor of the page.
    """

    text: str
    to: str

    def __str__(self) -> str:
        return self.text

    def __html__(self) -> str:
        return Markup('<a href="{}">{}</a>').format(self.to, self.text)


@dataclass(frozen=True)
class Badge:
    """A word in a colour of its own, such as a verdict.

    Attributes
    ----------
    text : str
        The word; its CSS class is ``badge-`` and its letters, with hyphens between words.
    """

    text: str

    def __str__(self) -> str:
        return self.text

    def __html__(self) -> str:
        return Markup('<span class="badge badge-{}">{}</span>').format(slug(self.text), self.text)


@dataclass(frozen=True)
class Links:
    """Several links in one cell.

    Attributes
    ----------
    links : list of Link
        In the order in which they are shown.
    """

    links: list[Link] = field(default_factory=list)

    def __str__(self) -> str:
        return " ".join(map(str, self.links))

    def __html__(self) -> str:
        return Markup(" ").join(map(escape, self.links))


def slug(text: str) -> str:
    """Write a name with lower-case letters, digits and hyphens alone: for an anchor or a class."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def html_table(frame: pd.DataFrame, name: str) -> Markup:
    """Write a table as HTML.

    Parameters
    ----------
    frame : DataFrame
        Cells are text, numbers, `Link`, `Links` or `Badge`; what is missing is left empty. All
        text is escaped.
    name : str
        Its id on the page.

    Returns
    -------
    Markup
        A ``table`` of the class "data". A column whose cells all begin with a number is to the
        right, and sorted by these numbers.
    """
    shown = {column: [_shown(value) for value in frame[column]] for column in frame}
    keys = {column: _numbers(texts) for column, texts in shown.items()}
    head = Markup("").join(
        Markup("<th{}>{}</th>").format(_attributes(keys[column] is not None), column)
        for column in frame
    )
    rows = [
        Markup("").join(
            _cell(shown[column][i], keys[column][i] if keys[column] else None) for column in frame
        )
        for i in range(len(frame))
    ]
    body = Markup("\n").join(Markup("<tr>{}</tr>").format(row) for row in rows)
    return Markup(
        '<div class="scroll"><table class="data" id="{}"{}>\n<thead><tr>{}</tr></thead>\n'
        "<tbody>\n{}\n</tbody></table></div>"
    ).format(name, _options(len(frame)), head, body)


def _options(rows: int) -> Markup:
    """Options that DataTables reads from a table's attributes."""
    long = rows > PAGE_LENGTH
    options = {"paging": long, "info": long, "searching": rows >= FILTERED_FROM}
    off = [f'data-{name}="false"' for name, wanted in options.items() if not wanted]
    return Markup(" ".join(["", f'data-page-length="{PAGE_LENGTH}"', *off]))


def _shown(value: object) -> object:
    """Give what a cell shows: nothing for what is missing, and numbers with four digits."""
    if isinstance(value, Link | Links | Badge):
        return value
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)


def _numbers(cells: list) -> list[str] | None:
    """Leading numbers of all cells, "" for an empty one; None where a cell begins otherwise."""
    if any(isinstance(cell, Links) for cell in cells):
        return None
    found = [LEADING_NUMBER.match(text) if (text := str(cell)) else "" for cell in cells]
    if None in found or not any(found):
        return None
    return [match and match[0].replace(",", "") for match in found]


def _attributes(numeric: bool) -> Markup:
    return Markup(' class="number"' if numeric else "")


def _cell(shown: object, key: str | None) -> Markup:
    if key is not None:
        return Markup('<td class="number" data-order="{}">{}</td>').format(key, shown)
    kind = Markup(' class="short"') if len(str(shown)) <= SHORT else ""
    return Markup("<td{}>{}</td>").format(kind, shown)
