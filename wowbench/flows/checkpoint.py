"""Checkpoints of a flow, from which it resumes to the same bits."""

import json
import logging
import os
import time
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from wowbench.files import atomic_path

logger = logging.getLogger(__name__)


class Checkpoint:
    """Where and how often a flow saves itself.

    The file holds tensors alone (safetensors) and is replaced atomically, so that a crash leaves
    the previous one whole.

    Parameters
    ----------
    path : path-like
        File of the checkpoint; its folder is made where it is missing.
    fingerprint : str
        Names everything that the flow's result depends on. A file with another fingerprint is
        not resumed from.
    every_seconds : float
        Shortest time between two saves.
    """

    def __init__(self, path: str | os.PathLike, fingerprint: str, every_seconds: float = 60.0):
        if not every_seconds >= 0:
            raise ValueError(f"every_seconds is {every_seconds!r}; expected a number >= 0")
        self.path = Path(path)
        self.fingerprint = fingerprint
        self.every_seconds = every_seconds
        self._last = time.monotonic()

    def is_due(self) -> bool:
        """Whether `every_seconds` have passed since the last save."""
        return time.monotonic() - self._last >= self.every_seconds

    def save(self, tensors: dict[str, Tensor], step: int, seconds: float) -> None:
        """Replace the file.

        Parameters
        ----------
        tensors : dict of str to Tensor
            What the flow needs to go on.
        step : int
            Steps done.
        seconds : float
            Time spent on them.
        """
        header = {"fingerprint": self.fingerprint, "step": step, "seconds": seconds}
        with atomic_path(self.path) as partial:
            save_file(
                {name: tensor.detach().contiguous() for name, tensor in tensors.items()},
                partial,
                metadata={"flow": json.dumps(header)},
            )
        self._last = time.monotonic()

    def load(self) -> tuple[dict[str, Tensor], int, float] | None:
        """Return tensors (on the CPU), steps done and seconds, or None where none can be used."""
        self._last = time.monotonic()
        if not self.path.exists():
            return None
        try:
            with safe_open(self.path, framework="pt") as file:
                header = json.loads(file.metadata()["flow"])
                if header["fingerprint"] != self.fingerprint:
                    logger.warning(
                        "%s is the checkpoint of another flow (fingerprint %s, not %s); "
                        "starting from step 0",
                        self.path,
                        header["fingerprint"],
                        self.fingerprint,
                    )
                    return None
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (SafetensorError, KeyError, TypeError, ValueError) as error:
            logger.warning("%s is not a checkpoint (%s); starting from step 0", self.path, error)
            return None
        logger.info("resuming from step %d of %s", header["step"], self.path)
        return tensors, header["step"], header["seconds"]

    def remove(self) -> None:
        """Delete the file, once the flow is complete."""
        self.path.unlink(missing_ok=True)
