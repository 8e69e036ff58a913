"""Methods that say of themselves what they should not, in one way each."""

from __future__ import annotations

from typing import ClassVar

from pydantic import field_serializer
from toys import Good


class Documented(Good):
    """Nobody (2023).

    Parameters
    ----------
    sped : float
        A parameter that is called otherwise.
    """


class Undocumented(Good):
    """Nobody (2023)."""

    taste: float = 1.0


class LongSummary(Good):
    """Nobody (2023)."""

    summary: ClassVar[str] = "images that move\ntowards others"


class NoSummary(Good):
    """Nobody (2023)."""

    summary: ClassVar[str] = " "


class NoLabelRule(Good):
    """Nobody (2023)."""

    label_rule: ClassVar[str] = ""


class UnknownPairing(Good):
    """Nobody (2023)."""

    pairings: ClassVar[frozenset[str]] = frozenset({"free", "freely"})


class NoPairing(Good):
    """Nobody (2023)."""

    pairings: ClassVar[frozenset[str]] = frozenset()


class UnknownPublished(Good):
    """Nobody (2023)."""

    published_as: ClassVar[str] = "mdsw"


class NoReference(Good):
    """Move images in 2023, and cite nobody."""


class NoDocstring(Good):
    pass


class LostInJson(Good):
    """Nobody (2023)."""

    @field_serializer("speed")
    def _round(self, value: float) -> float:
        return 2 * value


class UnfitForJson(Good):
    """Nobody (2023).

    Parameters
    ----------
    limit : float
        Of nothing.
    """

    limit: float = float("inf")


class OddMetricName(Good):
    """Nobody (2023)."""

    metrics: ClassVar[tuple[str, ...]] = ("distance", "The Distance")


class MetricOfJobs(Good):
    """Nobody (2023)."""

    metrics: ClassVar[tuple[str, ...]] = ("distance", "accuracy")
