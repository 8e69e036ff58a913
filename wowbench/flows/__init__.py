"""Descent schemes that move particles, and optionally class weights."""

from wowbench.flows.checkpoint import Checkpoint
from wowbench.flows.descent import Flow, descend, explicit_step
from wowbench.flows.loop import LoopResult, iterate
from wowbench.flows.weights import WeightedSlicedMMD, descend_with_weights

__all__ = [
    "Checkpoint",
    "Flow",
    "LoopResult",
    "WeightedSlicedMMD",
    "descend",
    "descend_with_weights",
    "explicit_step",
    "iterate",
]
