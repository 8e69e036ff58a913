"""Images as figures show them: all one way round, with the names of their classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes

from wowbench.parameters import FromRegistry
from wowbench.registry import DATASETS

if TYPE_CHECKING:
    from torch import Tensor

WHITE = 1.0
"""What stands where there is no image."""


def as_shown(images: Tensor) -> np.ndarray:
    """Turn images into colours for display.

    Parameters
    ----------
    images : Tensor, shape (..., channels, height, width)
        In natural units, of one channel or of three.

    Returns
    -------
    ndarray, shape (..., height, width, 3)
        Clipped to [0, 1]; grey images are dark on white, as ink on paper.
    """
    shown = images.clamp(0, 1).movedim(-3, -1).numpy()
    return np.repeat(1 - shown, 3, axis=-1) if shown.shape[-1] == 1 else shown


def class_names(spec: Mapping, role: str, number: int) -> list[str]:
    """Name the classes of a flow's source or target.

    Parameters
    ----------
    spec : mapping
        Of the flow job.
    role : {"source", "target"}
        Whose classes.
    number : int
        Of classes.

    Returns
    -------
    list of str
        Their names, or their numbers where only the data's files have names.
    """
    dataset = FromRegistry(DATASETS).build(spec["inputs"]["draw"]["inputs"][role]["dataset"])
    known = getattr(dataset, "classes", ())
    return list(known[:number]) if len(known) >= number else [str(c) for c in range(number)]


def label_columns(axis: Axes, names: list[str], width: float) -> None:
    """Write names below columns of images of a width, turned where they are long."""
    places = [(c + 0.5) * width for c in range(len(names))]
    rotation = 30 if max(map(len, names)) > 4 else 0
    axis.set_xticks(places, names, rotation=rotation, rotation_mode="xtick")
