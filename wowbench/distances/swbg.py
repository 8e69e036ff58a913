"""Sliced Wasserstein with Busemann projections of classes as Gaussians (SWBG)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, NamedTuple

from pydantic import Field

from wowbench.distances.sliced import LabelledProjections, Side, unit_vectors
from wowbench.registry import DISTANCES

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Gaussians(NamedTuple):
    """Moments of classes in reduced dimension."""

    mean: Tensor
    """Means, ``(C, p)``."""
    cov: Tensor
    """Covariances, ``(C, p, p)``."""


class Drawn(NamedTuple):
    """What SWBG draws for L directions."""

    theta: Tensor
    """Directions, ``(L, d)``."""
    psi: Tensor
    """Weights of the features and of the class, ``(L, 2)``, rows of norm 1."""
    mean: Tensor
    """Means m_1 at the end of the rays, ``(L, p)``."""
    spread: Tensor
    """Matrices S, ``(L, p, p)``, symmetric; ``|m_1|^2 + |S|^2 = 1``."""


@DISTANCES.register
class SlicedBusemannGaussian(LabelledProjections):
    r"""SWBG: each point with the Busemann function of its class, as a Gaussian, along a ray.

    .. math::

        z(x, \mu) = \psi_1 \langle\theta, x\rangle + \psi_2 B(m_\mu, \Sigma_\mu) , \qquad
        B(m, \Sigma) = -\langle m_1, m\rangle + \operatorname{tr} S
            - \operatorname{tr} (\Sigma^{1/2} S^2 \Sigma^{1/2})^{1/2} ,

    the Busemann function of the Bures-Wasserstein space for the ray from N(0, I) to
    :math:`N(m_1, (I + S)^2)` of unit speed, in which the map from one to the other is I + S
    (Bonet, Cazelles, Drumetz and Courty, *Busemann functions in the Wasserstein space*, AISTATS
    2026, arXiv:2510.04579). :math:`S = P \operatorname{diag}(|t|) P^T`
    with P of the Haar measure and t on the sphere, :math:`m_1` on the sphere, both divided by
    :math:`\sqrt{|m_1|^2 + |S|^2}`. Means and covariances (divisor n) are those of the first
    principal components of all points of both datasets; :math:`\theta` sees all features.

    Parameters
    ----------
    dim : int
        Number p of principal components.
    """

    name: ClassVar[str] = "swbg"
    summary: ClassVar[str] = "sliced, with a Busemann function of the class as a Gaussian"

    dim: Annotated[int, Field(ge=1, le=100)] = 2

    @property
    def minimum_dimension(self) -> int:
        """As many features as principal components."""
        return self.dim

    def draw(self, dim: int, like: Tensor, generator: torch.Generator) -> Drawn:
        """Draw directions, weights and rays."""
        import torch

        n, p = self.n_directions, self.dim
        theta = unit_vectors(n, dim, like, generator)
        psi = unit_vectors(n, 2, like, generator)
        mean = unit_vectors(n, p, like, generator)
        scales = unit_vectors(n, p, like, generator).abs()
        gaussian = torch.randn(n, p, p, generator=generator, dtype=like.dtype, device=like.device)
        q, r = torch.linalg.qr(gaussian)
        axes = q * torch.where(r.diagonal(dim1=-2, dim2=-1) < 0, -1.0, 1.0)[:, None, :].to(q.dtype)
        spread = (axes * scales[:, None, :]) @ axes.mT
        # Both have norm 1, so that together they have the square 2.
        return Drawn(theta, psi, mean / 2**0.5, spread / 2**0.5)

    def sides(self, a: list[Tensor], b: list[Tensor]) -> tuple[Side, Side]:
        """Both datasets, with the Gaussians of their classes."""
        import torch

        axes, centre = _principal_axes(torch.cat((*a, *b)).double(), self.dim)
        sides = super().sides(a, b)
        return tuple(
            side._replace(extras=_moments([(part.double() - centre) @ axes for part in x], a[0]))
            for side, x in zip(sides, (a, b), strict=True)
        )

    def embed(self, projections: Tensor, side: Side, drawn: Drawn) -> tuple[Tensor, Tensor]:
        """Give each class the Busemann function of its Gaussian."""
        return projections, drawn.psi[:, 1:] * busemann_functions(*side.extras, drawn)


def busemann_functions(mean: Tensor, cov: Tensor, drawn: Drawn) -> Tensor:
    """Busemann functions of Gaussians along rays, whose formula is in `SlicedBusemannGaussian`.

    Parameters
    ----------
    mean, cov : Tensor
        N Gaussians: means ``(N, p)`` and covariances ``(N, p, p)``.
    drawn : Drawn
        Has the L rays.

    Returns
    -------
    Tensor (L, N)
        Differentiable where covariances are positive definite.
    """
    from wowbench.geometry.bures import fidelity

    trace = drawn.spread.diagonal(dim1=-2, dim2=-1).sum(-1)
    roots = fidelity(drawn.spread @ drawn.spread, cov)
    return trace[:, None] - drawn.mean @ mean.T - roots


def _principal_axes(points: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """Leading principal axes ``(d, dim)`` of points ``(N, d)``, and their mean.

    The largest entry of an axis is positive, which fixes its sign.
    """
    import numpy as np
    import torch
    from scipy.sparse.linalg import svds

    centre = points.mean(0)
    centred = points - centre
    # Few axes of many take a fraction of the time of all of them.
    if dim < min(points.shape) and centred.any():
        start = np.random.default_rng(0).standard_normal(min(points.shape))
        _, values, rows = svds(centred.cpu().numpy(), dim, v0=start)
        axes = torch.tensor(rows[np.argsort(-values)]).to(points).T
    else:
        axes = torch.linalg.eigh(centred.T @ centred)[1][:, -dim:].flip(1)
    largest = axes.gather(0, axes.abs().argmax(0, keepdim=True))
    return axes * torch.where(largest < 0, -1.0, 1.0).to(axes.dtype), centre


def _moments(classes: list[Tensor], like: Tensor) -> Gaussians:
    """Means and covariances, with the divisor n, of the dtype of `like`."""
    import torch

    mean = torch.stack([points.mean(0) for points in classes])
    centred = [points - points.mean(0) for points in classes]
    cov = torch.stack([points.T @ points / len(points) for points in centred])
    return Gaussians(mean.to(like), cov.to(like))
