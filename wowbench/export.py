"""The images of one flow as a dataset to take away."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from wowbench.errors import InputError
from wowbench.files import atomic_path
from wowbench.jobs.drawn import Drawn, read_draw
from wowbench.jobs.files import Flowed, read_flowed
from wowbench.results.records import Record, read_record

if TYPE_CHECKING:
    from torch import Tensor


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
    flowed = _own(entry, record, "flow", read_flowed, entry.spec, entry.outputs)
    if len(flowed.images) == 0:
        reason = entry.message or "its method moves nothing"
        raise InputError(f"record {record}: the flow has no images to export ({reason})")
    draw = _own(entry, record, "draw", read_draw, entry.spec["inputs"]["draw"], entry.inputs)
    metadata = {
        "classes": draw.classes,
        "spec": entry.spec,
        "provenance": entry.provenance,
    }
    with atomic_path(out) as folder:
        _write_folders(folder / "images", flowed, draw.classes)
        _write_tensors(folder / "dataset.safetensors", flowed, draw, metadata)


def _own(
    entry: Record, record: Path, name: str, read: Callable, spec: dict, digests: dict[str, str]
) -> Drawn | Flowed:
    """Read a file that the record names, and see that it is the one that the record is of."""
    path = record.parent / entry.files[name]
    found = read(path, spec)
    if found.digest != digests[name]:
        raise InputError(
            f"{path}: its SHA-256 is {found.digest[:16]}, expected {digests[name][:16]}, which "
            f"record {record} has; run its job again"
        )
    return found


def _write_folders(folder: Path, flowed: Flowed, classes: tuple[str, ...]) -> None:
    from torchvision.transforms.v2.functional import to_pil_image

    width = len(str(len(classes) - 1))
    for label, name in enumerate(classes):
        place = folder / f"{label:0{width}}_{_slug(name)}"
        place.mkdir(parents=True)
        for i, image in enumerate(_to_bytes(flowed.images[flowed.labels == label])):
            to_pil_image(image).save(place / f"{i:04}.png")


def _write_tensors(path: Path, flowed: Flowed, draw: Drawn, metadata: dict) -> None:
    from safetensors.torch import save_file

    tensors = {"images": flowed.images, "labels": flowed.labels}
    if draw.chart is not None:
        tensors |= {"mean": draw.chart.mean, "std": draw.chart.std}
    save_file(tensors, path, metadata={"wowbench": json.dumps(metadata)})


def _to_bytes(images: Tensor) -> Tensor:
    import torch

    return (255 * images.clamp(0, 1)).round().to(torch.uint8)


def _slug(name: str) -> str:
    return "".join(c if c.isalnum() or c in "._-" else "-" for c in name)
