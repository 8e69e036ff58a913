"""A whole step as one CUDA graph, launched at once."""

import logging
import threading
from dataclasses import dataclass

import torch
from torch import Tensor

from wowbench.errors import InputError, one_line
from wowbench.flows.loop import Step
from wowbench.geometry.constants import Held, hold_constants
from wowbench.state import State

logger = logging.getLogger(__name__)

_capturing = threading.Lock()
"""Held while a step is captured: of the threads of a process, one at a time does."""

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
        The step itself. It holds what the graph reads, such as the target, whose memory would be
        given to other tensors without it.
    constants : dict
        What the graph reads of the caches of `wowbench.geometry.constants`, for the same reason.
    """

    graph: torch.cuda.CUDAGraph
    loss: Tensor
    step: Step
    constants: Held

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

    Raises
    ------
    InputError
        If the step puts another tensor in the place of one of the state, which no replay would
        read or write.
    RuntimeError
        Of the step itself, such as `torch.OutOfMemoryError`.
    """
    start = {name: tensor.clone() for name, tensor in state.items()}
    draws = generator.get_state() if generator is not None else None
    before = dict(state)
    with _capturing, hold_constants() as constants:
        side = torch.cuda.Stream()  # of this thread: torch's own for captures is shared
        _warm_up(side, step, state, generator)
        _check_in_place(before, state)
        loss, graph = _capture(side, step, state, generator)
    _check_in_place(before, state)
    replay = step if graph is None else CapturedStep(graph, loss, step, constants)

    for name, tensor in state.items():
        tensor.copy_(start[name])
    if generator is not None:
        if replay is step:
            generator = torch.Generator(generator.device)
        generator.set_state(draws)
    return replay, generator


def _warm_up(
    side: torch.cuda.Stream, step: Step, state: State, generator: torch.Generator | None
) -> None:
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(WARM_UP_STEPS):
            step(state, generator)
    torch.cuda.current_stream().wait_stream(side)


def _capture(
    side: torch.cuda.Stream, step: Step, state: State, generator: torch.Generator | None
) -> tuple[Tensor, torch.cuda.CUDAGraph] | tuple[None, None]:
    """Capture a step that has been taken; nothing, and a warning, where that fails."""
    stream = torch.cuda.current_stream()
    graph = torch.cuda.CUDAGraph()
    try:
        if generator is not None:
            graph.register_generator_state(generator)
        # What other threads do meanwhile, such as to allocate memory, is no part of it.
        with torch.cuda.graph(graph, stream=side, capture_error_mode="thread_local"):
            loss = step(state, generator)
    except RuntimeError as error:
        reason = one_line(error)
        logger.warning("the step is not captured as a CUDA graph and runs slower: %s", reason)
        # A capture that cannot be ended leaves its own stream behind as the current one.
        torch.cuda.set_stream(stream)
        return None, None
    return loss, graph


def _check_in_place(before: State, state: State) -> None:
    """Raise an `InputError` unless a state has the tensors of before, where they were."""
    for name in before.keys() | state.keys():
        old, new = before.get(name), state.get(name)
        if old is None or new is None or _place(old) != _place(new):
            raise InputError(
                f"a step puts another tensor in the place of {name!r} of the state; functionals "
                "and schemes that say that their steps can be captured update it in place"
            )


def _place(tensor: Tensor) -> tuple:
    return tensor.data_ptr(), tensor.dtype, tensor.shape, tensor.stride()
