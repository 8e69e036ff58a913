"""The flow of SWB1DG, a sliced distance with Busemann functions of classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from wowbench.methods.labelled_flow import LabelledFlow
from wowbench.registry import METHODS

if TYPE_CHECKING:
    from torch import Tensor

    from wowbench.functionals.base import Functional


@METHODS.register
class SWB1DGFlow(LabelledFlow):
    r"""Flow of the squared SWB1DG distance, in which particles carry a number of their class.

    Bonet, Cazelles, Drumetz and Courty (2025, arXiv:2510.04579), with their step size, momentum
    and label rule. Particles move by the transport of all of them on lines, and classes as
    a whole where their Busemann functions differ from those of what their particles are sent to.
    """

    name: ClassVar[str] = "swb1dg"
    summary: ClassVar[str] = "flow of SWB1DG: particles on lines, each with a number of its class"

    def functional(self, target: Tensor) -> Functional:
        """Squared distance along directions drawn at each step."""
        from wowbench.distances.swb1dg import SlicedBusemann1DGaussian
        from wowbench.functionals.swb1dg import SlicedBusemann

        return SlicedBusemann(target, SlicedBusemann1DGaussian(n_directions=self.n_directions))
