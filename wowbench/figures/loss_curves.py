"""Losses of flows as curves over their steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from wowbench.figures.flows import flows_of, trajectory_of
from wowbench.figures.panels import name_of_k, set_title, unbroken
from wowbench.figures.styles import curve_styles
from wowbench.results.report import Figure

if TYPE_CHECKING:
    import matplotlib.figure

    from wowbench.plan import Plan

BINS = 120


class LossCurves(Figure):
    """Loss of every flow divided by its first value, against the step.

    Methods decrease different functionals, so that curves of different methods show how far each
    came, not which is lower.
    """

    reads: ClassVar[tuple[str, ...]] = ("flow",)

    def draw(self, scores: pd.DataFrame, plan: Plan) -> matplotlib.figure.Figure | None:
        """Show each loss relative to its first value, since methods decrease different functionals.

        One panel per problem and k, one row of panels per problem. Losses are averaged over bins
        of equal width on the logarithmic axis: each step draws its own directions, so that single
        values are noisy.
        """
        flows = flows_of(plan)
        if not flows.empty:
            listing = plan.listing(f"{__name__}:{LossCurves.__name__}")
            flows = flows[flows.experiment.isin(listing)]
        losses = {job: trajectory_of(plan, job).losses.numpy() for job in flows.job}
        shown = flows[flows.job.map(lambda job: len(losses[job]) > 0)]
        if shown.empty:
            return None
        styles = curve_styles(shown.name, shown.method, flows.method)
        problems = [rows for _, rows in shown.groupby(["task", "problem"], sort=False)]
        columns = max(rows.k.nunique() for rows in problems)
        figure, grid = plt.subplots(
            len(problems),
            columns,
            figsize=(3.6 * columns, 2.4 * len(problems) + 0.4),
            squeeze=False,
            sharey="row",
            layout="constrained",
        )
        for rows, axes in zip(problems, grid, strict=True):
            for axis, (k, flows_at_k) in zip(axes, rows.groupby("k"), strict=False):
                for flow in flows_at_k.itertuples():
                    steps, means = binned(losses[flow.job])
                    look = styles[flow.name]
                    looks = {"color": look.colour, "ls": look.line, "lw": 0.9, "alpha": 0.8}
                    axis.plot(steps, means / means[0], **looks)
                set_title(axis, _title(rows, k))
                axis.set(xlabel="step", xscale="log", yscale="log")
            axes[0].set_ylabel("loss / first loss")
            for axis in axes[rows.k.nunique() :]:
                axis.set_axis_off()
        handles = [
            Line2D([], [], color=style.colour, ls=style.line, label=name)
            for name, style in styles.items()
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False)
        return figure


def _title(rows: pd.DataFrame, k: int) -> str:
    return f"{rows.problem.iloc[0]}; {unbroken(name_of_k(rows.task.iloc[0], k))}"


def binned(losses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Average losses over bins of equal width on a logarithmic axis.

    Parameters
    ----------
    losses : numpy.ndarray, shape (steps,)
        One for each step, at least one.

    Returns
    -------
    steps : numpy.ndarray, int, shape (bins,)
        First step of each bin, from 1.
    means : numpy.ndarray, shape (bins,)
        Mean of the losses in it.
    """
    edges = np.unique(np.geomspace(1, len(losses) + 1, BINS).astype(int))
    counts = np.diff(edges)
    return edges[:-1], np.add.reduceat(losses, edges[:-1] - 1) / counts
