"""What a flow decreases: values and WoW gradients."""

from wowbench.functionals.sliced_mmd import SlicedMMD

__all__ = ["SlicedMMD"]
