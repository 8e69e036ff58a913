"""Tensors that depend on sizes alone: made once, and kept as long as a captured step reads them.

Each thread makes its own, since its stream on a GPU does not wait for that of another one.
"""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache, wraps
from threading import local
from typing import Any, TypeVar

Made = TypeVar("Made")
Held = dict[tuple[Hashable, ...], Any]

_held: ContextVar[Held | None] = ContextVar("held", default=None)


def constant(maxsize: int) -> Callable[[Callable[..., Made]], Callable[..., Made]]:
    """Remember the last results of a function of hashable arguments, and hold them where asked to.

    Results are remembered by the thread that they are made in.

    Parameters
    ----------
    maxsize : int
        Results that a thread remembers. The oldest one goes, but for what `hold_constants` holds.
    """

    def decorate(make: Callable[..., Made]) -> Callable[..., Made]:
        of_thread = local()

        @wraps(make)
        def look_up(*arguments: Hashable) -> Made:
            if not hasattr(of_thread, "remembered"):
                of_thread.remembered = lru_cache(maxsize)(make)
            remembered, held = of_thread.remembered, _held.get()
            if held is None:
                return remembered(*arguments)
            key = (make, *arguments)
            if key not in held:
                held[key] = remembered(*arguments)
            return held[key]

        return look_up

    return decorate


@contextmanager
def hold_constants() -> Iterator[Held]:
    """Hold every constant that the body reads.

    A CUDA graph reads the memory that a tensor had when it was captured. A constant that goes
    from the cache would leave that memory to other tensors.

    Yields
    ------
    dict
        The constants, to be kept as long as they may be read.
    """
    token = _held.set({})
    try:
        yield _held.get()
    finally:
        _held.reset(token)
