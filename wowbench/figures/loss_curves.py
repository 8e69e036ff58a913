"""Loss of every flow divided by its first value, against the step.

Methods decrease different functionals, so that curves of different methods show how far each came,
not which is lower.
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from wowbench.figures.styles import method_styles
from wowbench.jobs.files import read_flowed
from wowbench.plan import Plan

READS = ("flow",)
BINS = 120


def draw(scores: pd.DataFrame, plan: Plan) -> Figure | None:
    """Show each loss relative to its first value, since methods decrease different functionals.

    Losses are averaged over bins of equal width on the logarithmic axis: each step draws its own
    directions, so that single values are noisy.
    """
    curves: dict[str, dict[str, list]] = {}
    for name, job in plan.jobs["flow"].items():
        axes = job.spec["axes"]
        losses = read_flowed(plan.path("flows", f"{name}.safetensors")).losses.numpy()
        if len(losses):
            panels = curves.setdefault(axes["experiment"], {})
            panels.setdefault(_title(axes), []).append((axes["method"], losses))
    if not curves:
        return None
    styles = method_styles(job.spec["axes"]["method"] for job in plan.jobs["flow"].values())
    shown = {method for row in curves.values() for lines in row.values() for method, _ in lines}
    columns = max(map(len, curves.values()))
    figure, grid = plt.subplots(
        len(curves),
        columns,
        figsize=(3.2 * columns, 2.4 * len(curves) + 0.4),
        squeeze=False,
        sharey="row",
        layout="constrained",
    )
    for row, panels in zip(grid, curves.values(), strict=True):
        for axis, (title, lines) in zip(row, panels.items(), strict=False):
            for method, losses in lines:
                steps, means = _binned(losses)
                axis.plot(steps, means / means[0], color=styles[method].colour, lw=0.9, alpha=0.8)
            axis.set(title=title, xlabel="step", xscale="log", yscale="log")
        row[0].set_ylabel("loss / first loss")
        for axis in row[len(panels) :]:
            axis.set_axis_off()
    handles = [
        plt.Line2D([], [], color=style.colour, label=method)
        for method, style in styles.items()
        if method in shown
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False)
    return figure


def _title(axes: dict) -> str:
    if axes["source"] == axes["target"]:
        return f"{axes['target']}, images per class: {axes['k']}"
    return f"{axes['source']} to {axes['target']}, k = {axes['k']}"


def _binned(losses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First step of each bin, and the mean of the losses in it."""
    edges = np.unique(np.geomspace(1, len(losses) + 1, BINS).astype(int))
    counts = np.diff(edges)
    return edges[:-1], np.add.reduceat(losses, edges[:-1] - 1) / counts
