"""What rows of verdicts are made of: their columns, and the words of a verdict."""

from __future__ import annotations

from wowbench.results.differences import Difference

AGREES = "agrees"
DIFFERS = "differs"
TOO_GOOD = "better than it should be"
UNTESTED = "untested"
NOT_RUN = "not run"
NOT_PUBLISHED = "not published"
NOT_COMPARABLE = "not comparable"
VERDICTS = (DIFFERS, TOO_GOOD, AGREES, UNTESTED, NOT_COMPARABLE, NOT_RUN, NOT_PUBLISHED)
OFF = (DIFFERS, TOO_GOOD)

COLUMNS = [
    *("mean_a", "error_a", "flows_a", "mean_b", "error_b", "flows_b"),
    *("difference", "difference_se", "p_value", "p_adjusted", "tolerance"),
    *("verdict", "detail"),
]
"""Columns of a table of verdicts that follow those of the cell."""


def compared(found: Difference, detail: str = "") -> dict:
    """Columns of a difference, for a row that has no verdict yet."""
    return {
        "difference": found.value,
        "difference_se": found.error,
        "p_value": found.p_value,
        "detail": "; ".join(filter(None, (found.note, detail))),
    }
