"""Distilled images as pictures."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, ClassVar

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from wowbench.figures.flows import flows_of, trajectory_of
from wowbench.figures.pictures import as_shown, class_names
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
    ten are shown; a column is a class. Images are in units of the data, clipped to [0, 1]; grey
    ones are dark on white.
    """

    reads: ClassVar[tuple[str, ...]] = ("flow",)

    def draw(self, scores: pd.DataFrame, plan: Plan) -> matplotlib.figure.Figure | None:
        """One row for each problem and number of images per class, one column for each method."""
        panels = _panels(plan)
        if not panels:
            return None
        rows = list(dict.fromkeys((problem, k) for problem, k, _ in panels))
        methods = list(dict.fromkeys(method for _, _, method in panels))
        heights = [2.2 * min(k, SHOWN) / SHOWN + 1 for _, k in rows]
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
                if (problem, k, method) in panels:
                    picture, classes = panels[problem, k, method]
                    _draw_picture(axis, picture, classes)
                    lines = (fill(text, 30) for text in (method, problem, f"{k} per class"))
                    axis.set_title("\n".join(lines), fontsize="small")
                else:
                    axis.set_axis_off()
        return figure


def _panels(plan: Plan) -> dict[tuple[str, int, str], tuple[np.ndarray, list[str]]]:
    """Pictures, and names of their columns, by problem, number of images and method."""
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
            picture, classes = _picture(trajectory.last)
            names = class_names(plan.jobs["flow"][flow.job].spec, "target", classes)
            panels[flow.problem, flow.k, flow.name] = picture, names
    return panels


def _picture(distilled: Frame) -> tuple[np.ndarray, int]:
    """Tile images (height, width, 3), a column per class, of which it gives the number."""
    classes = int(distilled.labels.max()) + 1
    shown = as_shown(distilled.particles)
    columns = [shown[distilled.labels == label][:SHOWN] for label in range(classes)]
    return np.hstack([np.vstack(list(images)) for images in columns]), classes


def _draw_picture(axis: Axes, picture: np.ndarray, classes: list[str]) -> None:
    axis.imshow(picture)
    places = (np.arange(len(classes)) + 0.5) * picture.shape[1] / len(classes)
    axis.set_xticks(places, classes, rotation=90, fontsize="x-small")
    axis.set_yticks([])
    axis.tick_params(length=0, pad=1)
    axis.grid(False)
    for spine in axis.spines.values():
        spine.set_visible(False)
