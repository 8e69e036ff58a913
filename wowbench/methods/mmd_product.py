"""The MMD flow with a product kernel on images, means and covariances."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from wowbench.methods.gaussian_labels import GaussianLabelMethod
from wowbench.parameters import Bandwidth, Momentum, Steps, StepSize
from wowbench.registry import METHODS

if TYPE_CHECKING:
    from torch import Tensor

    from wowbench.flows.loop import Step
    from wowbench.functionals.label_gaussians import ClassGaussians


@METHODS.register
class MMDProduct(GaussianLabelMethod):
    """Noisy flow of the MMD with a Gaussian product kernel.

    Hua et al. (2023), as the baseline of Bonet, Vauthier and Korba (2025), Table 2.

    Parameters
    ----------
    bandwidths : tuple of 3 floats
        h of the kernels ``exp(-d^2 / 2h)`` on images, means and covariances.
    lr, momentum : float
        Step size, and momentum of images and means.
    noise : float
        Standard deviation of the noise on the points at which the gradient is taken.
    squared_labels : bool
        Whether the label rule takes squared Bures-Wasserstein distances in place of distances.
    steps : int
        Number of steps.
    """

    name: ClassVar[str] = "mmd_product"
    summary: ClassVar[str] = "flow of the MMD with a product kernel on images and label Gaussians"

    bandwidths: tuple[Bandwidth, Bandwidth, Bandwidth] = (100.0, 50.0, 1000.0)
    lr: StepSize = 10.0
    momentum: Momentum = 0.9
    noise: float = Field(0.01, ge=0, le=1e6)
    steps: Steps = 20000

    def make_step(self, target: Tensor, labels: ClassGaussians) -> Step:
        """Return a noisy step with momentum."""
        from wowbench.functionals.product_mmd import ProductMMD, ProductMMDStep

        functional = ProductMMD(target, labels.mean, labels.cov, bandwidths=self.bandwidths)
        return ProductMMDStep(functional, lr=self.lr, momentum=self.momentum, noise=self.noise)
