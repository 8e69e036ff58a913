"""The MMD flow with a product kernel on images, means and covariances."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from wowbench.methods.flow_method import SchemeField
from wowbench.methods.gaussian_labels import GaussianLabelFlow
from wowbench.parameters import Bandwidth, Steps
from wowbench.registry import METHODS
from wowbench.schemes.momentum import Momentum

if TYPE_CHECKING:
    from torch import Tensor

    from wowbench.functionals.base import Functional
    from wowbench.functionals.label_gaussians import ClassGaussians


@METHODS.register
class MMDProduct(GaussianLabelFlow):
    """Noisy flow of the MMD with a Gaussian product kernel.

    Hua et al. (2023), as the baseline of Bonet, Vauthier and Korba (2025), Table 2. Their noise on
    covariances is not symmetric; the symmetric part, which is taken here, is what acts to first
    order.

    Parameters
    ----------
    bandwidths : tuple of 3 floats
        h of the kernels ``exp(-d^2 / 2h)`` on images, means and covariances.
    noise : float
        Standard deviation of the noise on the points at which the gradient is taken.
    """

    name: ClassVar[str] = "mmd_product"
    summary: ClassVar[str] = "flow of the MMD with a product kernel on images and label Gaussians"
    definite: ClassVar[bool] = False

    bandwidths: tuple[Bandwidth, Bandwidth, Bandwidth] = (100.0, 50.0, 1000.0)
    noise: float = Field(0.01, ge=0, le=1e6)
    scheme: SchemeField = Momentum(lr=10.0, momentum=0.9)
    steps: Steps = 20000

    def functional(self, target: Tensor, labels: ClassGaussians) -> Functional:
        """MMD to `target`, at points with noise."""
        from wowbench.functionals.product_mmd import ProductMMD
        from wowbench.functionals.wrappers import Noisy

        mmd = ProductMMD(target, labels.mean, labels.cov, bandwidths=self.bandwidths)
        return Noisy(mmd, self.noise)
