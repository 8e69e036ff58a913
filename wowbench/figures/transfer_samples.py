"""Source images, what each flow made of them, and target images, class by class.

The first flow at the largest k. A column is a target class, with images that the method labels so;
the first flowed row is the source row after the flow.
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

from wowbench.jobs.files import DrawnImages, Flowed, read_draw, read_flowed
from wowbench.plan import Plan

READS = ("draw", "flow")
SHOWN_FLOWED = 3


def draw(scores: pd.DataFrame, plan: Plan) -> Figure | None:
    """Show the largest k of each target's first flow.

    Columns are target classes, with images that the method labels so; a source image stands above
    what it became, since a flow keeps the order of its particles.
    """
    panels = _panels(plan)
    if not panels:
        return None
    figure, axes = plt.subplots(
        len(panels), 1, figsize=(7.2, 3.4 * len(panels)), squeeze=False, layout="constrained"
    )
    for axis, (title, rows) in zip(axes.flat, panels, strict=True):
        height, width = rows[0][1][0].shape[:2]
        axis.imshow(np.vstack([np.hstack(list(images)) for _, images in rows]), cmap="gray_r")
        axis.set_title(title)
        axis.set_yticks([(i + 0.5) * height for i in range(len(rows))], [r[0] for r in rows])
        classes = len(rows[0][1])
        axis.set_xticks([(c + 0.5) * width for c in range(classes)], range(classes))
        axis.set_xlabel("target class")
        axis.grid(False)
        axis.tick_params(length=0)
    return figure


def _panels(plan: Plan) -> list[tuple[str, list[tuple[str, np.ndarray]]]]:
    """List a title and labelled rows of images for each method that moves images."""
    largest: dict[tuple, tuple[int, str]] = {}
    for name, job in plan.jobs["flow"].items():
        axes = job.spec["axes"]
        key = (axes["source"], axes["target"], axes["method"])
        if axes["task"] == "transfer" and axes["flow_seed"] == 0:
            largest[key] = max(largest.get(key, (0, "")), (axes["k"], name))
    panels = []
    for (source, target, method), (k, name) in largest.items():
        flowed = read_flowed(plan.path("flows", f"{name}.safetensors"))
        if len(flowed.images) == 0:
            continue
        drawn = read_draw(plan.inputs("flow", name)["draw"])
        panels.append((f"{source} to {target}, {method}, k = {k}", _rows(drawn, flowed)))
    return panels


def _rows(drawn: DrawnImages, flowed: Flowed) -> list[tuple[str, np.ndarray]]:
    """Rows of one image a target class; a class with too few labelled images is left blank."""
    source = drawn.source.flatten(0, 1).float() / 255
    blank = torch.zeros_like(source[:1])
    source, moved = torch.cat([source, blank]), torch.cat([flowed.images, blank])
    shown = torch.full((len(drawn.target), SHOWN_FLOWED), -1)
    for c, places in enumerate(shown):
        of_class = (flowed.labels == c).nonzero().flatten()[:SHOWN_FLOWED]
        places[: len(of_class)] = of_class
    rows = [("source", source[shown[:, 0]])]
    rows += [(f"flowed {i + 1}", moved[shown[:, i]]) for i in range(SHOWN_FLOWED)]
    rows.append(("target", drawn.target[:, 0].float() / 255))
    return [(label, row.permute(0, 2, 3, 1).squeeze(-1).numpy()) for label, row in rows]
