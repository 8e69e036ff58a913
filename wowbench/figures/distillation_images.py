"""Distilled images as pictures."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, ClassVar

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from wowbench.figures.flows import flows_of, trajectory_of
from wowbench.methods.trajectory import Frame
from wowbench.results.cells import WHOLE
from wowbench.results.report import Figure

if TYPE_CHECKING:
    import matplotlib.figure

    from wowbench.plan import Plan

SHOWN = 10


class DistillationImages(Figure):
    """The synthetic images of each method, class by class.

    The first flow at the smallest and at the largest number of images per class, of which at most
    ten are shown; a column is a class, in the order of the class numbers. Images are in units of
    the data, clipped to black and white.
    """

    reads: ClassVar[tuple[str, ...]] = ("flow",)

    def draw(self, scores: pd.DataFrame, plan: Plan) -> matplotlib.figure.Figure | None:
        """One row for each problem and number of images per class, one column for each method."""
        panels = _panels(plan)
        if not panels:
            return None
        rows = list(dict.fromkeys((problem, k) for problem, k, _ in panels))
        methods = list(dict.fromkeys(method for _, _, method in panels))
        heights = [2.2 * min(k, SHOWN) / SHOWN + 0.5 for _, k in rows]
        figure, grid = plt.subplots(
            len(rows),
            len(methods),
            figsize=(2.3 * len(methods), sum(heights)),
            height_ratios=heights,
            squeeze=False,
            layout="constrained",
        )
        for (problem, k), axes in zip(rows, grid, strict=True):
            for method, axis in zip(methods, axes, strict=True):
                axis.set_axis_off()
                if (problem, k, method) in panels:
                    axis.imshow(panels[problem, k, method], cmap="gray_r", vmin=0, vmax=1)
                    lines = (fill(text, 30) for text in (method, problem, f"{k} per class"))
                    axis.set_title("\n".join(lines), fontsize="small")
        return figure


def _panels(plan: Plan) -> dict[tuple[str, int, str], np.ndarray]:
    """Pictures by problem, number of images and method, where a method left images."""
    flows = flows_of(plan, "distillation")
    if flows.empty:
        return {}
    flows = flows[(flows.flow_seed == 0) & (flows.k != WHOLE)]
    counts = flows.groupby("problem").k
    extreme = (flows.k == counts.transform("min")) | (flows.k == counts.transform("max"))
    panels = {}
    for flow in flows[extreme].itertuples():
        trajectory = trajectory_of(plan, flow.job)
        if trajectory.frames:
            panels[flow.problem, flow.k, flow.name] = _picture(trajectory.last)
    return panels


def _picture(distilled: Frame) -> np.ndarray:
    """Tile images (height, width) or (height, width, 3), a column per class."""
    columns = []
    for label in range(int(distilled.labels.max()) + 1):
        images = distilled.particles[distilled.labels == label][:SHOWN].clamp(0, 1)
        columns.append(np.vstack(list(images.permute(0, 2, 3, 1).squeeze(-1).numpy())))
    return np.hstack(columns)
