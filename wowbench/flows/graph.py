"""A whole step as one CUDA graph, launched at once."""

import logging
from dataclasses import dataclass

import torch
from torch import Tensor

from wowbench.flows.loop import Step
from wowbench.state import State

logger = logging.getLogger(__name__)

WARM_UP_STEPS = 3
"""Steps before the capture, in which libraries and caches allocate what they keep."""


@dataclass(frozen=True)
class CapturedStep:
    """The replay of a step.

    Attributes
    ----------
    graph : torch.cuda.CUDAGraph
        What the step launches.
    loss : Tensor
        Where every replay writes the loss.
    step : callable
        The step itself. It holds all that the graph reads, such as the target, whose memory would
        be given to other tensors without it.
    """

    graph: torch.cuda.CUDAGraph
    loss: Tensor
    step: Step

    def __call__(self, state: State, generator: torch.Generator | None) -> Tensor:
        """Take the step, on the tensors that it was captured on."""
        self.graph.replay()
        return self.loss


def capture_step(
    step: Step, state: State, generator: torch.Generator | None
) -> tuple[Step, torch.Generator | None]:
    """Turn a step into the replay of a CUDA graph.

    Parameters
    ----------
    step : callable
        ``step(state, generator) -> loss``; it updates `state` in place, and neither it nor what
        it calls waits for the device.
    state : dict of str to Tensor
        Tensors on a CUDA device; unchanged on return.
    generator : torch.Generator, optional
        Source of randomness of the step.

    Returns
    -------
    step : callable
        A step with the same effect on these very tensors. Where the step cannot be captured,
        `step` itself, and a warning is logged; the current stream is that of before.
    generator : torch.Generator or None
        What is to be handed to it, in the state of `generator`: itself, or, after a capture that
        failed and left it unusable, a new one.
    """
    start = {name: tensor.clone() for name, tensor in state.items()}
    draws = generator.get_state() if generator is not None else None
    stream = torch.cuda.current_stream()
    graph = torch.cuda.CUDAGraph()
    replay = step
    try:
        _warm_up(step, state, generator)
        if generator is not None:
            graph.register_generator_state(generator)
        with torch.cuda.graph(graph):
            loss = step(state, generator)
        replay = CapturedStep(graph, loss, step)
    except RuntimeError as error:
        logger.warning("the step is not captured as a CUDA graph and runs slower: %s", error)
        # A capture that cannot be ended leaves its own stream behind as the current one.
        torch.cuda.set_stream(stream)

    for name, tensor in state.items():
        tensor.copy_(start[name])
    if generator is not None:
        if replay is step:
            generator = torch.Generator(generator.device)
        generator.set_state(draws)
    return replay, generator


def _warm_up(step: Step, state: State, generator: torch.Generator | None) -> None:
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(WARM_UP_STEPS):
            step(state, generator)
    torch.cuda.current_stream().wait_stream(stream)
