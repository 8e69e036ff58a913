"""What becomes of single particles when a dataset is flowed to another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from wowbench.figures.flows import drawn_of, flows_of, trajectory_of
from wowbench.figures.panels import set_title
from wowbench.figures.pictures import as_shown, class_names
from wowbench.methods.trajectory import Trajectory
from wowbench.results.report import Figure

if TYPE_CHECKING:
    import matplotlib.figure

    from wowbench.plan import Plan

TILE = 0.43
"""Height and width of an image, in inches."""


class GenerationTrajectories(Figure):
    """Single particles over a flow: a row per source class, a column per snapshot.

    The first particle of each source class in the first flow, after the numbers of steps below the
    columns; the last column is the end of the flow. Values are clipped to [0, 1] for display alone:
    flows move them freely. Grey images are shown dark on white.
    """

    reads: ClassVar[tuple[str, ...]] = ("draw", "flow")

    def draw(self, scores: pd.DataFrame, plan: Plan) -> matplotlib.figure.Figure | None:
        """One grid of images per problem and method."""
        panels = _panels(plan)
        if not panels:
            return None
        shapes = [(len(rows), len(rows[0])) for *_, rows in panels]
        heights = [TILE * rows + 0.55 for rows, _ in shapes]
        longest = max(len(name) for _, _, names, _ in panels for name in names)
        width = TILE * max(columns for _, columns in shapes) + 0.5 + 0.07 * longest
        figure, axes = plt.subplots(
            len(panels),
            1,
            figsize=(width, sum(heights)),
            height_ratios=heights,
            squeeze=False,
            layout="constrained",
        )
        for axis, (title, steps, classes, rows) in zip(axes.flat, panels, strict=True):
            _draw_grid(axis, steps, classes, rows)
            set_title(axis, title, int(12 * width))
        return figure


def _panels(plan: Plan) -> list[tuple[str, list[int], list[str], np.ndarray]]:
    """List a title, steps, names of classes and images ``(C, steps, h, w, 3)`` for each cell."""
    flows = flows_of(plan, "generation")
    if flows.empty:
        return []
    panels = []
    for flow in flows[flows.flow_seed == 0].itertuples():
        trajectory = trajectory_of(plan, flow.job)
        source = drawn_of(plan, flow.job).source
        if trajectory.frames and source.ndim == 5:
            images = _first_of_each_class(trajectory, len(source))
            names = class_names(plan.jobs["flow"][flow.job].spec, "source", len(source))
            title = f"{flow.problem}; {flow.name}"
            panels.append((title, list(trajectory.frames), names, images))
    return panels


def _first_of_each_class(trajectory: Trajectory, classes: int) -> np.ndarray:
    """Colours ``(classes, steps, height, width, 3)``."""
    frames = [
        as_shown(frame.particles.unflatten(0, (classes, -1))[:, 0])
        for frame in trajectory.frames.values()
    ]
    return np.stack(frames, 1)


def _draw_grid(axis: Axes, steps: list[int], names: list[str], rows: np.ndarray) -> None:
    """Draw rows of images with white gaps of a pixel."""
    classes, _, height, width = rows.shape[:4]
    rows = np.pad(rows, ((0, 0), (0, 0), (0, 1), (0, 1), (0, 0)), constant_values=1)
    axis.imshow(np.vstack([np.hstack(list(row)) for row in rows]))
    places = [(i + 0.5) * (width + 1) for i in range(len(steps))]
    axis.set_xticks(places, [_short(step) for step in steps])
    axis.set_yticks([(c + 0.5) * (height + 1) for c in range(classes)], names)
    axis.set(xlabel="step", ylabel="source class")
    axis.grid(False)
    axis.tick_params(length=0, labelsize="small")


def _short(step: int) -> str:
    """Write a step in few characters, as "6.7k"."""
    return str(step) if step < 1000 else f"{step / 1000:.3g}k"
