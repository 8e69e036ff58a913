"""Gradient descent with heavy-ball momentum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from wowbench.parameters import Share, StepSize
from wowbench.registry import SCHEMES
from wowbench.schemes.base import Scheme, parts_of
from wowbench.state import BURES, EUCLIDEAN, Parts

if TYPE_CHECKING:
    from torch import Tensor

    from wowbench.state import State


@SCHEMES.register
class Momentum(Scheme):
    """Explicit steps with momentum: ``v <- g + momentum v``, ``x <- x - lr v``.

    The scheme of Bonet, Vauthier and Korba (2025). Covariances S take no momentum: they move along
    Bures-Wasserstein geodesics, ``S <- (I - 2 lr G) S (I - 2 lr G)``, after Hua et al. (2023).

    Parameters
    ----------
    lr : float
        Step size.
    momentum : float
        Share of the velocity that the next step keeps, in [0, 1).
    decay, average
        As of `Scheme`.
    """

    name: ClassVar[str] = "momentum"
    summary: ClassVar[str] = "explicit steps with heavy-ball momentum"

    lr: StepSize = 1.0
    momentum: Share = 0.9

    def start(self, state: State, parts: Parts, steps: int) -> State:
        """Return velocities of 0, if there is momentum, and what every scheme remembers."""
        import torch

        moved = parts_of(EUCLIDEAN, parts) if self.momentum > 0 else ()
        velocities = {f"{part}.velocity": torch.zeros_like(state[part]) for part in moved}
        return velocities | super().start(state, parts, steps)

    def move(
        self,
        state: State,
        grads: Mapping[str, Tensor],
        parts: Parts,
        value: Tensor,
        factor: float | Tensor,
    ) -> None:
        """Move every part against its velocity, and covariances against their gradient."""
        import torch

        from wowbench.geometry.bures import bures_exponential

        for part in parts_of(EUCLIDEAN, parts):
            velocity = grads[part]
            if self.momentum > 0:
                kept = state[f"{part}.velocity"]
                velocity = torch.add(velocity, kept, alpha=self.momentum, out=kept)
            _subtract(state[part], velocity, self.lr, factor)
        for part in parts_of(BURES, parts):
            state[part].copy_(bures_exponential(state[part], -2 * self.lr * factor * grads[part]))


def _subtract(points: Tensor, velocity: Tensor, lr: float, factor: float | Tensor) -> None:
    """Subtract ``lr * factor * velocity`` from the points in place, without waiting for them."""
    if isinstance(factor, float):
        points.sub_(velocity, alpha=lr * factor)
    else:
        points.sub_((lr * factor).to(points.dtype) * velocity)
