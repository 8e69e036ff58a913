"""Points on their way to rings, method by method."""

from __future__ import annotations

from collections.abc import Callable, Collection
from textwrap import fill
from typing import TYPE_CHECKING, ClassVar

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns

from wowbench.figures.flows import drawn_of, flows_of, trajectory_of
from wowbench.results.kernels import with_kernels
from wowbench.results.report import Figure

if TYPE_CHECKING:
    import matplotlib.figure
    from matplotlib.axes import Axes

    from wowbench.methods.trajectory import Frame
    from wowbench.plan import Plan

LIMITS = (-1.9, 0.4), (-0.8, 0.8)
"""What is shown of the plane, as in the paper."""

FAINT = 0.08
"""Opacity of a class without mass, where a method moves the masses."""


class RingsParticles(Figure):
    """Particles after some steps of each flow onto rings; one row per method.

    The first flow of each. Each colour is a class of the source, grey is the target; where a method
    moves the weights of classes too, a class is the fainter the less it weighs. As the figures of
    Appendix D.2 of the paper, which show 0, 2, 25, 50, 100, 200, 250 and 500 steps.
    """

    reads: ClassVar[tuple[str, ...]] = ("draw", "flow")

    def draw(self, scores: pd.DataFrame, plan: Plan) -> matplotlib.figure.Figure | None:
        """Show the snapshots of each experiment, and the last step of each flow."""
        flows = rings_flows(plan)
        if flows.empty:
            return None
        asked = {e.label: e.snapshots for e in plan.config.experiments if e.name == "rings"}
        return draw_rows(
            plan, flows, lambda flow, last: {*asked[flow.experiment], last}, width=1.05
        )


def rings_flows(plan: Plan) -> pd.DataFrame:
    """List the first flow of each method onto rings, with its kernel and its name."""
    flows = flows_of(plan, "rings")
    return flows if flows.empty else with_kernels(flows[flows.flow_seed == 0])


def told_apart(flows: pd.DataFrame) -> pd.DataFrame:
    """Put the experiment behind a name that two of these flows have."""
    same = flows.name.duplicated(keep=False)
    return flows.assign(name=flows.name.mask(same, flows.name + " (" + flows.experiment + ")"))


def draw_rows(
    plan: Plan, flows: pd.DataFrame, steps_of: Callable[..., Collection[int]], width: float
) -> matplotlib.figure.Figure | None:
    """Draw a row of panels for each flow, one panel for each step that any of them is shown at.

    Parameters
    ----------
    plan : Plan
        The run.
    flows : DataFrame
        As from `rings_flows`; those that diverged are left out.
    steps_of : callable
        Maps a row of `flows` and its last step to the steps to show of it, where particles were
        kept.
    width : float
        Width of a panel in inches.
    """
    shown = {}
    for flow in told_apart(flows).itertuples():
        trajectory = trajectory_of(plan, flow.job)
        if trajectory.frames:
            wanted = steps_of(flow, max(trajectory.frames))
            frames = {step: trajectory.frames[step] for step in wanted if step in trajectory.frames}
            shown[flow.Index] = flow, drawn_of(plan, flow.job), frames
    if not shown:
        return None
    steps = sorted({step for _, _, frames in shown.values() for step in frames})
    (left, right), (low, high) = LIMITS
    height = width * (high - low) / (right - left)
    figure, grid = plt.subplots(
        len(shown),
        len(steps),
        figsize=(width * len(steps) + 1.2, (height + 0.04) * len(shown) + 0.3),
        squeeze=False,
        layout="constrained",
    )
    figure.get_layout_engine().set(w_pad=0.01, h_pad=0.01, wspace=0.01, hspace=0.01)
    for axes, (flow, drawn, frames) in zip(grid, shown.values(), strict=True):
        target = drawn.space.natural(drawn.target).flatten(0, 1).numpy()
        for axis, step in zip(axes, steps, strict=True):
            if step in frames:
                set_up(axis, target, size=width)
                draw_particles(axis, frames[step], len(drawn.source), size=width)
            else:
                axis.set_axis_off()
        label = fill(flow.name, 20, break_on_hyphens=False)
        axes[0].set_axis_on()
        axes[0].set_ylabel(label, rotation=0, ha="right", va="center", fontsize="small")
    for axis, step in zip(grid[0], steps, strict=True):
        axis.set_title(f"step {step}", fontsize="small")
    return figure


def set_up(axis: Axes, target: np.ndarray, size: float) -> None:
    """Give a panel its axes, and show the target faintly; `size` is the panel's width."""
    axis.set(xlim=LIMITS[0], ylim=LIMITS[1], xticks=[], yticks=[], aspect="equal")
    axis.grid(False)
    axis.scatter(*target.T, s=2 * size, color="0.85", lw=0)


def draw_particles(axis: Axes, frame: Frame, classes: int, size: float) -> list:
    """Draw the particles of a frame, a colour for each class, and return what was drawn."""
    points = frame.particles.numpy().reshape(classes, -1, 2)
    shares = np.ones(classes)
    if frame.weights is not None:
        shares = frame.weights.numpy() / frame.weights.max().item()
    palette = sns.color_palette(n_colors=classes)
    return [
        axis.scatter(*of_class.T, s=2 * size, color=colour, lw=0, alpha=max(share, FAINT))
        for of_class, colour, share in zip(points, palette, shares, strict=True)
    ]
