"""Checkpoints of a flow, from which it resumes to the same bits."""

import json
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from wowbench.files import atomic_path
from wowbench.tensorfile import content_digest

logger = logging.getLogger(__name__)

HEADER, CHECKSUM = "flow", "sha256"
"""Where the metadata of a file holds what is no tensor, as JSON, and the checksum of all."""


class Checkpoint:
    """Where and how often a flow saves itself.

    The file holds tensors alone (safetensors), with a checksum of all that it says, and is
    replaced atomically, so that a crash leaves the previous one whole. What is found in its place
    and cannot be used, and a save that fails, cost time and no result: each is one warning.

    A complete flow saves itself too. Whoever made the checkpoint removes it, once what the flow
    was for is written.

    Parameters
    ----------
    path : path-like
        File of the checkpoint; its folder is made where it is missing.
    fingerprint : str
        Names everything that the flow's result depends on. A file with another fingerprint is
        not resumed from.
    every_seconds : float
        Shortest time between two saves; 0 for a save after every step.
    """

    def __init__(self, path: str | os.PathLike, fingerprint: str, every_seconds: float = 60.0):
        if not every_seconds >= 0:
            raise ValueError(f"every_seconds is {every_seconds!r}; expected a number >= 0")
        self.path = Path(path)
        self.fingerprint = fingerprint
        self.every_seconds = every_seconds
        self._last = time.monotonic()

    def is_due(self) -> bool:
        """Whether `every_seconds` have passed since the last save, or since one failed."""
        return time.monotonic() - self._last >= self.every_seconds

    def save(self, tensors: dict[str, Tensor], step: int, seconds: float) -> None:
        """Replace the file, or warn that it cannot be.

        Parameters
        ----------
        tensors : dict of str to Tensor
            What the flow needs to go on.
        step : int
            Steps done.
        seconds : float
            Time spent on them.
        """
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        header = json.dumps({"fingerprint": self.fingerprint, "step": step, "seconds": seconds})
        metadata = {HEADER: header, CHECKSUM: content_digest(tensors, header)}
        try:
            with atomic_path(self.path) as partial:
                save_file(tensors, partial, metadata=metadata)
        except (OSError, SafetensorError) as error:
            logger.warning(
                "the checkpoint %s cannot be saved after step %d (%s); the flow goes on",
                self.path,
                step,
                _one_line(error),
            )
        self._last = time.monotonic()

    def load(
        self, check: Callable[[dict[str, Tensor], int], None] | None = None
    ) -> tuple[dict[str, Tensor], int, float] | None:
        """Read the file, if there is one to go on from.

        Parameters
        ----------
        check : callable, optional
            ``check(tensors, step)`` raises a `ValueError` if the flow cannot go on from them.

        Returns
        -------
        tuple or None
            Tensors (on the CPU), steps done and seconds. None where there is no file, and with a
            warning where it is another flow's, altered, or no checkpoint at all.
        """
        self._last = time.monotonic()
        if not os.path.lexists(self.path):
            return None
        try:
            tensors, header = self._read()
            if header["fingerprint"] != self.fingerprint:
                raise _UnusableError(
                    f"is the checkpoint of another flow (fingerprint {header['fingerprint']}, "
                    f"not {self.fingerprint})"
                )
            step, seconds = int(header["step"]), float(header["seconds"])
            if check is not None:
                check(tensors, step)
        except _UnusableError as error:
            logger.warning("%s %s; starting from step 0", self.path, error)
            return None
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            logger.warning(
                "%s is not a checkpoint of this flow (%s); starting from step 0",
                self.path,
                _one_line(error),
            )
            return None
        logger.info("resuming from step %d of %s", step, self.path)
        return tensors, step, seconds

    def remove(self) -> None:
        """Delete the file, or warn that it stays; none is no error, and another flow's stays."""
        try:
            if not self._is_of_another_flow():
                self.path.unlink(missing_ok=True)
        except OSError as error:
            logger.warning("the checkpoint %s stays (%s)", self.path, _one_line(error))

    def _is_of_another_flow(self) -> bool:
        """Whether another flow may still go on from the file: a process left behind, say."""
        try:
            with safe_open(self.path, framework="pt") as file:
                return json.loads(file.metadata()[HEADER])["fingerprint"] != self.fingerprint
        except (OSError, SafetensorError, KeyError, TypeError, ValueError):
            return False

    def _read(self) -> tuple[dict[str, Tensor], dict]:
        """Return tensors and header, once the checksum is seen to be theirs."""
        if not self.path.is_file():
            raise OSError("not a file")
        with safe_open(self.path, framework="pt") as file:
            metadata = file.metadata()
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if content_digest(tensors, metadata[HEADER]) != metadata[CHECKSUM]:
            raise _UnusableError("is a checkpoint whose contents have changed since it was written")
        return tensors, json.loads(metadata[HEADER])


class _UnusableError(Exception):
    """A checkpoint that is one, and not to be resumed from: what it is instead."""


def _one_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
