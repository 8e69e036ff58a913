"""Sliced optimal transport dataset distance (s-OTDD)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, NamedTuple

from pydantic import Field

from wowbench.distances.sliced import (
    CACHED,
    LabelledProjections,
    Side,
    blocks,
    unit_vectors,
)
from wowbench.registry import DISTANCES

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Rate = Annotated[float, Field(ge=0, le=20)]
"""Rate of a Poisson distribution."""

LARGEST_ORDER = 100
"""Order of moments that is as good as never drawn, at the largest rate."""


class Drawn(NamedTuple):
    """What s-OTDD draws for L directions."""

    theta: Tensor
    """Directions, ``(L, d)``."""
    psi: Tensor
    """Weights of the features and of k moments, ``(L, k + 1)``, rows of norm 1."""
    orders: Tensor
    """Orders of the moments, ``(L, k)``, int64."""


@DISTANCES.register
class SlicedOTDD(LabelledProjections):
    r"""s-OTDD: each point with moments of its class along the direction.

    .. math::

        z(x, \mu) = \psi_1 \langle\theta, x\rangle + \sum_{i=1}^k \psi_{i+1}
            \frac{1}{\lambda_i!} \int \langle\theta, x'\rangle^{\lambda_i} d\mu(x') , \qquad
        D^2 = \frac{1}{L} \sum_{\ell=1}^L W_2^2(z_\ell(P), z_\ell(Q)) ,

    with :math:`\theta` uniform on the sphere of the features, :math:`\psi` on that of
    :math:`\mathbb{R}^{k+1}`, and :math:`\lambda_i` of the Poisson distribution of rate i, given
    that it is not 0 (Nguyen, Nguyen, Pham and Ho, *Lightspeed geometric dataset distance via
    sliced optimal transport*, ICML 2025, arXiv:2501.18901). The paper's number
    is the root of this one. Moments of unlike orders have unlike units and grow with the distance
    from the origin, so that values depend on how features are scaled and centred, and have heavy
    tails where features are large.

    Parameters
    ----------
    rates : tuple of float
        Rates of the k orders. The paper's are 1 to 5; with 0 to 4, as one port of it has, the first
        order is always 1.
    """

    name: ClassVar[str] = "sotdd"
    summary: ClassVar[str] = "s-OTDD: sliced, with random moments of the class beside each point"

    rates: tuple[Rate, ...] = Field((1.0, 2.0, 3.0, 4.0, 5.0), min_length=1, max_length=20)

    def draw(self, dim: int, like: Tensor, generator: torch.Generator) -> Drawn:
        """Draw directions, weights and orders; the directions of low orders come first."""
        theta = unit_vectors(self.n_directions, dim, like, generator)
        psi = unit_vectors(self.n_directions, len(self.rates) + 1, like, generator)
        orders = positive_poisson(self.n_directions, self.rates, generator)
        # Blocks of like orders take fewer powers.
        rank = orders.amax(1).argsort(stable=True)
        return Drawn(theta[rank], psi[rank], orders[rank])

    def embed(self, projections: Tensor, side: Side, drawn: Drawn) -> tuple[Tensor, Tensor]:
        """Evaluate the sum of all moments as the mean of one polynomial, by Horner's scheme."""
        import torch

        few = max(1, CACHED // projections.shape[1])
        labels = [
            _mean_polynomials(rows, moment_coefficients(part), side.sizes)
            for rows, part in zip(projections.split(few), blocks(drawn, few), strict=True)
        ]
        return projections, torch.cat(labels)


def _mean_polynomials(projections: Tensor, coefficients: Tensor, sizes: list[int]) -> Tensor:
    """Means over classes of polynomials of projections ``(L', N)``: ``(L', C)``.

    `coefficients` are those of 1, p, p^2, ..., ``(J, L')``.
    """
    import torch

    constant, *others, last = coefficients
    sums = projections * last[:, None]
    for coefficient in reversed(others):
        sums.add_(coefficient[:, None]).mul_(projections)
    means = [part.mean(1) for part in sums.split(sizes, 1)]
    return torch.stack(means, 1).add_(constant[:, None])


def positive_poisson(n: int, rates: tuple[float, ...], generator: torch.Generator) -> Tensor:
    """Draw Poisson numbers that are not 0, ``(n, k)``, by inversion; the limit 1 at rate 0.

    Their probabilities are ``rate^j / (j! (exp(rate) - 1))`` for j = 1, 2, ...
    """
    import torch

    uniform = torch.rand(
        n, len(rates), generator=generator, dtype=torch.float64, device=generator.device
    )
    j = torch.arange(1, LARGEST_ORDER + 1, dtype=torch.float64, device=generator.device)
    rates = torch.tensor(rates, dtype=torch.float64, device=generator.device).clamp_min(1e-300)
    masses = torch.exp((j - 1) * rates[:, None].log() - torch.lgamma(j + 1))
    steps = (masses / masses.sum(1, keepdim=True)).cumsum(1)
    orders = 1 + torch.searchsorted(steps, uniform.T.contiguous(), right=True).T
    return orders.clamp_max(LARGEST_ORDER)


def moment_coefficients(drawn: Drawn) -> Tensor:
    """Coefficients of 1, p, p^2, ...: ``psi_(i+1) / lambda_i!`` at lambda_i, ``(J, L)``."""
    import torch

    weights = drawn.psi[:, 1:].double() * torch.exp(-torch.lgamma(drawn.orders.double() + 1))
    coefficients = weights.new_zeros(len(weights), int(drawn.orders.max()) + 1)
    return coefficients.scatter_add_(1, drawn.orders, weights).T.to(drawn.psi.dtype)
