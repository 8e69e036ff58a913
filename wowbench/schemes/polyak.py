"""Polyak's step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from wowbench.registry import SCHEMES
from wowbench.schemes.base import Scheme, parts_of
from wowbench.state import BURES, EUCLIDEAN, Parts

if TYPE_CHECKING:
    from torch import Tensor

    from wowbench.state import State


@SCHEMES.register
class Polyak(Scheme):
    r"""Explicit steps as long as the value is high and the gradient small.

    .. math:: x \leftarrow x - \gamma \, \frac{F}{\|g\|^2} \, g ,

    Polyak, *Minimization of unsmooth functionals*, 1969, for a functional of minimum 0. The
    squared norm of the WoW gradient g is its mean over the particles, the rate at which F falls
    along it. Covariances S move along Bures-Wasserstein geodesics, as by momentum; their share of
    the squared norm is the mean of :math:`4 \, tr(G S G)`.

    Near its minimum half a squared MMD with the Riesz kernel of r = 1 is a distance and not its
    square, so that its gradient does not vanish and steps of constant size never arrive; these
    shrink with the value and do, without a size to be chosen. Where the minimum is not 0, as where
    particles cannot be shared out evenly among the target's, a decay takes the steps to 0.

    Parameters
    ----------
    relaxation : float
        The factor gamma, between 0 and 2.
    decay, average
        As of `Scheme`.
    """

    name: ClassVar[str] = "polyak"
    summary: ClassVar[str] = "steps by Polyak's rule, value over squared gradient"

    relaxation: Annotated[float, Field(gt=0, lt=2)] = 1.0

    def move(
        self,
        state: State,
        grads: Mapping[str, Tensor],
        parts: Parts,
        value: Tensor,
        factor: float | Tensor,
    ) -> None:
        """Move every part against its gradient by the same step size."""
        import torch

        from wowbench.geometry.bures import bures_exponential

        axes = value.dim()
        euclidean, bures = parts_of(EUCLIDEAN, parts), parts_of(BURES, parts)
        squares = [grads[part].square().sum(-1) for part in euclidean]
        squares += [4 * ((grads[part] @ state[part]) * grads[part]).sum((-2, -1)) for part in bures]
        squared_norm = sum(square.flatten(axes).mean(axes) for square in squares)
        scale = self.relaxation * factor * value.clamp_min(0)
        lr = torch.where(squared_norm > 0, scale / squared_norm, 0.0).to(value.dtype)
        for part in euclidean:
            state[part].sub_(_like(lr, state[part]) * grads[part])
        for part in bures:
            tangent = -2 * _like(lr, state[part]) * grads[part]
            state[part].copy_(bures_exponential(state[part], tangent))


def _like(lr: Tensor, points: Tensor) -> Tensor:
    """Step sizes of the flows, with as many axes as their points."""
    return lr.to(points.dtype).reshape(*lr.shape, *[1] * (points.dim() - lr.dim()))
