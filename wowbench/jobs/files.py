"""The files that draws and flows hand on."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from wowbench.datasets.normalisation import Normalisation
from wowbench.methods.base import Snapshot
from wowbench.origin import Origin
from wowbench.tensorfile import read_tensors, write_tensors

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class DrawnImages:
    """The images that one flow starts from.

    Attributes
    ----------
    source : Tensor, shape (C, n, channels, height, width)
        Source images by class, uint8.
    target : Tensor, shape (C', k, channels, height, width)
        Target images by class, uint8.
    classes : tuple of str
        Names of the target's classes.
    normalisation : Normalisation or None
        Statistics of the target's training images, where the task standardises images.
    digest : str
        SHA-256 of all of it, where it was read from a file.
    """

    source: Tensor
    target: Tensor
    classes: tuple[str, ...]
    normalisation: Normalisation | None = None
    digest: str = ""


@dataclass(frozen=True)
class Flowed:
    """What a method made of a draw.

    Attributes
    ----------
    images : Tensor, shape (N, channels, height, width)
        float32, in units where 0 is black and 1 is white; none where the flow diverged or the
        method moves nothing.
    labels : Tensor, shape (N,)
        Target classes, int64.
    losses : Tensor, shape (steps,)
        Loss before each step, float32.
    training_samples : int
        Samples that an epoch of the evaluation counts; 0 where the flow diverged.
    snapshots : dict of int to Snapshot
        Images as they were on the way, in the units of `images`, by the number of steps done.
    digest : str
        SHA-256 of all of it, where it was read from a file.
    """

    images: Tensor
    labels: Tensor
    losses: Tensor
    training_samples: int
    snapshots: dict[int, Snapshot] = field(default_factory=dict)
    digest: str = ""

    @property
    def diverged(self) -> bool:
        """Whether there is nothing to evaluate."""
        return self.training_samples == 0


def write_draw(path: Path, draw: DrawnImages, spec: dict) -> str:
    """Write the draw of the job with this spec to `path`; return its digest."""
    tensors = {"source": draw.source, "target": draw.target}
    if draw.normalisation is not None:
        tensors |= {"mean": draw.normalisation.mean, "std": draw.normalisation.std}
    return write_tensors(path, tensors, {"classes": draw.classes}, Origin("draw", spec))


def read_draw(path: Path, spec: dict | None = None) -> DrawnImages:
    """Read what `write_draw` wrote.

    Raises
    ------
    InputError
        If there is no such file, or it was altered, or made by a job with another spec than
        `spec`, where that is given.
    """
    file = read_tensors(path, "draw", None if spec is None else Origin("draw", spec))
    tensors, normalisation = dict(file.tensors), None
    if "mean" in tensors:
        normalisation = Normalisation(tensors.pop("mean"), tensors.pop("std"))
    classes = tuple(file.contents["classes"])
    return DrawnImages(**tensors, classes=classes, normalisation=normalisation, digest=file.digest)


def write_flowed(path: Path, flowed: Flowed, spec: dict) -> str:
    """Write the outcome of the flow job with this spec to `path`; return its digest."""
    tensors = {"images": flowed.images, "labels": flowed.labels, "losses": flowed.losses}
    for step, kept in flowed.snapshots.items():
        tensors |= {f"{step}.images": kept.images, f"{step}.labels": kept.labels}
    contents = {"training_samples": flowed.training_samples}
    return write_tensors(path, tensors, contents, Origin("flow", spec))


def read_flowed(path: Path, spec: dict | None = None) -> Flowed:
    """Read what `write_flowed` wrote.

    Raises
    ------
    InputError
        As `read_draw`.
    """
    file = read_tensors(path, "flow", None if spec is None else Origin("flow", spec))
    tensors = dict(file.tensors)
    steps = sorted(int(name.removesuffix(".images")) for name in tensors if ".images" in name)
    snapshots = {
        step: Snapshot(tensors.pop(f"{step}.images"), tensors.pop(f"{step}.labels"))
        for step in steps
    }
    return Flowed(**tensors, **file.contents, snapshots=snapshots, digest=file.digest)
