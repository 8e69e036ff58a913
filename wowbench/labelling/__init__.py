"""Rules that give flowed particles the labels of the target's classes, one file each."""

from wowbench.labelling.bures_program import label_by_bures_program
from wowbench.labelling.nearest import label_by_nearest
from wowbench.labelling.wow_coupling import label_by_wow_coupling

__all__ = ["label_by_bures_program", "label_by_nearest", "label_by_wow_coupling"]
