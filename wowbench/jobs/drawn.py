"""The file that a draw hands on: the particles that one flow starts from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wowbench.origin import Origin
from wowbench.space import Chart, Space
from wowbench.tensorfile import read_tensors, write_tensors

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor


@dataclass(frozen=True)
class Drawn:
    """The particles that one flow starts from, as they are stored.

    Arrays where they are drawn, tensors where they were read from a file.

    Attributes
    ----------
    source : Tensor or numpy.ndarray, shape (C, n, *shape)
        Source particles by class, uint8 or float32.
    target : Tensor or numpy.ndarray, shape (C', k, *shape)
        Target particles by class, uint8 or float32.
    classes : tuple of str
        Names of the target's classes.
    chart : Chart or None
        Statistics of the target's training particles, where coordinates are standardised.
    source_chart : Chart or None
        Those of the source's, where the source is standardised by its own.
    digest : str
        SHA-256 of all of it, where it was read from a file.
    """

    source: Tensor | np.ndarray
    target: Tensor | np.ndarray
    classes: tuple[str, ...]
    chart: Chart | None = None
    source_chart: Chart | None = None
    digest: str = ""

    @property
    def space(self) -> Space:
        """The target's units; where particles move in, they move in these."""
        return Space(tuple(self.target.shape[2:]), self.chart)

    @property
    def source_space(self) -> Space:
        """The source's units."""
        return Space(tuple(self.source.shape[2:]), self.source_chart or self.chart)


def write_draw(path: Path, drawn: Drawn, spec: dict) -> str:
    """Write the draw of the job with this spec to `path`; return its digest."""
    tensors = {"source": drawn.source, "target": drawn.target}
    for chart, prefix in ((drawn.chart, ""), (drawn.source_chart, "source_")):
        if chart is not None:
            tensors |= {f"{prefix}mean": chart.mean, f"{prefix}std": chart.std}
    return write_tensors(path, tensors, {"classes": drawn.classes}, Origin("draw", spec))


def read_draw(path: Path, spec: dict | None = None) -> Drawn:
    """Read what `write_draw` wrote, as tensors.

    Raises
    ------
    InputError
        If there is no such file, or it was altered, or made by a job with another spec than
        `spec`, where that is given.
    """
    file = read_tensors(path, "draw", None if spec is None else Origin("draw", spec))
    tensors = file.tensors
    chart, source_chart = (
        Chart(tensors[f"{prefix}mean"], tensors[f"{prefix}std"])
        if f"{prefix}mean" in tensors
        else None
        for prefix in ("", "source_")
    )
    return Drawn(
        source=tensors["source"],
        target=tensors["target"],
        classes=tuple(file.contents["classes"]),
        chart=chart,
        source_chart=source_chart,
        digest=file.digest,
    )
