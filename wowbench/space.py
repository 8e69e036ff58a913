"""What a particle is and in which units: the one place where stored numbers become coordinates."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

Units = Literal["natural", "target", "own"]
"""Coordinates of a flow: natural values, or standardised by the target or each side by its own."""

LEVELS = 256
_AT_ONCE = 4096
"""Particles that are counted at once, so that their levels as int64 need little memory."""


@dataclass(frozen=True, eq=False)
class Chart:
    """Mean and standard deviation of each channel of a dataset, in natural units.

    For points of R^d, each of the d coordinates is a channel.

    Parameters
    ----------
    mean, std : numpy.ndarray or Tensor, float32, shape (channels,)
        A constant channel has standard deviation 1.
    """

    mean: np.ndarray | Tensor
    std: np.ndarray | Tensor

    @classmethod
    def of(cls, particles: np.ndarray) -> Chart:
        """Compute the statistics of stored particles, in double precision.

        Parameters
        ----------
        particles : numpy.ndarray, uint8 or float32, shape (N, channels, ...)
            As a dataset has them: bytes stand for pixels in [0, 1].
        """
        if particles.dtype == np.uint8:
            mean, std = _moments_of_levels(particles)
        else:
            axes = (0, *range(2, particles.ndim))
            mean, std = (f(particles, axes, dtype=np.float64) for f in (np.mean, np.std))
        std = std.astype(np.float32)
        return cls(mean.astype(np.float32), np.where(std > 0, std, np.float32(1)))


def _moments_of_levels(particles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each channel of bytes, as pixels in [0, 1]."""
    # Counting the 256 levels takes a fraction of the memory of the images in doubles.
    counts = np.zeros((particles.shape[1], LEVELS))
    for start in range(0, len(particles), _AT_ONCE):
        for channel, count in enumerate(counts):
            part = particles[start : start + _AT_ONCE, channel]
            count += np.bincount(part.ravel(), minlength=LEVELS)
    levels = np.arange(LEVELS) / (LEVELS - 1)
    shares = counts / counts.sum(1, keepdims=True)
    mean = shares @ levels
    return mean, np.sqrt((shares * (levels - mean[:, None]) ** 2).sum(1))


@dataclass(frozen=True, eq=False)
class Space:
    """The particles of one dataset, in three units.

    *Stored* is what files hold: pixels 0..255 as uint8, or float32 numbers as they are. *Natural*
    are pixels in [0, 1], where 0 is black and 1 is white, or the numbers themselves. *Coordinates*
    are what flows move and classifiers read: natural values, or standardised ones where there is
    a chart, ``(natural - mean) / std`` in each channel. All methods take and give tensors
    ``(..., *shape)``.

    Parameters
    ----------
    shape : tuple of int
        Of one particle: (channels, height, width) of an image, (d,) of a point.
    chart : Chart, optional
        Statistics by which coordinates are standardised.
    bounds : (float, float), optional
        Natural values to which moved particles are clipped; None leaves them free. Only without
        a chart.

    Raises
    ------
    ValueError
        For bounds beside a chart, or bounds that are none.

    Examples
    --------
    >>> import torch
    >>> grey = Space((1, 1, 2), Chart(torch.tensor([0.5]), torch.tensor([0.25])))
    >>> coordinates = grey.enter(torch.tensor([[[[0, 255]]]], dtype=torch.uint8))
    >>> coordinates.flatten().tolist(), grey.leave(coordinates).flatten().tolist()
    ([-2.0, 2.0], [0.0, 1.0])
    """

    shape: tuple[int, ...]
    chart: Chart | None = None
    bounds: tuple[float, float] | None = None

    def __post_init__(self):
        if self.bounds is None:
            return
        if self.chart is not None:
            raise ValueError(f"bounds {self.bounds} are in natural units; expected no chart beside")
        low, high = self.bounds
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ValueError(f"bounds are {self.bounds}; expected two numbers, the lower first")

    def natural(self, stored: Tensor | np.ndarray) -> Tensor:
        """Bring stored particles, tensors or arrays, to natural units: float32 tensors.

        Raises
        ------
        ValueError
            If they are neither uint8 nor float32.
        """
        import torch

        stored = torch.as_tensor(stored)
        if stored.dtype == torch.uint8:
            return stored.to(torch.float32) / (LEVELS - 1)
        if stored.dtype == torch.float32:
            return stored
        raise ValueError(f"stored particles must be uint8 or float32, got {stored.dtype}")

    def enter(self, stored: Tensor | np.ndarray) -> Tensor:
        """Bring stored particles to coordinates; see `natural`."""
        return self.standardise(self.natural(stored))

    def standardise(self, natural: Tensor) -> Tensor:
        """Bring natural values to coordinates."""
        if self.chart is None:
            return natural
        mean, std = self._moments(natural)
        return (natural - mean) / std

    def leave(self, coordinates: Tensor) -> Tensor:
        """Bring coordinates to natural values, which may leave [0, 1] where images have moved."""
        if self.chart is None:
            return coordinates
        mean, std = self._moments(coordinates)
        return coordinates * std + mean

    def project(self, coordinates: Tensor) -> Tensor:
        """Clip coordinates to the bounds, if there are any."""
        return coordinates if self.bounds is None else coordinates.clamp(*self.bounds)

    def _moments(self, particles: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation, in a shape that broadcasts against particles."""
        import torch

        columns = (-1, *(1,) * (len(self.shape) - 1))
        return tuple(
            torch.as_tensor(moment).to(particles).reshape(columns)
            for moment in (self.chart.mean, self.chart.std)
        )
