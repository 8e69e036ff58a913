"""How much of what was published agrees with the scores of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from wowbench.results.cells import method_names, problem_names
from wowbench.results.verdict_page import FRACTIONS
from wowbench.results.verdict_rows import AGREES, DIFFERS, TOO_GOOD, VERDICTS
from wowbench.results.verdicts import verdicts
from wowbench.site.tables import Badge, Links

TESTED = (AGREES, DIFFERS, TOO_GOOD)
"""Verdicts on a cell that was run as it was published, often enough to have an error."""


@dataclass(frozen=True)
class Agreement:
    """Verdicts on the cells of a run for which there is a published number.

    Attributes
    ----------
    counts : dict of str to int
        Cells by verdict: those that were tested first.
    frame : DataFrame
        One row for each such cell, for people.
    """

    counts: dict[str, int]
    frame: pd.DataFrame

    @property
    def tested(self) -> int:
        """Number of cells that were held against their published numbers."""
        return sum(self.counts.get(verdict, 0) for verdict in TESTED)

    @property
    def cells(self) -> int:
        """Number of cells."""
        return sum(self.counts.values())

    @property
    def lead(self) -> str:
        """The verdict in a sentence or two."""
        if not self.cells:
            return "The paper has no number for any of its cells."
        if not self.tested:
            return (
                f"The paper has numbers for {_cells(self.cells)}, none of which was tested: they "
                "were run with other settings, or have no error to go by."
            )
        agreed = self.counts.get(AGREES, 0)
        said = f"{agreed} of {_cells(self.tested)} run as in the paper agree with its numbers."
        if self.cells > self.tested:
            said += (
                f" Of {self.cells - self.tested:,} more the paper has a number, but they were run "
                "with other settings, or have no error to go by."
            )
        return said


def agreement(scores: pd.DataFrame, links: Callable[[pd.Series], Links] | None = None) -> Agreement:
    """Give the verdicts on the cells of a run for which there is a published number.

    Parameters
    ----------
    scores : DataFrame
        Tidy scores of the run.
    links : callable, optional
        Gives the links to the records of a cell, from its row.
    """
    table = verdicts(scores, "published")
    known = table.mean_b.notna() & table.experiment.ne("")
    table = with_columns(table[known].reset_index(drop=True))
    frame = pd.DataFrame(
        {
            "problem": problem_names(table),
            "k": table.k,
            "method": method_names(table),
            "metric": table.metric,
            "measured": _sides(table, "a"),
            "published": _sides(table, "b"),
            "verdict": table.verdict.map(Badge),
            "why": table.detail,
        }
    )
    if links is not None:
        frame["records"] = [links(row) for _, row in table.iterrows()]
    return Agreement(_ordered(Counter(table.verdict)), frame)


def total(parts: Iterable[Agreement]) -> Agreement:
    """Add up the cells of several runs."""
    parts = list(parts)
    counts = Counter()
    for part in parts:
        counts.update(part.counts)
    return Agreement(_ordered(counts), pd.concat([part.frame for part in parts]))


def with_columns(table: pd.DataFrame) -> pd.DataFrame:
    """Add the columns that names of problems and methods are made of, empty, where they lack."""
    needed = ("source.bundled", "target.bundled")
    return table.assign(**{column: "" for column in needed if column not in table})


def _sides(table: pd.DataFrame, side: str) -> list[str]:
    """Mean and error of one side as text, accuracies in percent."""
    columns = zip(table.metric, table[f"mean_{side}"], table[f"error_{side}"], strict=True)
    return [_number(*values) for values in columns]


def _number(metric: str, mean: float, error: float) -> str:
    if pd.isna(mean):
        return ""
    percent = metric.startswith(FRACTIONS)
    form = (lambda number: f"{100 * number:.1f}") if percent else (lambda number: f"{number:.4g}")
    spread = "" if pd.isna(error) else f" ± {form(error)}"
    return f"{form(mean)}{spread}{' %' if percent else ''}"


def _ordered(counts: Mapping[str, int]) -> dict[str, int]:
    order = dict.fromkeys((*TESTED, *VERDICTS))
    return {verdict: counts[verdict] for verdict in order if counts.get(verdict)}


def _cells(number: int) -> str:
    return f"{number:,} cell{'' if number == 1 else 's'}"
