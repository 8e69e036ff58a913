"""Small problems to try methods on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wowbench.methods.problem import Pairing, Problem
from wowbench.space import Space

if TYPE_CHECKING:
    from torch import Tensor

CLASSES, IMAGE_SHAPE = 3, (1, 28, 28)

POSED = {"free": "on free classes", "by_number": "on classes paired by number"}
"""How problems of each pairing are called in the titles of checks."""


def small_problem(
    pairing: Pairing,
    *,
    shape: tuple[int, ...] = IMAGE_SHAPE,
    target_classes: int = CLASSES,
    k: int = 2,
) -> Problem:
    """Return a problem of few random images, with classes paired in the given way.

    A quarter of the pixels of images in [0, 1] is black and a quarter white, so that whatever
    moves them at random leaves that interval.

    Parameters
    ----------
    pairing : {"free", "by_number"}
        Free as in transfer, of images in [0, 1], or by number as in distillation, of standardised
        ones.
    shape : tuple of int
        Channels, height and width.
    target_classes : int
        Number C' of target classes, where these are not the source's; of which there are 3.
    k : int
        Number of target images per class, where these are few.
    """
    import torch

    generator = torch.Generator().manual_seed(0)
    if pairing == "by_number":
        source, target = (torch.randn(CLASSES, n, *shape, generator=generator) for n in (2, 9))
        return Problem(source, target, Space(shape), pairing, batch_size=4)

    def images(classes: int, n: int) -> Tensor:
        return torch.rand(classes, n, *shape, generator=generator).mul(2).sub(0.5).clamp(0, 1)

    space = Space(shape, bounds=(0.0, 1.0))
    return Problem(images(CLASSES, 6), images(target_classes, k), space, pairing)


def other_sizes(pairing: Pairing) -> dict[str, dict]:
    """Return arguments of `small_problem` for other sizes than usual, by a description of them."""
    sizes = {"images of 3 x 8 x 9": {"shape": (3, 8, 9)}}
    if pairing == "free":
        sizes |= {
            "one target image per class": {"k": 1},
            "fewer target classes": {"target_classes": CLASSES - 1},
            "more target classes": {"target_classes": CLASSES + 1},
        }
    return sizes
