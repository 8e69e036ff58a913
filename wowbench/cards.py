"""The GPUs of this machine: how many there are, and one for each job. It needs no torch."""

import logging
import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import IO

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0
"""Time between two looks for a GPU that is free."""

_taken: dict[str, IO] = {}
"""Open lock files of the GPUs that this process has taken, by the name of the GPU."""


@cache
def count_cards() -> int:
    """Count the GPUs that jobs on this machine may use: all, or those that the environment leaves.

    Returns
    -------
    int
        0 where there is no driver. ``CUDA_VISIBLE_DEVICES`` counts up to its first entry that is
        no GPU, as it does for CUDA.
    """
    found = sum(line.startswith("GPU ") for line in ask_driver("--list-gpus"))
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return found
    entries = [entry.strip() for entry in visible.split(",")]
    valid = [_is_card(entry, found) for entry in entries]
    return min(found, valid.index(False) if False in valid else len(valid))


def _is_card(entry: str, found: int) -> bool:
    """Whether an entry of ``CUDA_VISIBLE_DEVICES`` is a number of a GPU, or the name of one."""
    return int(entry) < found if entry.isdecimal() else entry.startswith(("GPU-", "MIG-"))


def ask_driver(*arguments: str) -> list[str]:
    """Lines that ``nvidia-smi`` answers; none where there is no driver."""
    try:
        done = subprocess.run(
            ("nvidia-smi", *arguments), capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return done.stdout.splitlines()


def take_card(names: Sequence[str]) -> int:
    """Take one of several GPUs for as long as this process lives; wait until one is free.

    Parameters
    ----------
    names : sequence of str
        What tells each GPU from all others of this machine.

    Returns
    -------
    int
        Its place in `names`: that of the one that this process has already, if any. Where files
        cannot be locked (Windows), 0.
    """
    try:
        import fcntl
    except ImportError:
        return 0
    folder = Path(tempfile.gettempdir()) / f"wowbench-gpus-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    mine = [index for index, name in enumerate(names) if name in _taken]
    waits = False
    while not mine:
        for index, name in enumerate(names):
            lock = (folder / f"{name}.lock").open("w")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.close()
                continue
            # Open until the process ends, however it ends.
            _taken[name] = lock
            return index
        if not waits:
            logger.info("all %d GPUs here are taken by other jobs; waiting for one", len(names))
        waits = True
        time.sleep(POLL_SECONDS)
    return mine[0]
