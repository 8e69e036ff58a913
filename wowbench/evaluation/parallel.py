"""Several networks at a time: threads of one core each, and the count of their steps."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch

from wowbench.memory import keep_freed_memory

PROGRESS_EVERY = 50
"""Optimiser steps between two calls of `progress`."""

TrainingProgress = Callable[[int, int], None]


class StepCounter:
    """Optimiser steps done, over all threads.

    Parameters
    ----------
    progress : callable, optional
        ``progress(done, total)``, called every `PROGRESS_EVERY` steps and at the end.
    total : int
        Steps of all networks together.
    """

    def __init__(self, progress: TrainingProgress | None, total: int):
        self._progress = progress
        self._total = total
        self._done = 0
        self._lock = threading.Lock()

    def add(self, steps: int) -> None:
        """Count steps, and report them where they are due."""
        if self._progress is None:
            return
        with self._lock:
            before, self._done = self._done, self._done + steps
            due = before // PROGRESS_EVERY != self._done // PROGRESS_EVERY
            if due or self._done == self._total:
                self._progress(self._done, self._total)

    @property
    def done(self) -> int:
        """Optimiser steps counted."""
        return self._done

    def go_back(self, done: int) -> None:
        """Forget the steps after the first `done`, which are taken again."""
        self._done = done


def map_networks(task: Callable, *arguments: Sequence, device: torch.device) -> list:
    """Apply `task` to each network, and to what else goes with it.

    Parameters
    ----------
    task : callable
        Called once a network, with one item of each of `arguments`.
    *arguments : sequence
        Of equal length.
    device : torch.device
        Where the networks are. On a CPU as many run at a time as torch has threads, in a thread
        of one core each; elsewhere they run one after the other.

    Returns
    -------
    list
        What `task` returned, in the order of the arguments.
    """
    threads = torch.get_num_threads()
    if device.type == "cpu":
        keep_freed_memory()
    if device.type != "cpu" or threads == 1:
        return [task(*each) for each in zip(*arguments, strict=True)]
    try:
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            return list(pool.map(task, *arguments))
    finally:
        torch.set_num_threads(threads)
