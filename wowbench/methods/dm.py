"""DM: distribution matching, the baseline of dataset distillation."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from wowbench.labelling.class_numbers import ClassNumbers
from wowbench.methods.image_flow import ImageFlow
from wowbench.methods.problem import Pairing
from wowbench.registry import METHODS

if TYPE_CHECKING:
    from torch import Tensor

    from wowbench.functionals.base import Functional


@METHODS.register
class DM(ImageFlow):
    """Descent of the squared distances between the mean features of synthetic and real classes.

    Zhao and Bilen (2023), with the step size and momentum of Bonet et al. (2025), Table 1. It
    steps along the plain gradient of the sum over classes, 1 / n of the WoW gradient: at equal
    step size a method that steps along the WoW gradient goes n times as far.

    Without augmentation and embedding it moves all images of a class by one vector, until their
    mean is the class mean. Images keep their classes, which it matches one by one; the code of
    Bonet et al. labels them by the WoW coupling, as those of MMDSW.
    """

    name: ClassVar[str] = "dm"
    summary: ClassVar[str] = "distribution matching: mean features of each class"
    pairings: ClassVar[frozenset[Pairing]] = frozenset({"by_number"})
    unpaired: ClassVar[str] = "it matches class c with class c, and there no classes are matched"

    @property
    def labeller(self) -> ClassNumbers:
        """Class c is matched with class c, and keeps its number."""
        return ClassNumbers()

    def functional(self, target: Tensor) -> Functional:
        """Squared distances of class means, summed over classes, and their plain gradient."""
        from wowbench.functionals.distribution_matching import DistributionMatching
        from wowbench.functionals.wrappers import PlainGradient

        return PlainGradient(DistributionMatching(target))
