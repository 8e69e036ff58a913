"""What flows of images share, whatever they decrease: scenarios, descent and labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import model_validator

from wowbench.evaluation.sizes import MINIMUM_SIZE, check_image_size
from wowbench.methods.base import Method, Outcome, Problem, RunContext, Snapshot
from wowbench.operations import Operations
from wowbench.parameters import Momentum, Steps, StepSize

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    Objective = Callable[[Tensor, torch.Generator], tuple[Tensor, Tensor]]


class ImageFlow(Method):
    """Base of methods that move all pixels by the explicit scheme.

    Parameters
    ----------
    augmentation : bool or list of operations
        Operations of which each step draws one, shared by moved and target images; true is all
        but "flip". The functional compares augmented images.
    authors_cutout : bool
        Whether "cutout" masks as much as the code of Bonet et al. (2025) does.
    embedding : bool
        Whether each step compares features of a randomly initialised ConvNet-3.
    lr, momentum : float
        Step size and momentum of the explicit scheme.
    steps : int
        Number of steps.
    """

    label_rule: ClassVar[str] = "WoW coupling of the classes"
    network: ClassVar[str] = "convnet"

    augmentation: Operations = ()
    authors_cutout: bool = False
    embedding: bool = False
    lr: StepSize = 1.0
    momentum: Momentum = 0.9
    steps: Steps = 5000

    @model_validator(mode="after")
    def _check_cutout(self) -> ImageFlow:
        if self.authors_cutout and "cutout" not in self.augmentation:
            raise ValueError("authors_cutout is true, and augmentation has no 'cutout'; add it")
        return self

    @classmethod
    def published_settings(cls, task: str, k: int) -> dict[str, Any]:
        """Defaults, with 20,000 steps in distillation (Table 1); the scenario selects the row."""
        settings = super().published_settings(task, k)
        for scenario in ("augmentation", "authors_cutout", "embedding"):
            del settings[scenario]
        return settings | ({"steps": 20000} if task == "distillation" else {})

    def check_sizes(self, *, image_shape: tuple[int, int, int], **others: Any) -> None:
        """Refuse images that are too small for the embedding."""
        if self.embedding:
            least = MINIMUM_SIZE[self.network]
            check_image_size("the target", image_shape, least, f"the embedding of {self.label!r}")

    def functional(self, target: Tensor) -> Objective:
        """Return what is decreased, for target features ``(C', m, D)``.

        It maps features ``(C, n, D)`` and a generator to a value and a gradient to step along. The
        target may change in place from one call to the next.
        """
        raise NotImplementedError

    def run(self, problem: Problem, context: RunContext) -> Outcome:
        """Flow the source, clip images that are in [0, 1], then label them."""
        import torch

        from wowbench.flows import descend

        source = problem.source.flatten(2)
        flow = descend(
            self.objective(problem),
            source,
            steps=self.steps,
            lr=self.lr,
            momentum=self.momentum,
            generator=torch.Generator(source.device).manual_seed(context.seed),
            snapshots=context.snapshots_before(self.steps),
            checkpoint=context.checkpoint,
            progress=context.progress,
        )

        def finish(x: Tensor) -> Snapshot:
            x = x.to(source.device)
            images = x if problem.standardised else x.clamp(0, 1)
            labels = self.label_images(images, problem)
            return Snapshot(images.reshape(-1, *problem.image_shape), labels.flatten())

        last = finish(flow.x)
        # Images that stand for the target are trained on alone, others beside it.
        beside = 0 if problem.same_classes else problem.target.shape[:2].numel()
        return Outcome(
            images=last.images,
            labels=last.labels,
            losses=flow.losses,
            seconds=flow.seconds,
            training_samples=len(last.images) + beside,
            snapshots={step: finish(x) for step, x in flow.snapshots.items()},
        )

    def objective(self, problem: Problem) -> Objective:
        """Return what a flow of the problem descends, in the scenario of this method.

        It maps images ``(C, n, d)`` and a generator to a value and a gradient to step along.
        """
        if not (self.augmentation or self.embedding or problem.batch_size):
            return self.functional(problem.target.flatten(2))
        from wowbench.augmentation import Augmentation
        from wowbench.evaluation.networks import build_network
        from wowbench.functionals.embedded import Embedded, RandomFeatures

        augmentation = features = None
        if self.augmentation:
            augmentation = Augmentation(self.augmentation, authors_cutout=self.authors_cutout)
        if self.embedding:
            network = build_network(self.network, problem.image_shape, len(problem.target))
            features = RandomFeatures(network.features.to(problem.target))
        return Embedded(
            self.functional,
            problem.target,
            batch_size=problem.batch_size,
            augmentation=augmentation,
            features=features,
        ).value_and_grad

    def label_images(self, images: Tensor, problem: Problem) -> Tensor:
        """Return the labels ``(C, n)`` of moved images ``(C, n, d)``.

        The functional does not tell which class is which, so that a class may end on a target
        class other than the one it started from.
        """
        from wowbench.labelling import label_by_wow_coupling

        return label_by_wow_coupling(images, problem.target.flatten(2))
