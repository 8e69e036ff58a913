"""DM: distribution matching, the baseline of dataset distillation."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from wowbench.methods.image_flow import ImageFlow
from wowbench.registry import METHODS

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from wowbench.methods.base import Problem
    from wowbench.methods.image_flow import Objective


@METHODS.register
class DM(ImageFlow):
    """Descent of the squared distances between the mean features of synthetic and real classes.

    Zhao and Bilen (2023), with the step size and momentum of Bonet et al. (2025), Table 1. It
    steps along the plain gradient of the sum over classes, 1 / n of the WoW gradient: at equal
    step size a method that steps along the WoW gradient goes n times as far.

    Without augmentation and embedding it moves all images of a class by one vector, until their
    mean is the class mean. Images keep their classes, which it matches one by one; the code of
    Bonet et al. labels them by the WoW coupling, as those of MMDSW.

    Parameters
    ----------
    augmentation, authors_cutout, embedding, lr, momentum, steps
        As in `wowbench.methods.image_flow.ImageFlow`.
    """

    name: ClassVar[str] = "dm"
    summary: ClassVar[str] = "distribution matching: mean features of each class"
    tasks: ClassVar[frozenset[str]] = frozenset({"distillation"})
    unsupported: ClassVar[dict[str, str]] = {
        "transfer": "it matches class c with class c, and there no classes are matched beforehand"
    }
    label_rule: ClassVar[str] = "class numbers"

    def functional(self, target: Tensor) -> Objective:
        """Squared distances of class means, summed over classes, and their plain gradient."""
        from wowbench.functionals.distribution_matching import DistributionMatching

        matching = DistributionMatching(target)

        def objective(x: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
            value, grad = matching.value_and_grad(x)
            return len(x) * value, grad / x.shape[1]

        return objective

    def label_images(self, images: Tensor, problem: Problem) -> Tensor:
        """Class c is matched with class c, and keeps its number."""
        import torch

        classes = torch.arange(len(images), device=images.device)
        return classes[:, None].repeat(1, images.shape[1])
