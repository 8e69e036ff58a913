"""The loop that moves the parts of a state, and what it saves on the way."""

from wowbench.flows.checkpoint import Checkpoint
from wowbench.flows.descent import Flow, descend
from wowbench.flows.loop import LoopResult, iterate

__all__ = [
    "Checkpoint",
    "Flow",
    "LoopResult",
    "descend",
    "iterate",
]
