"""How a method looks: alike in all figures of a run."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import cycle
from typing import NamedTuple

import seaborn as sns

MARKERS = ("o", "s", "D", "^", "v", "P", "X", "*", "<", ">")


class Style(NamedTuple):
    """Colour and marker of a method.

    Attributes
    ----------
    colour : tuple of float
        Red, green and blue in [0, 1].
    marker : str
        A marker of matplotlib.
    """

    colour: tuple[float, float, float]
    marker: str


def method_styles(methods: Iterable[str]) -> dict[str, Style]:
    """Give each method a colour of its own.

    Parameters
    ----------
    methods : iterable of str
        Methods of all tasks of a run, in the order of its config; a name may come again.

    Returns
    -------
    dict of str to Style
        In the order of first appearance.
    """
    names = list(dict.fromkeys(methods))
    palette = sns.color_palette()
    if len(names) > len(palette):
        palette = sns.color_palette("husl", len(names))
    return {
        name: Style(colour, marker)
        for name, colour, marker in zip(names, palette, cycle(MARKERS), strict=False)
    }
