"""What a flow decreases: values and WoW gradients."""

from wowbench.functionals.base import Functional, ParticleFunctional
from wowbench.functionals.schedule import CountSchedule
from wowbench.functionals.sliced_mmd import SlicedMMD

__all__ = ["CountSchedule", "Functional", "ParticleFunctional", "SlicedMMD"]
