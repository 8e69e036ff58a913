"""Small problems to try methods on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wowbench.methods.base import Problem

if TYPE_CHECKING:
    from torch import Tensor

CLASSES, IMAGE_SHAPE = 3, (1, 28, 28)

DISTILLATION = "distillation"
"""The task that starts each class from images of its own; others are posed as transfer is."""


def small_problem(
    task: str,
    *,
    image_shape: tuple[int, int, int] = IMAGE_SHAPE,
    target_classes: int = CLASSES,
    k: int = 2,
) -> Problem:
    """Return a problem as the given task poses them, of few random images.

    A quarter of the pixels of images in [0, 1] is black and a quarter white, so that whatever
    moves them at random leaves that interval.

    Parameters
    ----------
    task : str
        Name of the task.
    image_shape : tuple of int
        Channels, height and width.
    target_classes : int
        Number C' of target classes, where these are not the source's; of which there are 3.
    k : int
        Number of target images per class, where these are few.
    """
    import torch

    generator = torch.Generator().manual_seed(0)
    if task == DISTILLATION:
        source, target = (
            torch.randn(CLASSES, n, *image_shape, generator=generator) for n in (2, 9)
        )
        return Problem(source, target, standardised=True, same_classes=True, batch_size=4)

    def images(classes: int, n: int) -> Tensor:
        return torch.rand(classes, n, *image_shape, generator=generator).mul(2).sub(0.5).clamp(0, 1)

    return Problem(images(CLASSES, 6), images(target_classes, k))


def other_sizes(task: str) -> dict[str, dict]:
    """Return arguments of `small_problem` for other sizes than usual, by a description of them."""
    sizes = {"images of 3 x 8 x 9": {"image_shape": (3, 8, 9)}}
    if task != DISTILLATION:
        sizes |= {
            "one target image per class": {"k": 1},
            "fewer target classes": {"target_classes": CLASSES - 1},
            "more target classes": {"target_classes": CLASSES + 1},
        }
    return sizes
