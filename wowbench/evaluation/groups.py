"""Networks that are trained as one, as many at a time as fit in the memory of a GPU."""

import logging
from collections.abc import Callable, Sequence
from functools import cache

import torch
from torch import Tensor, nn

from wowbench.evaluation.parallel import StepCounter

logger = logging.getLogger(__name__)

Copies = dict[int, tuple[nn.Module, ...]]
TrainTogether = Callable[
    [Sequence[nn.Module], Sequence[torch.Generator]],
    tuple[Tensor, Copies],
]


def train_in_groups(
    train: TrainTogether,
    networks: Sequence[nn.Module],
    generators: Sequence[torch.Generator],
    counter: StepCounter,
) -> tuple[Tensor, Copies]:
    """Train networks side by side, in halves where the memory is too small for all, and so on.

    What a network comes to does not depend on its group, up to rounding.

    Parameters
    ----------
    train : callable
        ``train(networks, generators) -> losses, copies``: losses `(T, steps)` and copies of the
        networks by step. It changes no network before it is done.
    networks : sequence of torch.nn.Module
        Changed to the trained ones.
    generators : sequence of torch.Generator
        The only randomness of each.
    counter : StepCounter
        Counts the steps of those that are trained.

    Returns
    -------
    losses : Tensor, shape (T, steps)
    copies : dict of int to tuple of torch.nn.Module

    Raises
    ------
    torch.OutOfMemoryError
        If one network alone is too large.
    """
    size, start, trained = len(networks), 0, []
    while start < len(networks):
        group = slice(start, start + size)
        found = _try(train, networks[group], generators[group], counter)
        if found is None:
            size = (size + 1) // 2
            torch.cuda.empty_cache()
            continue
        if size < len(networks):
            _say_once(len(networks), size)
        trained.append(found)
        start += size
    losses, copies = zip(*trained, strict=True)
    return torch.cat(losses), {
        step: tuple(network for of_group in copies for network in of_group[step])
        for step in copies[0]
    }


@cache
def _say_once(networks: int, size: int) -> None:
    logger.warning(
        "%d networks do not fit in the memory of the GPU side by side; they are trained %d at a "
        "time",
        networks,
        size,
    )


def _try(
    train: TrainTogether,
    networks: Sequence[nn.Module],
    generators: Sequence[torch.Generator],
    counter: StepCounter,
) -> tuple[Tensor, Copies] | None:
    """Train a group; where it does not fit, leave generators and counter as they were."""
    states, done = [generator.get_state() for generator in generators], counter.done
    try:
        return train(networks, generators)
    except torch.OutOfMemoryError:
        if len(networks) == 1:
            raise
        for generator, state in zip(generators, states, strict=True):
            generator.set_state(state)
        counter.go_back(done)
        return None
