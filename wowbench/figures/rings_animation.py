"""Points on their way to rings, as they move."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import matplotlib.pyplot as plt
import pandas as pd

from wowbench.figures.flows import drawn_of, trajectory_of
from wowbench.figures.panels import COLUMNS
from wowbench.figures.rings_particles import draw_particles, rings_flows, set_up, told_apart
from wowbench.results.report import Animation

if TYPE_CHECKING:
    import matplotlib.animation

    from wowbench.plan import Plan

MOST_PANELS, MOST_FRAMES = 9, 60
WIDTH = 2.3
"""Of a panel, in inches."""


class RingsAnimation(Animation):
    """Particles on their way to rings, the first flow of some methods side by side.

    Of each kernel the method that ends nearest to the target, then methods of other kinds. Each
    colour is a class of the source, grey is the target; where a method moves the weights of classes
    too, a class is the fainter the less it weighs. A flow that has ended stays where it is.
    """

    reads: ClassVar[tuple[str, ...]] = ("draw", "flow")

    def draw(self, scores: pd.DataFrame, plan: Plan) -> matplotlib.animation.Animation | None:
        """Show the steps at which particles were kept, at most `MOST_FRAMES` of them."""
        from matplotlib.animation import FuncAnimation

        flows = rings_flows(plan)
        if flows.empty:
            return None
        trajectories = {job: trajectory_of(plan, job) for job in flows.job}
        flows = flows[flows.job.map(lambda job: bool(trajectories[job].frames))]
        flows = told_apart(_best_of_each_kernel(flows, scores).head(MOST_PANELS))
        if flows.empty:
            return None
        steps = sorted({step for job in flows.job for step in trajectories[job].frames})
        every = -(-len(steps) // MOST_FRAMES)
        steps = sorted({*steps[::every], steps[-1]})
        columns = min(COLUMNS, len(flows))
        rows = -(-len(flows) // columns)
        figure, grid = plt.subplots(
            rows,
            columns,
            figsize=(WIDTH * columns, 0.82 * WIDTH * rows + 0.3),
            squeeze=False,
            layout="constrained",
        )
        shown = []
        for axis in grid.flat[len(flows) :]:
            axis.set_axis_off()
        for axis, flow in zip(grid.flat, flows.itertuples(), strict=False):
            drawn = drawn_of(plan, flow.job)
            set_up(axis, drawn.space.natural(drawn.target).flatten(0, 1).numpy(), size=WIDTH)
            axis.set_title(flow.name, fontsize="small")
            shown.append((axis, trajectories[flow.job].frames, len(drawn.source)))
        clock = figure.suptitle("step 0", fontsize="medium")
        moved: list = []

        def show(step: int) -> list:
            while moved:
                moved.pop().remove()
            for axis, frames, classes in shown:
                frame = frames[max(s for s in frames if s <= max(step, min(frames)))]
                moved.extend(draw_particles(axis, frame, classes, size=WIDTH))
            clock.set_text(f"step {step}")
            return [*moved, clock]

        return FuncAnimation(figure, show, frames=steps)


def _best_of_each_kernel(flows: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Flows of MMDSW that end nearest to the target for their kernel, then all others."""
    ends = scores[(scores.task == "rings") & (scores.metric == "wow_distance")]
    distance = ends.groupby(["experiment", "method"]).value.mean()
    keys = zip(flows.experiment, flows.method, strict=True)
    flows = flows.assign(distance=[distance.get(key, float("nan")) for key in keys])
    is_mmd = flows.algorithm == "mmdsw"
    best = flows[is_mmd].sort_values("distance").drop_duplicates("family").sort_index()
    return pd.concat([best, flows[~is_mmd]])
