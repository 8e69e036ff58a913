"""OTDD: a flow of the optimal transport dataset distance."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from wowbench.methods.base import Method, Outcome, Problem, RunContext
from wowbench.registry import METHODS


@METHODS.register
class OTDDFlow(Method):
    """Flow of the entropic optimal transport dataset distance by AdamW.

    Alvarez-Melis and Fusi (2021), as the baseline of Bonet, Vauthier and Korba (2025), Table 2:
    each image carries the Gaussian of its class in the plane of a PCA, and image, mean and
    covariance all move.

    Parameters
    ----------
    epsilon : float
        Entropic regularisation, in standard deviations of the cost.
    lr, weight_decay : float
        Of AdamW.
    steps : int
        Number of steps.
    """

    name: ClassVar[str] = "otdd"
    summary: ClassVar[str] = "flow of the optimal transport dataset distance, by Sinkhorn and AdamW"
    tasks: ClassVar[frozenset[str]] = frozenset({"transfer"})
    label_rule: ClassVar[str] = "linear program on the Bures-Wasserstein distances of the labels"

    epsilon: float = Field(0.05, gt=0)
    lr: float = Field(1e-3, gt=0)
    weight_decay: float = Field(1e-4, ge=0)
    steps: int = Field(5000, gt=0)

    def run(self, problem: Problem, context: RunContext) -> Outcome:
        """Flow the source, clip to [0, 1], and label by the carried Gaussians."""
        from wowbench.flows import iterate
        from wowbench.functionals.label_gaussians import embed_labels
        from wowbench.functionals.otdd import OTDD, OTDDStep
        from wowbench.labelling import label_by_bures_program

        source, target = problem.source.flatten(2), problem.target.flatten(2)
        labels, target_labels = embed_labels(source, target)
        functional = OTDD(target, target_labels.mean, target_labels.cov, epsilon=self.epsilon)
        step = OTDDStep(functional, lr=self.lr, weight_decay=self.weight_decay)
        state = step.start(source, *labels.per_sample(source.shape[1]))
        flow = iterate(
            step,
            state,
            steps=self.steps,
            checkpoint=context.checkpoint,
            progress=context.progress,
            lr=self.lr,
        )
        given = label_by_bures_program(
            state["mean"], state["cov"], target_labels.mean, target_labels.cov
        )
        return Outcome(
            images=state["x"].clamp(0, 1).reshape(-1, *problem.image_shape),
            labels=given.flatten(),
            losses=flow.losses,
            seconds=flow.seconds,
            training_samples=given.numel() + target.shape[0] * target.shape[1],
            metrics={
                name: float(state[name])
                for name in ("sinkhorn_error", "sinkhorn_failures", "raised")
            },
        )
