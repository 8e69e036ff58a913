"""Sinkhorn divergences of matched classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from wowbench.distances.base import Distance, Estimate
from wowbench.distances.class_costs import transport_value
from wowbench.registry import DISTANCES

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@DISTANCES.register
class SinkhornMatched(Distance):
    r"""Mean Sinkhorn divergence of classes that are matched one to one, at the least total.

    .. math:: D^2(P, Q) = \min_\sigma \frac{1}{C} \sum_c S_\varepsilon(\mu_c, \nu_{\sigma(c)})

    with the debiased divergence :math:`S_\varepsilon` on the scale of :math:`W_2^2` (Feydy et al.,
    *Interpolating between optimal transport and MMD using Sinkhorn divergences*, 2019). It is
    positive at the fixed point that the iterations approach; what they leave may make it slightly
    negative, which is reported as it is. Memory is quadratic in the size of a class.

    Parameters
    ----------
    blur : float
        Length under which detail is blurred, in units of the features: the regularisation of the
        cost :math:`|x - y|^2` is twice its square.
    """

    name: ClassVar[str] = "sinkhorn_matched"
    summary: ClassVar[str] = "Sinkhorn divergence of classes matched one to one"
    stochastic: ClassVar[bool] = False
    equal_classes: ClassVar[bool] = True

    blur: Annotated[float, Field(ge=1e-6, le=1e6)] = 0.05

    def estimate(  # noqa: D102
        self, a: list[Tensor], b: list[Tensor], generator: torch.Generator
    ) -> Estimate:
        from wowbench.geometry.sinkhorn import sinkhorn_divergence

        return Estimate(transport_value(sinkhorn_divergence(a, b, blur=self.blur).double()))
