"""Mathematics on tensors: Wasserstein, sliced Wasserstein and WoW geometry."""

from wowbench.geometry.bures import bures_exponential, bures_wasserstein_squared
from wowbench.geometry.directions import sample_directions
from wowbench.geometry.exact import wasserstein_squared
from wowbench.geometry.hull import AffineHull
from wowbench.geometry.sliced import sliced_wasserstein_squared
from wowbench.geometry.wow import align_classes, wow_coupling, wow_distance, wow_geodesic

__all__ = [
    "AffineHull",
    "align_classes",
    "bures_exponential",
    "bures_wasserstein_squared",
    "sample_directions",
    "sliced_wasserstein_squared",
    "wasserstein_squared",
    "wow_coupling",
    "wow_distance",
    "wow_geodesic",
]
