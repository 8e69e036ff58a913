"""Progress: plain lines in a log, a bar in a terminal."""

import contextlib
import os
import pty
import subprocess
import sys
import termios

CODE = """
import logging, sys
logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
from wowbench.jobs.progress import Progress
progress = Progress(40, "flow0")
for step in range(4, 41, 4):
    progress(step, 1 / step)
"""


def read_all(terminal):
    """Read what was written to a terminal; Linux ends it with an error."""
    parts = []
    with os.fdopen(terminal, "rb", buffering=0) as file, contextlib.suppress(OSError):
        while part := file.read(4096):
            parts.append(part)
    return b"".join(parts).decode()


def test_a_log_has_at_most_one_plain_line_a_tenth():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True)
    lines = done.stderr.splitlines()
    assert len(lines) == 10
    assert lines[-1] == "flow0: step 40 of 40, loss 0.025"


def test_a_terminal_has_a_bar_and_no_lines():
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24, 80))
    done = subprocess.run([sys.executable, "-c", CODE], stderr=slave)
    os.close(slave)
    shown = read_all(master)
    assert done.returncode == 0
    assert "40/40" in shown
    assert "loss=0.025" in shown
    assert "step 40 of 40" not in shown
