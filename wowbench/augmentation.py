"""Random image operations of dataset distillation, differentiable with respect to the images.

The operations and their ranges are those of Zhao and Bilen, "Dataset condensation with
differentiable Siamese augmentation", ICML 2021: one operation at a time is drawn, and real and
synthetic images go through the same draw. Each operation maps images
``(N, channels, height, width)`` to images of that shape and takes uniform draws in [0, 1),
``(1, 3)`` for all images alike or ``(N, 3)`` for each its own, of which it uses the first columns.
"""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample, pad

from wowbench.geometry.validation import check_choice

N_DRAWS = 3
"""Uniform draws that an operation may use for an image."""

BRIGHTNESS, SATURATION, CONTRAST = 1.0, 2.0, 0.5
CROP_SHIFT = 0.125
CUTOUT_SIZE = 0.5
FLIP_PROBABILITY = 0.5
LARGEST_SCALE = 1.2
LARGEST_ANGLE = math.radians(15)

Operation = Callable[[Tensor, Tensor], Tensor]


def color(images: Tensor, draws: Tensor) -> Tensor:
    """Change brightness, then saturation, then contrast.

    Adds a number in [-0.5, 0.5); scales differences between channels by a factor in [0, 2), which
    leaves a single channel as it is; scales differences to the image's mean by a factor in
    [0.5, 1.5).
    """
    brightness, saturation, contrast = (_column(draws, i) for i in range(3))
    images = images + BRIGHTNESS * (brightness - 0.5)
    grey = images.mean(1, keepdim=True)
    images = torch.lerp(grey, images, SATURATION * saturation)
    mean = images.mean((1, 2, 3), keepdim=True)
    return torch.lerp(mean, images, contrast + CONTRAST)


def crop(images: Tensor, draws: Tensor) -> Tensor:
    """Shift by up to an eighth of height and width, a whole number of pixels; 0 moves in."""
    rows, columns = (
        _shift_matrix(size, _integers(draws, axis, 2 * _shift(size) + 1) - _shift(size), images)
        for axis, size in enumerate(images.shape[2:])
    )
    return rows @ images @ columns.mT


def cutout(images: Tensor, draws: Tensor) -> Tensor:
    """Set a window of half the height and width to 0, clipped at the borders.

    Its centre is uniform over the image, so that it masks 18.6 % of a 28 x 28 image on average.
    """
    return _cut(images, draws, [_round(CUTOUT_SIZE * size) for size in images.shape[2:]])


def oversized_cutout(images: Tensor, draws: Tensor) -> Tensor:
    """Cut out as the code of Bonet, Vauthier and Korba (2025) does: 46 % on average.

    The window begins where that of `cutout` does, and is as large as the image.
    """
    return _cut(images, draws, list(images.shape[2:]))


def flip(images: Tensor, draws: Tensor) -> Tensor:
    """Mirror left and right with probability one half."""
    return torch.where(_column(draws, 0) < FLIP_PROBABILITY, images.flip(3), images)


def scale(images: Tensor, draws: Tensor) -> Tensor:
    """Shrink width and height by factors in [1/1.2, 1.2), drawn apart; below 1 it enlarges."""
    low = 1 / LARGEST_SCALE
    factors = low + (LARGEST_SCALE - low) * draws[:, :2]
    return _resample(images, torch.diag_embed(factors))


def rotate(images: Tensor, draws: Tensor) -> Tensor:
    """Rotate about the centre by an angle in [-15, 15) degrees."""
    angle = LARGEST_ANGLE * (2 * draws[:, 0] - 1)
    cos, sin = angle.cos(), angle.sin()
    return _resample(images, torch.stack([cos, -sin, sin, cos], 1).unflatten(1, (2, 2)))


OPERATIONS: dict[str, Operation] = {
    "color": color,
    "crop": crop,
    "cutout": cutout,
    "flip": flip,
    "scale": scale,
    "rotate": rotate,
}


class Augmentation:
    """One of several operations, drawn at random together with its strength.

    Parameters
    ----------
    operations : sequence of str
        Keys of `OPERATIONS` to draw from, equally likely.
    authors_cutout : bool
        Whether "cutout" is `oversized_cutout`.

    Raises
    ------
    ValueError
        If there is no operation, or one is unknown.
    """

    def __init__(self, operations: Sequence[str], *, authors_cutout: bool = False):
        if len(operations) == 0:
            raise ValueError(f"operations is empty; expected some of {', '.join(OPERATIONS)}")
        known = OPERATIONS | ({"cutout": oversized_cutout} if authors_cutout else {})
        self._operations = [
            known[check_choice(f"operations[{i}]", name, known)]
            for i, name in enumerate(operations)
        ]

    def draw(
        self, generator: torch.Generator, like: Tensor, *, n: int = 1
    ) -> Callable[[Tensor], Tensor]:
        """Draw an operation and its strength.

        Parameters
        ----------
        generator : torch.Generator
            Source of randomness, on the CPU or on the device of `like`.
        like : Tensor
            Gives dtype and device of the images.
        n : int
            1 for a strength that all images share, or N for one an image.

        Returns
        -------
        callable
            Maps images ``(N, channels, height, width)`` to augmented ones, always the same way.
        """
        device = generator.device
        choice = torch.randint(len(self._operations), (1,), generator=generator, device=device)
        draws = torch.rand(n, N_DRAWS, generator=generator, device=device, dtype=like.dtype)
        draws = draws.to(like.device, non_blocking=True)
        if choice.is_cuda:
            # To read the choice would be to wait for the device, which a CUDA graph cannot hold.
            return lambda images: self._apply_all(images, draws).index_select(0, choice)[0]
        operation = self._operations[int(choice)]
        return lambda images: operation(images, draws)

    def _apply_all(self, images: Tensor, draws: Tensor) -> Tensor:
        return torch.stack([operation(images, draws) for operation in self._operations])


def _column(draws: Tensor, i: int) -> Tensor:
    return draws[:, i, None, None, None]


def _integers(draws: Tensor, i: int, n: int) -> Tensor:
    """Integers uniform in 0..n-1."""
    return (n * draws[:, i]).floor()


def _round(value: float) -> int:
    return int(value + 0.5)


def _shift(size: int) -> int:
    return _round(CROP_SHIFT * size)


def _shift_matrix(size: int, by: Tensor, like: Tensor) -> Tensor:
    """Matrices (n, 1, size, size) that move entry i + by to i, and 0 where there is none."""
    index = torch.arange(size, device=like.device)
    return (index == index[:, None] + by[:, None, None]).to(like.dtype).unsqueeze(1)


def _cut(images: Tensor, draws: Tensor, window: list[int]) -> Tensor:
    """Mask windows that begin half a cutout before a pixel drawn at random."""
    inside = []
    for axis, size in enumerate(images.shape[2:]):
        cut = _round(CUTOUT_SIZE * size)
        # A window of even size has its centre between two pixels, of which there is one more.
        start = _integers(draws, axis, size + 1 - cut % 2) - cut // 2
        index = torch.arange(size, device=images.device) - start[:, None]
        inside.append((index >= 0) & (index < window[axis]))
    rows, columns = inside
    return images * ~(rows[:, None, :, None] & columns[:, None, None, :])


def _resample(images: Tensor, matrix: Tensor) -> Tensor:
    """Value, at each pixel, of the bilinear image at `matrix` (n, 2, 2) times its place.

    Places (x, y) are in pixels from the centre; the image is 0 outside.
    """
    height, width = images.shape[2:]
    # affine_grid counts in half widths and half heights.
    (xx, xy), (yx, yy) = (row.unbind(-1) for row in matrix.unbind(-2))
    entries = torch.stack([xx, xy * (height / width), yx * (width / height), yy], -1)
    theta = pad(entries.unflatten(-1, (2, 2)), (0, 1))
    grid = affine_grid(theta, (len(theta), 1, height, width), align_corners=False)
    return grid_sample(images, grid.expand(len(images), -1, -1, -1), align_corners=False)
