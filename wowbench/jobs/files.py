"""The files that jobs hand to each other: safetensors, written atomically."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from wowbench.datasets.normalisation import Normalisation
from wowbench.files import atomic_path
from wowbench.methods.base import Snapshot

if TYPE_CHECKING:
    from torch import Tensor

KEY = "wowbench"
"""Where the metadata of a file holds what is no tensor, as JSON."""


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
    """

    source: Tensor
    target: Tensor
    classes: tuple[str, ...]
    normalisation: Normalisation | None = None


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
    """

    images: Tensor
    labels: Tensor
    losses: Tensor
    training_samples: int
    snapshots: dict[int, Snapshot] = field(default_factory=dict)

    @property
    def diverged(self) -> bool:
        """Whether there is nothing to evaluate."""
        return self.training_samples == 0


def write_draw(path: Path, draw: DrawnImages) -> None:
    """Write a draw to `path`."""
    tensors = {"source": draw.source, "target": draw.target}
    if draw.normalisation is not None:
        tensors |= {"mean": draw.normalisation.mean, "std": draw.normalisation.std}
    _write(path, tensors, {"classes": draw.classes})


def read_draw(path: Path) -> DrawnImages:
    """Read what `write_draw` wrote."""
    tensors, metadata = _read(path)
    normalisation = None
    if "mean" in tensors:
        normalisation = Normalisation(tensors.pop("mean"), tensors.pop("std"))
    return DrawnImages(**tensors, classes=tuple(metadata["classes"]), normalisation=normalisation)


def write_flowed(path: Path, flowed: Flowed) -> None:
    """Write a method's outcome to `path`."""
    tensors = {"images": flowed.images, "labels": flowed.labels, "losses": flowed.losses}
    for step, kept in flowed.snapshots.items():
        tensors |= {f"{step}.images": kept.images, f"{step}.labels": kept.labels}
    _write(path, tensors, {"training_samples": flowed.training_samples})


def read_flowed(path: Path) -> Flowed:
    """Read what `write_flowed` wrote."""
    tensors, metadata = _read(path)
    steps = sorted(int(name.removesuffix(".images")) for name in tensors if ".images" in name)
    snapshots = {
        step: Snapshot(tensors.pop(f"{step}.images"), tensors.pop(f"{step}.labels"))
        for step in steps
    }
    return Flowed(**tensors, **metadata, snapshots=snapshots)


def _write(path: Path, tensors: dict[str, Tensor], metadata: dict) -> None:
    from safetensors.torch import save_file

    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with atomic_path(path) as temporary:
        save_file(tensors, temporary, metadata={KEY: json.dumps(metadata)})


def _read(path: Path) -> tuple[dict[str, Tensor], dict]:
    from safetensors import SafetensorError, safe_open

    from wowbench.errors import InputError

    try:
        with safe_open(path, framework="pt") as file:
            metadata = json.loads(file.metadata()[KEY])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, TypeError) as error:
        raise InputError(
            f"{path}: not a readable file of a job ({error}); make it again with the job that "
            "writes it"
        ) from None
    return tensors, metadata
