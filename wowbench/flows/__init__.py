"""Descent schemes that move particles, and optionally class weights."""

from wowbench.flows.checkpoint import Checkpoint
from wowbench.flows.descent import Flow, descend, explicit_step
from wowbench.flows.loop import LoopResult, iterate

__all__ = [
    "Checkpoint",
    "Flow",
    "LoopResult",
    "descend",
    "explicit_step",
    "iterate",
]
