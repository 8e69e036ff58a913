"""What a flow decreases: values and WoW gradients."""

from wowbench.functionals.energies import InteractionEnergy, PotentialEnergy
from wowbench.functionals.sliced_mmd import SlicedMMD

__all__ = ["InteractionEnergy", "PotentialEnergy", "SlicedMMD"]
