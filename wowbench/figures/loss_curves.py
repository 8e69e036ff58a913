"""Loss of every flow divided by its first value, against the step.

Methods decrease different functionals, so that curves of different methods show how far each came,
not which is lower.
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from wowbench.jobs.files import read_flowed
from wowbench.plan import Plan

BINS = 120


def draw(scores: pd.DataFrame, plan: Plan) -> Figure | None:
    """Show each loss relative to its first value, since methods decrease different functionals.

    Losses are averaged over bins of equal width on the logarithmic axis: each step draws its own
    directions, so that single values are noisy.
    """
    curves: dict[tuple, list] = {}
    for name, job in plan.jobs["flow"].items():
        axes = job.spec["axes"]
        losses = read_flowed(plan.path("flows", f"{name}.safetensors")).losses.numpy()
        if len(losses):
            panel = f"{axes['source']} to {axes['target']}, k = {axes['k']}"
            curves.setdefault(panel, []).append((axes["method"], losses))
    if not curves:
        return None
    methods = sorted({method for panel in curves.values() for method, _ in panel})
    colours = dict(zip(methods, sns.color_palette(n_colors=len(methods)), strict=True))
    figure, grid = plt.subplots(
        1,
        len(curves),
        figsize=(3.2 * len(curves), 2.8),
        squeeze=False,
        sharey=True,
        layout="constrained",
    )
    for axis, (panel, lines) in zip(grid.flat, curves.items(), strict=True):
        for method, losses in lines:
            steps, means = _binned(losses)
            axis.plot(steps, means / means[0], color=colours[method], lw=0.9, alpha=0.8)
        axis.set(title=panel, xlabel="step", xscale="log", yscale="log")
    grid.flat[0].set_ylabel("loss / first loss")
    handles = [plt.Line2D([], [], color=colours[method], label=method) for method in methods]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False)
    return figure


def _binned(losses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First step of each bin, and the mean of the losses in it."""
    edges = np.unique(np.geomspace(1, len(losses) + 1, BINS).astype(int))
    counts = np.diff(edges)
    return edges[:-1], np.add.reduceat(losses, edges[:-1] - 1) / counts
