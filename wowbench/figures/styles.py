"""How a method looks: alike in all figures of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import cycle
from math import gcd
from typing import NamedTuple

import pandas as pd
import seaborn as sns

MARKERS = ("o", "s", "D", "^", "v", "P", "X", "*", "<", ">")
LINES = ("-", "--", ":", "-.")

GOLDEN = 0.382
"""Part of a ring by which steps around it come close to no earlier one for longest."""


class Style(NamedTuple):
    """Colour, marker and line of a method.

    Attributes
    ----------
    colour : tuple of float
        Red, green and blue in [0, 1].
    marker, line : str
        A marker and a line style of matplotlib.
    """

    colour: tuple[float, float, float]
    marker: str
    line: str = "-"


def method_styles(methods: Iterable[str]) -> dict[str, Style]:
    """Give each method a colour of its own.

    Parameters
    ----------
    methods : iterable of str
        Labels of methods of all tasks of a run, in the order of its config; one may come again.

    Returns
    -------
    dict of str to Style
        In the order of first appearance.
    """
    names = list(dict.fromkeys(methods))
    palette = sns.color_palette()
    if len(names) > len(palette):
        palette = _far_apart(sns.color_palette("husl", len(names)))
    return {
        name: Style(colour, marker)
        for name, colour, marker in zip(names, palette, cycle(MARKERS), strict=False)
    }


def _far_apart(ring: Sequence[tuple]) -> list[tuple]:
    """Order the colours of a ring so that those which follow one another are unlike."""
    n = len(ring)
    stride = next(step for step in range(round(GOLDEN * n), n) if gcd(step, n) == 1)
    return [ring[i * stride % n] for i in range(n)]


def curve_styles(names: pd.Series, labels: pd.Series, run: Iterable[str]) -> dict[str, Style]:
    """Give each curve the colour of its method, and curves of one method different lines.

    Parameters
    ----------
    names, labels : Series
        Of each row of a table: what its curve is called, and the label of its method.
    run : iterable of str
        As for `method_styles`.

    Returns
    -------
    dict of str to Style
        By name of a curve, in the order of first appearance.
    """
    styles = method_styles(run)
    curves: dict[str, Style] = {}
    lines = {label: cycle(LINES) for label in styles}
    for name, label in zip(names, labels, strict=True):
        if name not in curves:
            curves[name] = styles[label]._replace(line=next(lines[label]))
    return curves


def point_styles(styles: Mapping[str, Style]) -> dict[str, Style]:
    """Give curves of a single point markers that tell them apart, and no lines."""
    return {
        name: Style(style.colour, marker, "")
        for (name, style), marker in zip(styles.items(), cycle(MARKERS), strict=False)
    }
