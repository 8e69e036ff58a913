"""Sliced Wasserstein with Busemann projections of classes on a line (SWB1DG)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from wowbench.distances.sliced import LabelledProjections, Side, unit_vectors
from wowbench.registry import DISTANCES

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Drawn(NamedTuple):
    """What SWB1DG draws for L directions."""

    theta: Tensor
    """Directions, ``(L, d)``."""
    psi: Tensor
    """Weights of the features and of the class, ``(L, 2)``, rows of norm 1."""
    ray: Tensor
    """Mean and standard deviation ``(m_1, s_1)`` of the Gaussian that a ray leads to, (L, 2)."""


@DISTANCES.register
class SlicedBusemann1DGaussian(LabelledProjections):
    r"""SWB1DG: each point with the Busemann function of its class along a ray of Gaussians.

    .. math::

        z(x, \mu) = \psi_1 \langle\theta, x\rangle + \psi_2 B(\theta_\# \mu) , \qquad
        B(\nu) = -m_1 \int y \, d\nu(y) - s_1 \int_0^1 F_\nu^{-1}(u) \Phi^{-1}(u) \, du ,

    the Busemann function of the Wasserstein space of the line for the ray from the point 0 to
    :math:`N(m_1, s_1^2)`, with :math:`m_1` uniform on [-1, 1] and :math:`s_1^2 = 1 - m_1^2`;
    :math:`\psi` is uniform on the circle. The distance is the mean over directions of
    :math:`W_2^2` between all z (Bonet, Cazelles, Drumetz and Courty, *Busemann functions in the
    Wasserstein space*, AISTATS 2026, arXiv:2510.04579). The integral is exact:
    :math:`\int_a^b \Phi^{-1} = \varphi(\Phi^{-1}(a)) - \varphi(\Phi^{-1}(b))`.
    """

    name: ClassVar[str] = "swb1dg"
    summary: ClassVar[str] = "sliced, with a Busemann function of the class beside each point"

    def draw(self, dim: int, like: Tensor, generator: torch.Generator) -> Drawn:
        """Draw directions, weights and rays."""
        import torch

        theta = unit_vectors(self.n_directions, dim, like, generator)
        psi = unit_vectors(self.n_directions, 2, like, generator)
        uniform = torch.rand(
            self.n_directions, generator=generator, dtype=like.dtype, device=like.device
        )
        mean = 2 * uniform - 1
        return Drawn(theta, psi, torch.stack((mean, (1 - mean**2).clamp_min(0).sqrt()), 1))

    def embed(self, projections: Tensor, side: Side, drawn: Drawn) -> tuple[Tensor, Tensor]:
        """Sort each class, and take both integrals as one product."""
        import torch

        from wowbench.geometry.quantiles import normal_quantile_means
        from wowbench.geometry.sorting import sort_values

        moments = []
        for part in projections.split(side.sizes, 1):
            n = part.shape[1]
            ordered = sort_values(part, overwrite=True)
            if ordered is not part:
                part.copy_(ordered)
            normal = normal_quantile_means(n, part.dtype, part.device)
            moments.append(ordered @ (torch.stack((torch.ones_like(normal), normal), 1) / n))
        ray = (drawn.psi[:, 1:] * drawn.ray).unsqueeze(-1)
        return projections, -(torch.stack(moments, 1) @ ray).squeeze(-1)
