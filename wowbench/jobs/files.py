"""The file that a flow hands on."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from wowbench.methods.base import Snapshot
from wowbench.origin import Origin
from wowbench.tensorfile import read_tensors, write_tensors

if TYPE_CHECKING:
    from torch import Tensor


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
        If there is no such file, or it was altered, or made by a job with another spec than
        `spec`, where that is given.
    """
    file = read_tensors(path, "flow", None if spec is None else Origin("flow", spec))
    tensors = dict(file.tensors)
    steps = sorted(int(name.removesuffix(".images")) for name in tensors if ".images" in name)
    snapshots = {
        step: Snapshot(tensors.pop(f"{step}.images"), tensors.pop(f"{step}.labels"))
        for step in steps
    }
    return Flowed(**tensors, **file.contents, snapshots=snapshots, digest=file.digest)
