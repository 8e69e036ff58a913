"""Mathematics on tensors: Wasserstein, sliced Wasserstein and WoW geometry."""

from wowbench.geometry.directions import sample_directions
from wowbench.geometry.sliced import sliced_wasserstein_squared

__all__ = ["sample_directions", "sliced_wasserstein_squared"]
