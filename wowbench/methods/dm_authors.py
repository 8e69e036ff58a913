"""DM as the code of Bonet, Vauthier and Korba has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from wowbench.labelling.base import Labeller
from wowbench.labelling.class_numbers import ClassNumbers
from wowbench.labelling.wow_coupling import WoWCoupling
from wowbench.methods.dm import DM
from wowbench.methods.problem import Problem
from wowbench.registry import METHODS

if TYPE_CHECKING:
    from wowbench.functionals.base import Functional


@METHODS.register
class DMAuthors(DM):
    """Distribution matching with the labels and the random networks of Bonet et al. (2025).

    Their code draws a network, an augmentation and a batch for each class, where Zhao and Bilen
    (2023) have one network and one augmentation for all, and labels the images by the WoW coupling,
    although each class is moved towards the class of its number. With both fields as in `DM` it
    is that method.

    Parameters
    ----------
    labels : {"coupling", "class_numbers"}
        Whether a class takes the label of the target class that it is coupled with, or its own.
    network_per_class : bool
        Whether each class has a network and an augmentation of its own at each step; where there
        is neither embedding nor augmentation, it makes no difference.
    """

    name: ClassVar[str] = "dm_authors"
    summary: ClassVar[str] = "distribution matching with the paper's labels and networks"

    labels: Literal["coupling", "class_numbers"] = "coupling"
    network_per_class: bool = True

    @property
    def labeller(self) -> Labeller:
        """The rule that `labels` names."""
        return WoWCoupling() if self.labels == "coupling" else ClassNumbers()

    def check_sizes(self, **sizes: Any) -> None:
        """Refuse unlike numbers of classes, whatever the label rule."""
        super().check_sizes(**sizes)
        names = ("source_classes", "n", "target_classes")
        ClassNumbers().check(f"method {self.label!r}", **{name: sizes[name] for name in names})

    def embed(self, problem: Problem) -> Functional:
        """Return the functional of the scenario, with one for each class where that is asked."""
        from wowbench.functionals.distribution_matching import DistributionMatching
        from wowbench.functionals.embedded import Embedded
        from wowbench.functionals.wrappers import ByClass, PlainGradient

        if not (self.network_per_class and (self.augmentation or self.embedding)):
            return super().embed(problem)
        scenario = self.scenario(problem)
        by_class = [
            Embedded(DistributionMatching, of_class, batch_size=problem.batch_size, **scenario)
            for of_class in problem.target.split(1)
        ]
        return PlainGradient(ByClass(by_class))
