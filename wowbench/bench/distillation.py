"""A step of MMDSW as the distillation task runs it, and what it is compared with."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wowbench.bench.timing import Setting, products
from wowbench.errors import InputError

if TYPE_CHECKING:
    import torch

    from wowbench.functionals.base import Functional
    from wowbench.functionals.embedded import RandomFeatures


@dataclass(frozen=True)
class DistillationSetting(Setting):
    """The size of a distillation, whose steps see a new batch of the target each.

    Attributes
    ----------
    n, k : int
        Synthetic and real images of a class, square and of one channel.
    batch_size : int
        Real images of a class in a batch.
    embedding, augmentation : bool
        Whether images are compared by features of a random ConvNet-3, and augmented.
    bfloat16 : bool
        Whether features of real images are computed in bfloat16.

    Raises
    ------
    InputError
        If `dim` is no square, or `bfloat16` is given without `embedding`.
    """

    n: int = 10
    k: int = 1000
    batch_size: int = 256
    embedding: bool = False
    augmentation: bool = False
    bfloat16: bool = False

    def __post_init__(self):
        if math.isqrt(self.dim) ** 2 != self.dim:
            raise InputError(
                f"--dim is {self.dim}; expected the pixels of a square image, such as 784 = 28 * 28"
            )
        if self.bfloat16 and not self.embedding:
            raise InputError("--bfloat16 is given without --embedding, which alone uses it; add it")

    @property
    def floor_name(self) -> str:
        """What `floor` times."""
        return "networks alone" if self.embedding else "products alone"

    def functional(self, y: torch.Tensor) -> Functional:
        """Return MMDSW in the scenario, for the real images `y`."""
        from wowbench.methods.mmdsw import MMDSW
        from wowbench.methods.problem import Problem
        from wowbench.space import Space

        method = MMDSW(
            n_directions=self.directions,
            augmentation=self.augmentation,
            embedding=self.embedding,
            bfloat16=self.bfloat16,
        )
        images = y.unflatten(-1, self._image_shape)
        space = Space(tuple(images.shape[2:]))
        problem = Problem(images[:, : self.n], images, space, "by_number", self.batch_size)
        return method.compose(problem).functional

    def floor(self) -> Callable[[], object]:
        """Return what a step is compared with, on tensors of the same shapes.

        Without embedding, the products with the directions. With it, the networks' passes: forward
        for the batch, forward and backward for the synthetic images.
        """
        x, y = self.draw()
        batch = y[:, : self.batch_size]
        if self.embedding:
            return self._passes(x, batch)
        return products(x, batch, self.directions)

    def _passes(self, x: torch.Tensor, batch: torch.Tensor) -> Callable[[], object]:
        import torch

        from wowbench.functionals.embedded import CHUNK

        features = self._features()
        synthetic, real = (t.reshape(-1, *self._image_shape) for t in (x, batch))
        synthetic.requires_grad_()
        slope = torch.ones_like(features(synthetic))

        def passes() -> None:
            for part in real.split(CHUNK):
                features(part)
            torch.autograd.grad(features(synthetic), synthetic, slope)

        return passes

    def _features(self) -> RandomFeatures:
        from wowbench.evaluation.networks import build_network
        from wowbench.functionals.embedded import RandomFeatures

        network = build_network("convnet", self._image_shape, self.classes)
        return RandomFeatures(network.features.to(self.device), bfloat16=self.bfloat16)

    @property
    def _image_shape(self) -> tuple[int, int, int]:
        side = math.isqrt(self.dim)
        return (1, side, side)
