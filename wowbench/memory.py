"""Memory of the C library, kept from one step to the next."""

import ctypes
import logging
from functools import cache

logger = logging.getLogger(__name__)

TRIM_THRESHOLD, MMAP_MAX = -1, -4
"""Parameters of mallopt(3)."""


@cache
def keep_freed_memory() -> bool:
    """Let glibc keep the memory that tensors free, for the rest of the process.

    By default a freed block of some megabytes goes back to the system, and the next tensor of
    that size is faulted in page by page: a third of the time of a step on a CPU.

    Returns
    -------
    bool
        Whether the C library has this setting.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        logger.debug("this C library has no mallopt; steps on the CPU run slower")
        return False
    return bool(mallopt(MMAP_MAX, 0) and mallopt(TRIM_THRESHOLD, -1))
