"""Progress of a long loop: a bar in a terminal, plain lines in a log."""

from __future__ import annotations

import logging
import sys

logger = logging.getLogger(__name__)

LINES = 10


class Progress:
    """Callable with (step, loss), for loops that report themselves now and then.

    Parameters
    ----------
    steps : int
        Number of steps in all.
    title : str
        What is in progress.
    """

    def __init__(self, steps: int, title: str):
        from tqdm import tqdm

        self.steps = steps
        self.title = title
        self._last_line = 0
        in_terminal = sys.stderr.isatty()
        self._bar = tqdm(total=steps, desc=title, unit="step") if in_terminal else None

    def __call__(self, step: int, loss: float) -> None:
        """Show that `step` steps are done, at the given loss."""
        if self._bar is None:
            self._write_line(step, loss)
            return
        self._bar.update(step - self._bar.n)
        self._bar.set_postfix(loss=f"{loss:.4g}", refresh=False)
        if step >= self.steps:
            self._bar.close()

    def _write_line(self, step: int, loss: float) -> None:
        line = step * LINES // self.steps
        if line > self._last_line:
            self._last_line = line
            logger.info("%s: step %d of %d, loss %.6g", self.title, step, self.steps, loss)
