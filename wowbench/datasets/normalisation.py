"""Standardised pixels: each channel of a dataset with mean 0 and standard deviation 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

LEVELS = 256


@dataclass(frozen=True, eq=False)
class Normalisation:
    """Mean and standard deviation of each channel of a dataset, of pixels in [0, 1].

    Parameters
    ----------
    mean, std : Tensor, shape (channels,)
        float32; a constant channel has standard deviation 1.
    """

    mean: Tensor
    std: Tensor

    @classmethod
    def of(cls, images: Tensor) -> Normalisation:
        """Compute the statistics of images, in double precision.

        Parameters
        ----------
        images : Tensor, shape (N, channels, height, width)
            Pixels 0..255, uint8.
        """
        import torch

        # Counting the 256 levels takes a fraction of the memory of the images in doubles.
        counts = torch.stack(
            [channel.flatten().bincount(minlength=LEVELS) for channel in images.transpose(0, 1)]
        ).double()
        levels = torch.arange(LEVELS, dtype=torch.float64) / (LEVELS - 1)
        shares = counts / counts.sum(1, keepdim=True)
        mean = shares @ levels
        std = (shares * (levels - mean[:, None]) ** 2).sum(1).sqrt()
        return cls(mean.float(), torch.where(std > 0, std, 1.0).float())

    def standardise(self, images: Tensor) -> Tensor:
        """Map images ``(..., channels, height, width)`` in [0, 1] to standardised ones."""
        mean, std = self._columns(images)
        return (images - mean) / std

    def restore(self, images: Tensor) -> Tensor:
        """Inverse of `standardise`; values may leave [0, 1] where images have moved."""
        mean, std = self._columns(images)
        return images * std + mean

    def _columns(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return tuple(t.to(images)[:, None, None] for t in (self.mean, self.std))
