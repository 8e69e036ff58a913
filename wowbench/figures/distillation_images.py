"""The synthetic images of each method, class by class.

The first flow at the smallest and at the largest number of images a class, of which at most ten
are shown; a column is a class. Images are in units of the data, clipped to black and white.
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from wowbench.jobs.files import Flowed, read_flowed
from wowbench.plan import Plan
from wowbench.results.tables.distillation_accuracy import WHOLE

READS = ("flow",)
SHOWN = 10


def draw(scores: pd.DataFrame, plan: Plan) -> Figure | None:
    """One row for each dataset and number of images a class, one column for each method."""
    panels = _panels(plan)
    if not panels:
        return None
    rows = list(dict.fromkeys((dataset, k) for dataset, k, _ in panels))
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
    for (dataset, k), axes in zip(rows, grid, strict=True):
        for method, axis in zip(methods, axes, strict=True):
            axis.set_axis_off()
            if (dataset, k, method) in panels:
                axis.imshow(panels[dataset, k, method], cmap="gray_r", vmin=0, vmax=1)
                axis.set_title(f"{method}\n{dataset}, {k} per class", fontsize="small")
    return figure


def _panels(plan: Plan) -> dict[tuple[str, int, str], np.ndarray]:
    """Pictures by dataset, number of images and method, where a method left images."""
    flows = {
        name: job.spec["axes"]
        for name, job in plan.jobs["flow"].items()
        if job.spec["axes"]["task"] == "distillation"
        and job.spec["axes"]["flow_seed"] == 0
        and job.spec["axes"]["k"] != WHOLE
    }
    counts = {axes["k"] for axes in flows.values()}
    panels = {}
    for name, axes in flows.items():
        if axes["k"] not in (min(counts), max(counts)):
            continue
        flowed = read_flowed(plan.path("flows", f"{name}.safetensors"))
        if len(flowed.images):
            panels[axes["target"], axes["k"], axes["method"]] = _picture(flowed)
    return panels


def _picture(flowed: Flowed) -> np.ndarray:
    """Tile images (height, width) or (height, width, 3), a column a class."""
    columns = []
    for label in range(int(flowed.labels.max()) + 1):
        images = flowed.images[flowed.labels == label][:SHOWN].clamp(0, 1)
        columns.append(np.vstack(list(images.permute(0, 2, 3, 1).squeeze(-1).numpy())))
    return np.hstack(columns)
