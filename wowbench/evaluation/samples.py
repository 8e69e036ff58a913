"""Labelled images to train on or to test on: their checks, and their batches."""

from collections.abc import Iterator, Sequence
from itertools import islice

import torch
from torch import Tensor

from wowbench.augmentation import Augmentation
from wowbench.geometry.validation import check_finite


def check_samples(images: Tensor, labels: Tensor, n_classes: int | None = None) -> None:
    """Check images and their labels.

    Parameters
    ----------
    images : Tensor
        Images, `(N, channels, height, width)`, floating-point.
    labels : Tensor
        Their classes, `(N,)`, int64.
    n_classes : int, optional
        Number of classes; labels are then to be in 0..n_classes-1.

    Raises
    ------
    ValueError
        For another shape or dtype, an empty axis, a pixel that is not finite, an unknown class.
    """
    if images.dim() != 4 or 0 in images.shape:
        raise ValueError(
            f"images have shape {tuple(images.shape)}; expected (N, channels, height, width)"
        )
    if not images.is_floating_point():
        raise ValueError(f"images have dtype {images.dtype}; expected a floating-point dtype")
    check_finite("images", images)
    if labels.shape != images.shape[:1]:
        raise ValueError(
            f"labels have shape {tuple(labels.shape)}; expected ({len(images)},), one an image"
        )
    if labels.dtype != torch.int64:
        raise ValueError(f"labels have dtype {labels.dtype}; expected torch.int64")
    if n_classes is not None and (labels.min() < 0 or labels.max() >= n_classes):
        raise ValueError(
            f"labels go from {labels.min()} to {labels.max()}; expected 0 to {n_classes - 1}"
        )


def draw_batches(
    images: Tensor,
    labels: Tensor,
    generators: Sequence[torch.Generator],
    *,
    batch_size: int,
    steps: int,
    augmentation: Augmentation | None = None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Draw the batches of several trainings side by side.

    An epoch is a fresh permutation of the samples in `ceil(N / batch_size)` batches, the last one
    short.

    Parameters
    ----------
    images, labels : Tensor
        Samples, `(N, channels, height, width)` and `(N,)`, on one device.
    generators : sequence of torch.Generator
        The only randomness of each of the T trainings, on the CPU wherever the images are: the
        draws depend on no device, and the host waits for none.
    batch_size : int
        Samples a batch.
    steps : int
        Number of batches of each training; epochs follow one another until it is reached.
    augmentation : Augmentation, optional
        For each batch of each training one operation is drawn, with a strength for each image.

    Yields
    ------
    images : Tensor, shape (T, batch_size or fewer, channels, height, width)
    labels : Tensor, shape (T, batch_size or fewer)
    """

    def augment(of_one: Tensor, generator: torch.Generator) -> Tensor:
        return augmentation.draw(generator, of_one, n=len(of_one))(of_one)

    def cycle() -> Iterator[tuple[Tensor, Tensor]]:
        while True:
            orders = torch.stack([torch.randperm(len(images), generator=g) for g in generators])
            for chosen in _send(orders, images.device).split(batch_size, dim=1):
                x = images[chosen]
                if augmentation is not None:
                    x = torch.stack([augment(*each) for each in zip(x, generators, strict=True)])
                yield x, labels[chosen]

    return islice(cycle(), steps)


def _send(orders: Tensor, device: torch.device) -> Tensor:
    """Copy to a device; from memory that is not pinned, the host would wait until a GPU is idle."""
    if device.type == "cuda":
        orders = orders.pin_memory()
    return orders.to(device, non_blocking=True)
