"""The flow of the double-sliced Wasserstein distance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from wowbench.distances.sliced import Directions
from wowbench.methods.labelled_flow import LabelledFlow
from wowbench.parameters import Count
from wowbench.registry import METHODS

if TYPE_CHECKING:
    from torch import Tensor

    from wowbench.functionals.base import Functional


@METHODS.register
class DSWFlow(LabelledFlow):
    r"""Flow of the squared double-sliced Wasserstein distance, which sees whole classes.

    The distance is that of Piening and Beinert (2026, arXiv:2509.22138); step size, momentum and
    label rule are those of the flows of Bonet, Cazelles, Drumetz and Courty (2025). Classes are
    matched by one number each, on every pair of a direction and a function. At the default length
    functions are nearly constant, and classes are hardly seen but by their means; with a length of
    1 they differ more.

    Parameters
    ----------
    n_functions : int
        Number of random functions for each direction.
    levels : int
        Levels at which quantile functions are interpolated.
    length : float
        Length scale of the Gaussian process, on levels from 0 to 1.
    """

    name: ClassVar[str] = "dsw"
    summary: ClassVar[str] = "flow of the double-sliced Wasserstein distance, class by class"

    n_directions: Directions = 100
    n_functions: Count = 100
    levels: Annotated[int, Field(ge=2, le=1000)] = 10
    length: Annotated[float, Field(ge=1e-3, le=1e3)] = 10.0

    def functional(self, target: Tensor) -> Functional:
        """Squared distance along directions and functions drawn at each step."""
        from wowbench.distances.dsw import DoubleSliced
        from wowbench.functionals.dsw import DoubleSlicedFunctional

        distance = DoubleSliced(
            n_directions=self.n_directions,
            n_functions=self.n_functions,
            levels=self.levels,
            length=self.length,
        )
        return DoubleSlicedFunctional(target, distance)
