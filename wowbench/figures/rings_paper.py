"""Figure 1 of the paper."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pandas as pd

from wowbench.figures.rings_particles import draw_rows, rings_flows
from wowbench.results.report import Figure

if TYPE_CHECKING:
    import matplotlib.figure

    from wowbench.plan import Plan

SHOWN = {"gaussian": 0.05, "riesz": 1.0}
"""Kernels of Figure 1, with their parameter."""

STEPS = (0, 10, 25, 100)


class RingsPaper(Figure):
    """Figure 1 of the paper: classes on their way to three rings.

    MMDSW with the Gaussian kernel, h = 0.05, and the Riesz kernel, r = 1, after 0, 10, 25 and 100
    steps, a shorter flow at its end; the first flow of each. Each colour is a class of the source,
    grey is the target.
    """

    reads: ClassVar[tuple[str, ...]] = ("draw", "flow")

    def draw(self, scores: pd.DataFrame, plan: Plan) -> matplotlib.figure.Figure | None:
        """Show the steps of the paper, as far as the flows of its kernels have them."""
        flows = rings_flows(plan)
        if flows.empty:
            return None
        chosen = flows.family.map(SHOWN) == flows.setting
        first = flows[chosen & (flows.algorithm == "mmdsw")].drop_duplicates("family")
        return draw_rows(
            plan, first, lambda flow, last: {min(step, last) for step in STEPS}, width=1.75
        )
