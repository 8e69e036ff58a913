"""MMDSW: the paper's flow of the MMD with a sliced-Wasserstein kernel."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from wowbench.methods.base import Method, Outcome, Problem, RunContext
from wowbench.registry import METHODS


@METHODS.register
class MMDSW(Method):
    """Flow of 1/2 MMD^2 with a kernel on the sliced-Wasserstein distance.

    Bonet, Vauthier and Korba (2025), Section 5; the defaults are those of Table 2 at k <= 10.

    Parameters
    ----------
    kernel : {"riesz", "gaussian", "laplace", "imq"}
        Kernel K(mu, nu) as a function of SW(mu, nu).
    kernel_parameter : float
        Exponent r of the Riesz kernel, bandwidth h of the others.
    quantiles : {"exact", "linear"}
        Exact one-dimensional optimal transport, or 100 interpolated percentiles.
    n_directions : int
        Number L of directions drawn anew at each step.
    directions : {"gaussian", "orthogonal"}
        Independent directions, or blocks of orthonormal ones.
    lr, momentum : float
        Step size and momentum of the explicit scheme.
    steps : int
        Number of steps.
    """

    name: ClassVar[str] = "mmdsw"
    summary: ClassVar[str] = "flow of the MMD with a sliced-Wasserstein kernel (the paper's)"
    tasks: ClassVar[frozenset[str]] = frozenset({"transfer"})
    label_rule: ClassVar[str] = "WoW coupling of the classes"

    kernel: Literal["riesz", "gaussian", "laplace", "imq"] = "riesz"
    kernel_parameter: float = Field(1.0, gt=0)
    quantiles: Literal["exact", "linear"] = "exact"
    n_directions: int = Field(500, gt=0)
    directions: Literal["gaussian", "orthogonal"] = "gaussian"
    lr: float = Field(1.0, gt=0)
    momentum: float = Field(0.9, ge=0, lt=1)
    steps: int = Field(5000, gt=0)

    def run(self, problem: Problem, context: RunContext) -> Outcome:
        """Flow the source, clip to [0, 1], then label by the WoW coupling."""
        import torch

        from wowbench.flows import descend
        from wowbench.functionals import SlicedMMD
        from wowbench.geometry import sample_directions
        from wowbench.kernels import KERNELS
        from wowbench.labelling import label_by_wow_coupling

        source, target = problem.source.flatten(2), problem.target.flatten(2)
        device, dim = source.device, source.shape[-1]
        functional = SlicedMMD(
            target, KERNELS[self.kernel](self.kernel_parameter), quantiles=self.quantiles
        )

        def objective(x, generator):
            directions = sample_directions(
                self.n_directions, dim, kind=self.directions, generator=generator, device=device
            )
            return functional.value_and_grad(x, directions)

        flow = descend(
            objective,
            source,
            steps=self.steps,
            lr=self.lr,
            momentum=self.momentum,
            generator=torch.Generator(device).manual_seed(context.seed),
            checkpoint=context.checkpoint,
            progress=context.progress,
        )
        images = flow.x.clamp(0, 1)
        labels = label_by_wow_coupling(images, target)
        return Outcome(
            images=images.reshape(-1, *problem.image_shape),
            labels=labels.flatten(),
            losses=flow.losses,
            seconds=flow.seconds,
            training_samples=labels.numel() + target.shape[0] * target.shape[1],
        )
