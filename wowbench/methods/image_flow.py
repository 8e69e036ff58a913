"""Flows of images alone, and the scenarios in which these are compared with a target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import model_validator

from wowbench.evaluation.sizes import MINIMUM_SIZE, check_image_size
from wowbench.methods.flow_method import Composition, FlowMethod
from wowbench.methods.problem import Problem
from wowbench.operations import Operations

if TYPE_CHECKING:
    from torch import Tensor

    from wowbench.functionals.base import Functional


PUBLISHED_STEPS = {"distillation": 20000, "transfer_illustration": 2500}
"""Steps of the paper's flows where they are not the default's: Table 1, and the notebook."""


class ImageFlow(FlowMethod):
    """Base of methods that move all pixels; `functional` says what they decrease.

    Parameters
    ----------
    augmentation : bool or list of operations
        Operations of which each step draws one, shared by moved and target images; true is all
        but "flip". The functional compares augmented images.
    authors_cutout : bool
        Whether "cutout" masks as much as the code of Bonet et al. (2025) does.
    embedding : bool
        Whether each step compares features of a randomly initialised ConvNet-3.
    bfloat16 : bool
        Whether the target's features are computed in bfloat16: see
        `wowbench.functionals.embedded.RandomFeatures`. Those of moved images are not.

    Attributes
    ----------
    functional_draws : bool
        Whether `functional` draws, as directions, whatever the scenario draws beside.
    """

    network: ClassVar[str] = "convnet"
    functional_draws: ClassVar[bool] = True

    augmentation: Operations = ()
    authors_cutout: bool = False
    embedding: bool = False
    bfloat16: bool = False

    @model_validator(mode="after")
    def _check_cutout(self) -> ImageFlow:
        if self.authors_cutout and "cutout" not in self.augmentation:
            raise ValueError("authors_cutout is true, and augmentation has no 'cutout'; add it")
        return self

    @model_validator(mode="after")
    def _check_bfloat16(self) -> ImageFlow:
        if self.bfloat16 and not self.embedding:
            raise ValueError("bfloat16 is true, and embedding is not, which alone uses it; add it")
        return self

    @property
    def deterministic(self) -> bool:
        """Whether neither functional nor scenario draws; batches belong to the problem."""
        return not (self.functional_draws or self.augmentation or self.embedding)

    @classmethod
    def published_settings(cls, task: str, k: int) -> dict[str, Any]:
        """Defaults, with the task's own number of steps; the scenario selects the row."""
        settings = super().published_settings(task, k)
        for scenario in ("augmentation", "authors_cutout", "embedding"):
            del settings[scenario]
        return settings | ({"steps": PUBLISHED_STEPS[task]} if task in PUBLISHED_STEPS else {})

    def check_sizes(self, *, shape: tuple[int, ...], **others: Any) -> None:
        """Refuse images that are too small for the embedding, and what the label rule refuses."""
        super().check_sizes(**others)
        if self.embedding:
            least = MINIMUM_SIZE[self.network]
            check_image_size("the target", shape, least, f"the embedding of {self.label!r}")

    def functional(self, target: Tensor) -> Functional:
        """Return what is decreased, for target features ``(C', m, D)``.

        It moves features ``(C, n, D)``, its one part ``x``. The target may change in place from
        one step to the next.
        """
        raise NotImplementedError

    def compose(self, problem: Problem) -> Composition:
        """Return the functional of the scenario, for flat images."""
        source, target = problem.source.flatten(2), problem.target.flatten(2)
        if self.augmentation or self.embedding or problem.batch_size:
            functional = self.embed(problem)
        else:
            functional = self.functional(target)
        return Composition(functional, {"x": source}, {"x": target})

    def embed(self, problem: Problem) -> Functional:
        """Return the functional of augmented, embedded images and batches of the target."""
        from wowbench.functionals.embedded import Embedded

        return Embedded(
            self.functional,
            problem.target,
            batch_size=problem.batch_size,
            **self.scenario(problem),
        )

    def scenario(self, problem: Problem) -> dict[str, Any]:
        """Arguments ``augmentation`` and ``features`` of `Embedded`, drawn anew at each step."""
        from wowbench.augmentation import Augmentation
        from wowbench.evaluation.networks import build_network, own_random_state
        from wowbench.functionals.embedded import RandomFeatures

        augmentation = features = None
        if self.augmentation:
            augmentation = Augmentation(self.augmentation, authors_cutout=self.authors_cutout)
        if self.embedding:
            # Its initial parameters are drawn, and not used: each step draws them anew.
            with own_random_state():
                network = build_network(self.network, problem.shape, len(problem.target))
            features = RandomFeatures(network.features.to(problem.target), bfloat16=self.bfloat16)
        return {"augmentation": augmentation, "features": features}
