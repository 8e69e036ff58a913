"""The flow of sliced-Wasserstein distances of matched classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from wowbench.methods.matched_flow import MatchedFlow
from wowbench.methods.mmdsw import DirectionKind
from wowbench.parameters import Count
from wowbench.registry import METHODS

if TYPE_CHECKING:
    from torch import Tensor

    from wowbench.functionals.base import Functional


@METHODS.register
class SlicedMatchedFlow(MatchedFlow):
    r"""Flow of the mean squared sliced-Wasserstein distance of matched classes.

    .. math:: F(P) = \frac{1}{C} \sum_c SW_2^2(\mu_c, \nu_{\sigma(c)})

    with :math:`\sigma` the WoW coupling of the classes at the start: each class on its own goes the
    way of Bonneel et al. (2015). Beside MMDSW (Bonet et al. 2025) it tells what a kernel adds that
    leaves open which class goes where, and lets classes repel each other.

    Parameters
    ----------
    n_directions : int
        Number L of directions drawn anew at each step.
    directions : {"gaussian", "orthogonal", "frame"}
        Their kind: see `wowbench.geometry.sample_directions`.
    """

    name: ClassVar[str] = "sliced_matched"
    summary: ClassVar[str] = "sliced-Wasserstein flow of classes matched at the start"

    n_directions: Count = 500
    directions: DirectionKind = "gaussian"

    def functional(self, target: Tensor) -> Functional:
        """Mean SW_2^2 of class c and class c."""
        from wowbench.functionals.sliced_matched import SlicedMatched

        return SlicedMatched(target, n_directions=self.n_directions, directions=self.directions)
