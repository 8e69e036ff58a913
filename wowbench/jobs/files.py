"""The files that jobs hand to each other: safetensors, written atomically."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wowbench.files import atomic_path

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
    """

    source: Tensor
    target: Tensor


@dataclass(frozen=True)
class Flowed:
    """What a method made of a draw.

    Attributes
    ----------
    images : Tensor, shape (N, channels, height, width)
        float32; none where the flow diverged or the method moves nothing.
    labels : Tensor, shape (N,)
        Target classes, int64.
    losses : Tensor, shape (steps,)
        Loss before each step, float32.
    training_samples : int
        Samples that an epoch of the evaluation counts; 0 where the flow diverged.
    """

    images: Tensor
    labels: Tensor
    losses: Tensor
    training_samples: int

    @property
    def diverged(self) -> bool:
        """Whether there is nothing to evaluate."""
        return self.training_samples == 0


def write_draw(path: Path, draw: DrawnImages) -> None:
    """Write a draw to `path`."""
    _write(path, {"source": draw.source, "target": draw.target})


def read_draw(path: Path) -> DrawnImages:
    """Read what `write_draw` wrote."""
    return DrawnImages(**_read(path))


def write_flowed(path: Path, flowed: Flowed) -> None:
    """Write a method's outcome to `path`."""
    import torch

    samples = torch.tensor(flowed.training_samples)
    _write(
        path,
        {
            "images": flowed.images,
            "labels": flowed.labels,
            "losses": flowed.losses,
            "training_samples": samples,
        },
    )


def read_flowed(path: Path) -> Flowed:
    """Read what `write_flowed` wrote."""
    tensors = _read(path)
    return Flowed(**{**tensors, "training_samples": int(tensors["training_samples"])})


def _write(path: Path, tensors: dict[str, Tensor]) -> None:
    from safetensors.torch import save_file

    with atomic_path(path) as temporary:
        save_file({k: v.detach().cpu().contiguous() for k, v in tensors.items()}, temporary)


def _read(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from wowbench.errors import InputError

    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise InputError(
            f"{path}: not a readable safetensors file ({error}); make it again with the job "
            "that writes it"
        ) from None
