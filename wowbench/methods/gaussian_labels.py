"""What OTDD and the product kernel share: images that carry their class as a Gaussian."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from wowbench.errors import InputError
from wowbench.methods.base import Method, Outcome, Problem, RunContext, Snapshot
from wowbench.parameters import Steps

if TYPE_CHECKING:
    from torch import Tensor

    from wowbench.flows.loop import State, Step
    from wowbench.functionals.label_gaussians import ClassGaussians

CARRIED = ("x", "mean", "cov")
"""Names in a flow's state of images, and of the Gaussians that label them."""


class GaussianLabelMethod(Method):
    """Base of methods that move images together with a Gaussian for the label of each.

    Each image carries the Gaussian of its class in the plane of a PCA of source and target
    together (Bonet et al. 2025, Appendix D); afterwards it is labelled by that Gaussian.

    Parameters
    ----------
    squared_labels : bool
        Whether the label rule takes squared Bures-Wasserstein distances.
    steps : int
        Number of steps.
    """

    tasks: ClassVar[frozenset[str]] = frozenset({"transfer"})
    unsupported: ClassVar[dict[str, str]] = {
        "distillation": "its classes move freely, and a distilled set has fixed ones"
    }
    label_rule: ClassVar[str] = "linear program on the Bures-Wasserstein distances of the labels"

    squared_labels: bool = False
    steps: Steps = 5000

    def make_step(self, target: Tensor, labels: ClassGaussians) -> Step:
        """Return the step of the flow onto `target`, with ``start(x, mean, cov)`` for its state."""
        raise NotImplementedError

    def check_sizes(
        self, *, source_classes: int, n: int, target_classes: int, **others: Any
    ) -> None:
        """Refuse a number of images that the target's classes do not divide."""
        if source_classes * n % target_classes != 0:
            raise InputError(
                f"method {self.label!r}: {n} images of each of {source_classes} classes are "
                f"{source_classes * n}; expected a multiple of the target's {target_classes} "
                "classes, since its label rule gives each of them equally many "
                "(set `images_per_class`)"
            )

    def run(self, problem: Problem, context: RunContext) -> Outcome:
        """Flow the source, clip images that are in [0, 1], and label by the carried Gaussians."""
        import torch

        from wowbench.flows import iterate
        from wowbench.functionals.label_gaussians import embed_labels
        from wowbench.labelling import label_by_bures_program

        self.check_sizes(**problem.sizes)
        source, target = problem.source.flatten(2), problem.target.flatten(2)
        labels, target_labels = embed_labels(source, target)
        step = self.make_step(target, target_labels)
        state = step.start(source, *labels.per_sample(source.shape[1]))
        flow = iterate(
            step,
            state,
            steps=self.steps,
            generator=torch.Generator(source.device).manual_seed(context.seed),
            snapshots=context.snapshots_before(self.steps),
            keep=CARRIED,
            checkpoint=context.checkpoint,
            progress=context.progress,
            lr=getattr(self, "lr", None),
        )

        def finish(carried: State) -> Snapshot:
            x, mean, cov = (carried[name].to(source.device) for name in CARRIED)
            images = x if problem.standardised else x.clamp(0, 1)
            given = label_by_bures_program(
                mean,
                cov,
                target_labels.mean,
                target_labels.cov,
                squared=self.squared_labels,
            )
            return Snapshot(images.reshape(-1, *problem.image_shape), given.flatten())

        last = finish(state)
        return Outcome(
            images=last.images,
            labels=last.labels,
            losses=flow.losses,
            seconds=flow.seconds,
            training_samples=len(last.images) + target.shape[:2].numel(),
            metrics={name: float(state[name]) for name in self.metrics},
            snapshots={at: finish(carried) for at, carried in flow.snapshots.items()},
        )
