"""MMDSW with weights of the classes that move too."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from wowbench.kernels.base import Kernel
from wowbench.kernels.riesz import Riesz
from wowbench.labelling.wow_coupling import WoWCoupling
from wowbench.methods.base import Method
from wowbench.methods.problem import Pairing, Problem, RunContext
from wowbench.methods.trajectory import Trajectory
from wowbench.parameters import Count, FromRegistry, Steps, StepSize
from wowbench.registry import KERNELS, METHODS


@METHODS.register
class WeightedMMDSW(Method):
    """Joint flow of particles and class weights down the MMD with a sliced-Wasserstein kernel.

    At each step the weights make a minimising movement (Jordan, Kinderlehrer and Otto, 1998): a
    plan moves mass between the classes at the cost of their squared distances; then particles take
    an explicit step at the new weights, a splitting as that of Gallouet and Monsaingeon (2017).
    `wowbench.flows.weights` has the formulas. Weights start equal. They are of use where source and
    target have unlike numbers of classes, so that equal weights cannot match the target's: five
    classes on three rings end with a third of the mass on each ring. The WoW coupling that labels
    the classes takes their weights too.

    Parameters
    ----------
    kernel : Kernel
        K(mu, nu) as a function of SW(mu, nu), with its parameters.
    n_directions : int
        Number L of directions drawn anew at each step.
    directions : {"gaussian", "orthogonal"}
        Independent directions, or blocks of orthonormal ones.
    lr : float
        Step size of the particles.
    tau : float
        Step size of the weights; a small one holds them.
    steps : int
        Number of steps.
    """

    name: ClassVar[str] = "mmdsw_weighted"
    summary: ClassVar[str] = "MMDSW that moves the weights of classes too"
    pairings: ClassVar[frozenset[Pairing]] = frozenset({"free"})
    unpaired: ClassVar[str] = "a class may lose its mass, and there each stands for a given one"
    label_rule: ClassVar[str] = WoWCoupling.rule

    kernel: Annotated[Kernel, FromRegistry(KERNELS)] = Riesz()
    n_directions: Count = 500
    directions: Literal["gaussian", "orthogonal"] = "gaussian"
    lr: StepSize = 0.1
    tau: float = Field(10.0, ge=1e-12, le=1e12)
    steps: Steps = 500

    def run(self, problem: Problem, context: RunContext) -> Trajectory:
        """Flow particles and weights, project the particles, then label them."""
        import torch

        from wowbench.flows.weights import descend_with_weights
        from wowbench.functionals.weighted_mmd import WeightedSlicedMMD
        from wowbench.geometry import sample_directions
        from wowbench.methods.flow_method import label_flow

        source, target = problem.source.flatten(2), problem.target.flatten(2)
        mmd = WeightedSlicedMMD(target, self.kernel)

        def objective(x, generator):
            directions = sample_directions(
                self.n_directions,
                x.shape[-1],
                kind=self.directions,
                generator=generator,
                device=x.device,
                dtype=x.dtype,
            )
            return mmd.at(x, directions)

        flow = descend_with_weights(
            objective,
            source,
            steps=self.steps,
            lr=self.lr,
            tau=self.tau,
            generator=torch.Generator(source.device).manual_seed(context.seed),
            snapshots=context.snapshots_before(self.steps),
            checkpoint=context.checkpoint,
            progress=context.progress,
        )
        return label_flow(flow, problem, WoWCoupling(), {"x": target}, parts=("x", "weights"))
