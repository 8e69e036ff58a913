"""MMD between matched classes, with a Gaussian kernel on several scales."""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from wowbench.functionals.base import ParticleFunctional
from wowbench.geometry.validation import check_classes, check_matched, check_positive

SCALES = (0.25, 0.5, 1.0, 2.0, 4.0)


class KernelMatching(ParticleFunctional):
    r"""F(P) = (1/C) sum_c MMD^2(mu_c, nu_c), for classes that are matched by number.

    .. math::

        \mathrm{MMD}^2(\mu, \nu) = \iint k \, d(\mu - \nu) \, d(\mu - \nu) , \quad
        k(z, z') = \sum_s \exp\Big( - \frac{|z - z'|^2}{s \, b} \Big) .

    b is the mean squared distance of two different ones of all particles of mu_c and nu_c
    together: of each class its own, at each evaluation anew, and held fixed in the gradient. The
    integrals are over all pairs, those of a particle with itself too, so that the value is never
    negative.

    On embedded particles, the objective of Zhang et al., "M3D: Dataset condensation by minimizing
    maximum mean discrepancy", AAAI 2024, arXiv:2312.15927, divided by C. Scales and b are those of
    code that others have built on theirs.

    Parameters
    ----------
    target : Tensor (C, m, d)
        The classes nu_c.
    scales : sequence of float, default (1/4, 1/2, 1, 2, 4)
        Values of s.

    Raises
    ------
    ValueError
        For a target of the wrong shape, dtype or value, or a scale that is not positive.

    Examples
    --------
    One particle each: b is their squared distance, and the value ``2 k(0) - 2 k(1)``.

    >>> import torch
    >>> matching = KernelMatching(torch.tensor([[[3.0]]]), scales=[1.0])
    >>> matching.evaluate(torch.tensor([[[1.0]]]))
    (tensor(1.2642), tensor([[[-0.7358]]]))
    """

    capturable: ClassVar[bool] = True

    def __init__(self, target: Tensor, scales: Sequence[float] = SCALES):
        self.target = check_classes("target", target)
        self.scales = [check_positive(f"scales[{i}]", scale) for i, scale in enumerate(scales)]

    def evaluate(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return F(P) and its WoW gradient ``n C dF/dx``.

        Parameters
        ----------
        x : Tensor (C, n, d)
            The classes mu_c. Values are not checked to be finite here.

        Returns
        -------
        value : Tensor ()
        grad : Tensor (C, n, d)

        Raises
        ------
        ValueError
            For shapes, dtypes or devices that do not fit.
        """
        x = check_matched(x, self.target)
        n, m = x.shape[1], self.target.shape[1]
        z = torch.cat([x, self.target], 1)
        z = z - z.mean(1, keepdim=True)
        # Each particle counts for mu_c - nu_c.
        mass = torch.cat([x.new_full((n,), 1 / n), x.new_full((m,), -1 / m)])
        squares = z.square().sum(2)
        distances = (squares[:, :, None] + squares[:, None] - 2 * z @ z.mT).clamp_(min=0)
        distances.diagonal(dim1=1, dim2=2).zero_()
        bandwidth = distances.sum((1, 2)) / ((n + m) * (n + m - 1))
        # Where all particles are one point, any bandwidth gives 0.
        bandwidth = torch.where(bandwidth > 0, bandwidth, 1.0)[:, None, None]
        kernel, slope = torch.zeros_like(distances), torch.zeros_like(distances[:, :n])
        for scale in self.scales:
            part = torch.exp(-distances / (scale * bandwidth))
            kernel += part
            slope += part[:, :n] / (scale * bandwidth)
        value = (kernel @ mass @ mass).mean()
        pull = slope * mass
        return value, 4 * (pull @ z - pull.sum(2, keepdim=True) * z[:, :n])
