"""A number of directions that changes over a flow."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CountSchedule:
    """Numbers that go geometrically from that of the first step to that of the last one.

    The variance of a gradient, which falls as one over the number of directions, goes by the same
    factor at each step: few directions far from the minimum, where noise helps particles to choose
    among the target's, and many at the end, where it keeps them from arriving.

    Attributes
    ----------
    first, last : int or None
        Numbers at the first and at the last step; None for as many as dimensions.
    steps : int
        Steps of the flow.

    Examples
    --------
    >>> schedule = CountSchedule(10, 160, steps=5)
    >>> [schedule.after(done, dim=784) for done in range(5)]
    [10, 20, 40, 80, 160]
    """

    first: int | None
    last: int | None
    steps: int

    def after(self, done: int, dim: int) -> int:
        """Return the number of the step that follows `done` ones, in `dim` dimensions."""
        first, last = self.first or dim, self.last or dim
        share = min(done / max(self.steps - 1, 1), 1.0)
        return round(first * (last / first) ** share)
