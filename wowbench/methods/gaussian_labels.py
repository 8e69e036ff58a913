"""What OTDD and the product kernel share: images that carry their class as a Gaussian."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from wowbench.errors import InputError
from wowbench.labelling.bures_program import BuresProgram
from wowbench.methods.flow_method import Composition, FlowMethod
from wowbench.methods.problem import Pairing, Problem

if TYPE_CHECKING:
    from torch import Tensor

    from wowbench.functionals.base import Functional
    from wowbench.functionals.label_gaussians import ClassGaussians


class GaussianLabelFlow(FlowMethod):
    """Base of methods that move images together with a Gaussian for the label of each.

    Each image carries the Gaussian of its class in the first dimensions of a PCA of source and
    target together (Bonet et al. 2025, Appendix D); afterwards it is labelled by that Gaussian.

    Parameters
    ----------
    squared_labels : bool
        Whether the label rule takes squared Bures-Wasserstein distances in place of distances.

    Attributes
    ----------
    definite : bool
        Whether the functional needs the source's covariances to be positive definite.
    """

    definite: ClassVar[bool] = True
    pairings: ClassVar[frozenset[Pairing]] = frozenset({"free"})
    unpaired: ClassVar[str] = "its classes move freely, and there each stands for a given one"

    squared_labels: bool = False

    @property
    def labeller(self) -> BuresProgram:
        """The linear program on the Gaussians that images carry."""
        return BuresProgram(squared=self.squared_labels)

    @property
    def label_dimension(self) -> int:
        """Number of principal components in which labels are Gaussians; 2 in the paper."""
        return 2

    def check_sizes(self, *, shape: tuple[int, ...], **sizes: Any) -> None:
        """Refuse what the label rule cannot label, and images of fewer features than labels."""
        super().check_sizes(shape=shape, **sizes)
        dim = self.label_dimension
        if math.prod(shape) < dim:
            raise InputError(
                f"method {self.label!r}: its labels are Gaussians of {dim} principal components, "
                f"and particles have {math.prod(shape)} features; expected {dim} at least"
            )
        if self.definite and 1 < sizes["n"] <= dim:
            raise InputError(
                f"method {self.label!r}: the covariance of {sizes['n']} images of a class in {dim} "
                f"dimensions is singular; expected 1 image per class, or more than {dim} (set "
                "`images_per_class`)"
            )

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
        labels, target_labels = embed_labels(source, target, self.label_dimension)
        mean, cov = labels.per_sample(source.shape[1])
        return Composition(
            self.functional(target, target_labels),
            {"x": source, "mean": mean, "cov": cov},
            {"x": target, "mean": target_labels.mean, "cov": target_labels.cov},
        )
