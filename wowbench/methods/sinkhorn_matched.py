"""The flow of Sinkhorn divergences of matched classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from wowbench.methods.flow_method import SchemeField
from wowbench.methods.matched_flow import MatchedFlow
from wowbench.parameters import Steps
from wowbench.registry import METHODS
from wowbench.schemes.momentum import Momentum

if TYPE_CHECKING:
    from torch import Tensor

    from wowbench.functionals.base import Functional


@METHODS.register
class SinkhornMatchedFlow(MatchedFlow):
    r"""Flow of half the mean Sinkhorn divergence of matched classes.

    .. math:: F(P) = \frac{1}{2C} \sum_c S_\varepsilon(\mu_c, \nu_{\sigma(c)})

    with :math:`\sigma` the WoW coupling of the classes at the start and the debiased divergence
    of Feydy et al. (2019) on the scale of :math:`W_2^2`. As :math:`\varepsilon` tends to 0 it is
    the flow of the exact WoW distance while its coupling stays, which asks for plans between all
    pairs of classes at each step.

    Parameters
    ----------
    blur : float
        Length under which detail is blurred, in units of the particles: :math:`\varepsilon`, the
        regularisation of the cost :math:`|x - y|^2`, is twice its square.
    annealing : float
        Ratio of successive blurs, from the diameter of the classes down. At 0.9 the iterations end
        before each target particle has its share: MNIST's images end on five of each class of
        Fashion-MNIST with one in thirty on the wrong one. The nearer 1, the closer and the
        slower.
    """

    name: ClassVar[str] = "sinkhorn_matched"
    summary: ClassVar[str] = "flow of Sinkhorn divergences of classes matched at the start"
    functional_draws: ClassVar[bool] = False

    blur: Annotated[float, Field(ge=1e-6, le=1e6)] = 0.05
    annealing: Annotated[float, Field(ge=0.1, le=0.999)] = 0.9
    scheme: SchemeField = Momentum(lr=0.1, momentum=0.0)
    steps: Steps = 100

    def functional(self, target: Tensor) -> Functional:
        """Half the mean divergence of class c and class c."""
        from wowbench.functionals.sinkhorn_matched import SinkhornMatched

        return SinkhornMatched(target, blur=self.blur, annealing=self.annealing)
