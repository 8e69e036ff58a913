"""AdamW."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from wowbench.parameters import Decay, Share, StepSize
from wowbench.registry import SCHEMES
from wowbench.schemes.base import Scheme, parts_of
from wowbench.state import BURES, Parts

if TYPE_CHECKING:
    from torch import Tensor

    from wowbench.state import State

EPSILON = 1e-8
"""What is added to the root of the second moment."""


@SCHEMES.register
class AdamW(Scheme):
    """AdamW on all parts alike (Loshchilov and Hutter, 2019), by torch.

    A step may leave the cone of positive definite matrices. Eigenvalues of covariances below `lr`,
    which are finer than a step resolves, are therefore raised to it; `raised` in the state is the
    number of covariances that had one, over all steps.

    Parameters
    ----------
    lr : float
        Step size.
    weight_decay : float
        Decoupled weight decay; ``lr * weight_decay`` is the share that decays at each step.
    betas : tuple of 2 floats
        Shares that the moments keep.
    decay, average
        As of `Scheme`.
    """

    name: ClassVar[str] = "adamw"
    summary: ClassVar[str] = "AdamW; covariances are kept positive"

    lr: StepSize = 1e-3
    weight_decay: Decay = 1e-4
    betas: tuple[Share, Share] = (0.9, 0.999)

    def start(self, state: State, parts: Parts, steps: int) -> State:
        """Return moments of 0, and what every scheme remembers."""
        import torch

        memory = {
            f"{part}.{moment}": torch.zeros_like(state[part])
            for part in parts
            for moment in ("first_moment", "second_moment")
        }
        device = state[next(iter(parts))].device
        memory["step"] = torch.zeros(len(parts), device=device)
        if parts_of(BURES, parts):
            memory["raised"] = torch.zeros((), dtype=torch.int64, device=device)
        return memory | super().start(state, parts, steps)

    def move(
        self,
        state: State,
        grads: Mapping[str, Tensor],
        parts: Parts,
        value: Tensor,
        factor: float | Tensor,
    ) -> None:
        """Take a step of AdamW, and raise eigenvalues."""
        from torch.optim.adamw import adamw

        from wowbench.geometry.bures import raise_eigenvalues

        adamw(
            [state[part] for part in parts],
            [grads[part].contiguous() for part in parts],
            [state[f"{part}.first_moment"] for part in parts],
            [state[f"{part}.second_moment"] for part in parts],
            [],
            list(state["step"].unbind()),
            fused=True,
            amsgrad=False,
            beta1=self.betas[0],
            beta2=self.betas[1],
            lr=self.lr * float(factor),
            weight_decay=self.weight_decay,
            eps=EPSILON,
            maximize=False,
        )
        for part in parts_of(BURES, parts):
            state["raised"] += raise_eigenvalues(state[part], self.lr)

    def capturable(self, parts: Parts) -> bool:
        """Not with covariances, how many of which have to be raised is asked, nor by a decay."""
        return self.decay == "none" and not parts_of(BURES, parts)
