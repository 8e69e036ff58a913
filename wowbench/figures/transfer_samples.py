"""Source, flowed and target images as pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch

from wowbench.figures.flows import drawn_of, flows_of, trajectory_of
from wowbench.figures.panels import set_title
from wowbench.figures.pictures import WHITE, as_shown, label_columns
from wowbench.jobs.drawn import Drawn
from wowbench.methods.trajectory import Frame
from wowbench.results.report import Figure

if TYPE_CHECKING:
    import matplotlib.figure

    from wowbench.plan import Plan

SHOWN_FLOWED = 3


class TransferSamples(Figure):
    """Source images, what each flow made of them, and target images, class by class.

    The first flow at the largest k. A column is a target class, with images that the method labels
    so; the first flowed row is the source row after the flow. Values are clipped to [0, 1] for
    display alone; grey images are dark on white.
    """

    reads: ClassVar[tuple[str, ...]] = ("draw", "flow")

    def draw(self, scores: pd.DataFrame, plan: Plan) -> matplotlib.figure.Figure | None:
        """Show the first flow of each problem and method at the largest k.

        Columns are target classes, with images that the method labels so; a source image stands
        above what it became, since a flow keeps the order of its particles.
        """
        panels = _panels(plan)
        if not panels:
            return None
        figure, axes = plt.subplots(
            len(panels), 1, figsize=(7.2, 3.4 * len(panels)), squeeze=False, layout="constrained"
        )
        for axis, (title, classes, rows) in zip(axes.flat, panels, strict=True):
            height, width = rows[0][1][0].shape[:2]
            axis.imshow(np.vstack([np.hstack(list(images)) for _, images in rows]))
            set_title(axis, title, 80)
            axis.set_yticks([(i + 0.5) * height for i in range(len(rows))], [r[0] for r in rows])
            label_columns(axis, classes, width)
            axis.set_xlabel("target class")
            axis.grid(False)
            axis.tick_params(length=0)
        return figure


def _panels(plan: Plan) -> list[tuple[str, list[str], list[tuple[str, np.ndarray]]]]:
    """List a title, classes and labelled rows of images for each method that moves images."""
    flows = flows_of(plan, "transfer")
    if flows.empty:
        return []
    first = flows[flows.flow_seed == 0].sort_values("k", kind="stable")
    largest = first.drop_duplicates(["problem", "name"], keep="last").sort_index()
    panels = []
    for flow in largest.itertuples():
        trajectory = trajectory_of(plan, flow.job)
        if not trajectory.frames or len(trajectory.last.particles) == 0:
            continue
        drawn = drawn_of(plan, flow.job)
        title = f"{flow.problem}, {flow.name}, k = {flow.k}"
        panels.append((title, list(drawn.classes), _rows(drawn, trajectory.last)))
    return panels


def _rows(drawn: Drawn, flowed: Frame) -> list[tuple[str, np.ndarray]]:
    """Rows of one image per target class; a class with too few labelled images is left blank."""
    source = _with_blank(drawn.space.natural(drawn.source).flatten(0, 1))
    moved = _with_blank(flowed.particles)
    shown = torch.full((len(drawn.target), SHOWN_FLOWED), -1)
    for c, places in enumerate(shown):
        of_class = (flowed.labels == c).nonzero().flatten()[:SHOWN_FLOWED]
        places[: len(of_class)] = of_class
    rows = [("source", source[shown[:, 0]])]
    rows += [(f"flowed {i + 1}", moved[shown[:, i]]) for i in range(SHOWN_FLOWED)]
    rows.append(("target", as_shown(drawn.space.natural(drawn.target[:, 0]))))
    return rows


def _with_blank(images: torch.Tensor) -> np.ndarray:
    """Show images ``(N, height, width, 3)``, and after them one of nothing."""
    shown = as_shown(images)
    return np.concatenate([shown, np.full_like(shown[:1], WHITE)])
