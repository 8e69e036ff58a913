"""What OTDD and the product kernel share: images that carry their class as a Gaussian."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from wowbench.labelling.bures_program import BuresProgram
from wowbench.methods.flow_method import Composition, FlowMethod
from wowbench.methods.problem import Pairing, Problem

if TYPE_CHECKING:
    from torch import Tensor

    from wowbench.functionals.base import Functional
    from wowbench.functionals.label_gaussians import ClassGaussians


class GaussianLabelFlow(FlowMethod):
    """Base of methods that move images together with a Gaussian for the label of each.

    Each image carries the Gaussian of its class in the plane of a PCA of source and target
    together (Bonet et al. 2025, Appendix D); afterwards it is labelled by that Gaussian.

    Parameters
    ----------
    squared_labels : bool
        Whether the label rule takes squared Bures-Wasserstein distances in place of distances.
    """

    pairings: ClassVar[frozenset[Pairing]] = frozenset({"free"})
    unpaired: ClassVar[str] = "its classes move freely, and there each stands for a given one"

    squared_labels: bool = False

    @property
    def labeller(self) -> BuresProgram:
        """The linear program on the Gaussians that images carry."""
        return BuresProgram(squared=self.squared_labels)

    def functional(self, target: Tensor, labels: ClassGaussians) -> Functional:
        """Return what is decreased, of the parts ``x``, ``mean`` and ``cov``.

        Parameters
        ----------
        target : Tensor (C', m, d)
            Target images.
        labels : ClassGaussians
            Gaussian of each target class.
        """
        raise NotImplementedError

    def compose(self, problem: Problem) -> Composition:
        """Return the functional, for images that carry the Gaussians of their classes."""
        from wowbench.functionals.label_gaussians import embed_labels

        source, target = problem.source.flatten(2), problem.target.flatten(2)
        labels, target_labels = embed_labels(source, target)
        mean, cov = labels.per_sample(source.shape[1])
        return Composition(
            self.functional(target, target_labels),
            {"x": source, "mean": mean, "cov": cov},
            {"x": target, "mean": target_labels.mean, "cov": target_labels.cov},
        )
