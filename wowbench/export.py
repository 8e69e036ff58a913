"""The images of one flow as a dataset to take away."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from wowbench.errors import InputError
from wowbench.files import atomic_path
from wowbench.jobs.drawn import Drawn, read_draw
from wowbench.jobs.flowed import read_flow
from wowbench.names import class_folders
from wowbench.results.records import read_record

if TYPE_CHECKING:
    from torch import Tensor

    from wowbench.methods.trajectory import Frame


def export(record: Path, out: Path) -> None:
    """Write a flow's images as PNG class folders and as one file of tensors.

    ``images/`` has a folder per class, named by number and name so that their order is that of the
    labels (as `torchvision.datasets.ImageFolder` reads them); pixels are clipped to [0, 1] and
    rounded. ``dataset.safetensors`` has ``images`` (N, channels, height, width), float32, in
    units where 0 is black and 1 is white, not clipped; ``labels`` (N,); and, where the method
    computed on standardised images, their ``mean`` and ``std`` (channels,). Its metadata holds,
    as JSON under ``wowbench``, the names of the classes, the flow's spec, and what it was
    computed with.

    Parameters
    ----------
    record : Path
        Record of a flow; the files that it names are read.
    out : Path
        Folder to make; it must not exist, or be empty.

    Raises
    ------
    InputError
        For another record, a flow without images, files that are not the record's, or a folder that
        holds something.
    """
    entry = read_record(record)
    if entry.job != "flow":
        raise InputError(f"record {record}: its job is {entry.job!r}; expected that of a flow")
    out = out.resolve()
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} exists; expected a new or an empty folder")
    path = record.parent / entry.files["flow"]
    trajectory, digest = read_flow(path, entry.spec)
    _require_own(record, path, digest, entry.outputs["flow"])
    if not trajectory.frames or len(trajectory.last.particles) == 0:
        reason = entry.message or "its method moves nothing"
        raise InputError(f"record {record}: the flow has no images to export ({reason})")
    path = record.parent / entry.files["draw"]
    drawn = read_draw(path, entry.spec["inputs"]["draw"])
    _require_own(record, path, drawn.digest, entry.inputs["draw"])
    if len(drawn.space.shape) != 3:
        raise InputError(
            f"record {record}: its particles have the shape {drawn.space.shape}; expected images "
            "of (channels, height, width)"
        )
    metadata = {
        "classes": drawn.classes,
        "spec": entry.spec,
        "provenance": entry.provenance,
    }
    with atomic_path(out) as folder:
        _write_folders(folder / "images", trajectory.last, drawn.classes)
        _write_tensors(folder / "dataset.safetensors", trajectory.last, drawn, metadata)


def _require_own(record: Path, path: Path, found: str, expected: str) -> None:
    """Refuse a file that is not the one that the record is of."""
    if found != expected:
        raise InputError(
            f"{path}: its SHA-256 is {found[:16]}, expected {expected[:16]}, which "
            f"record {record} has; run its job again"
        )


def _write_folders(folder: Path, flowed: Frame, classes: tuple[str, ...]) -> None:
    from torchvision.transforms.v2.functional import to_pil_image

    for label, name in enumerate(class_folders(classes)):
        place = folder / name
        place.mkdir(parents=True)
        for i, image in enumerate(_to_bytes(flowed.particles[flowed.labels == label])):
            to_pil_image(image).save(place / f"{i:04}.png")


def _write_tensors(path: Path, flowed: Frame, drawn: Drawn, metadata: dict) -> None:
    import torch
    from safetensors.torch import save_file

    tensors = {"images": flowed.particles, "labels": flowed.labels}
    if drawn.chart is not None:
        tensors |= {
            "mean": torch.as_tensor(drawn.chart.mean),
            "std": torch.as_tensor(drawn.chart.std),
        }
    save_file(tensors, path, metadata={"wowbench": json.dumps(metadata)})


def _to_bytes(images: Tensor) -> Tensor:
    import torch

    return (255 * images.clamp(0, 1)).round().to(torch.uint8)
