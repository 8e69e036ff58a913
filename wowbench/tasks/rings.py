"""Rings: points of the plane flowed to three rings (Figure 1, Appendix D.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field, model_validator

from wowbench.datasets.base import DatasetEntry
from wowbench.datasets.gaussian import Gaussian
from wowbench.datasets.rings import Rings as RingsOfPoints
from wowbench.evaluators.base import Evaluator
from wowbench.evaluators.loss_levels import LossLevels
from wowbench.evaluators.wow_distance import WoWDistance
from wowbench.methods.base import Method
from wowbench.parameters import Count, Steps
from wowbench.registry import TASKS
from wowbench.tasks.base import (
    Cell,
    FlowTask,
    SnapshotStep,
    check_snapshots,
    longest_flow,
    require_one_shape,
)


@TASKS.register
class Rings(FlowTask):
    """Move classes that start in one spot onto rings, one for each class.

    Parameters
    ----------
    source, target : dataset
        Datasets of points; by default a narrow Gaussian, of which each flow draws its own points,
        and three rings.
    points_per_class : int
        Number of points of a class, on both sides.
    snapshots : list of int
        Numbers of steps after which particles are shown.
    snapshot_every : int, optional
        Number of steps after which particles are kept again and again beside that, for the
        animation and for the distance to the target, which is taken wherever particles are kept.
    """

    name: ClassVar[str] = "rings"
    summary: ClassVar[str] = "points of the plane flowed to three rings"
    tables: ClassVar[tuple[str, ...]] = ("wowbench.results.tables.rings_loss:RingsLoss",)
    figures: ClassVar[tuple[str, ...]] = (
        "wowbench.figures.rings_paper:RingsPaper",
        "wowbench.figures.rings_particles:RingsParticles",
        "wowbench.figures.rings_losses:RingsLosses",
        "wowbench.figures.rings_distance:RingsDistance",
        "wowbench.figures.rings_animation:RingsAnimation",
    )
    axis_fields: ClassVar[frozenset[str]] = FlowTask.axis_fields | {
        "source",
        "target",
        "snapshots",
        "snapshot_every",
    }

    source: DatasetEntry = Gaussian(
        id="spot", dimensions=[2], mean=[-0.3, 0.0], std=0.01, n_blocks=3, per_class=8000
    )
    target: DatasetEntry = RingsOfPoints()
    points_per_class: Count = 80
    snapshots: list[SnapshotStep] = Field([0, 2, 10, 25, 50, 100, 200, 250])
    snapshot_every: Steps | None = None

    @model_validator(mode="after")
    def _check_shapes(self) -> Rings:
        require_one_shape(self.source, self.target)
        check_snapshots(self.snapshots, self.methods)
        return self

    def cells(self, seed: int) -> list[Cell]:
        """Return the one cell that there is."""
        return [self.cell_between(self.source, self.target, self.points_per_class, seed)]

    def cell_counts(self) -> list[tuple[int, int]]:
        """All methods move the same points."""
        return [(1, len(self.methods))]

    def evaluators(self, method: Method) -> list[Evaluator]:
        """Take the distance to the target, and see between which values the loss ends."""
        return [WoWDistance(), LossLevels(share=0.1)]

    def snapshot_steps(self) -> Sequence[int]:
        """Return `snapshots`, and the multiples of `snapshot_every` before the last step of all."""
        last = longest_flow(self.methods)
        every = range(0, last, self.snapshot_every) if self.snapshot_every else ()
        return sorted({*self.snapshots, *every})
