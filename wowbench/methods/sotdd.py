"""The flow of s-OTDD, a sliced distance with random moments of classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from wowbench.distances.sotdd import Rate
from wowbench.methods.labelled_flow import LabelledFlow
from wowbench.registry import METHODS

if TYPE_CHECKING:
    from torch import Tensor

    from wowbench.functionals.base import Functional


@METHODS.register
class SOTDDFlow(LabelledFlow):
    r"""Flow of the squared s-OTDD, in which particles carry random moments of their class.

    The distance is that of Nguyen, Nguyen, Pham and Ho (2025, arXiv:2501.18901); step size,
    momentum and label rule are those of Bonet, Cazelles, Drumetz and Courty (2025), who set its
    flow beside that of SWB1DG.

    Parameters
    ----------
    rates : tuple of float
        Rates of the Poisson distributions of the orders of the moments; 1 to 5 in the paper.
    """

    name: ClassVar[str] = "sotdd"
    summary: ClassVar[str] = "flow of s-OTDD: particles on lines, each with moments of its class"

    rates: tuple[Rate, ...] = Field((1.0, 2.0, 3.0, 4.0, 5.0), min_length=1, max_length=20)

    def functional(self, target: Tensor) -> Functional:
        """Squared distance along directions drawn at each step."""
        from wowbench.distances.sotdd import SlicedOTDD
        from wowbench.functionals.sotdd import SlicedMoments

        return SlicedMoments(target, SlicedOTDD(n_directions=self.n_directions, rates=self.rates))
