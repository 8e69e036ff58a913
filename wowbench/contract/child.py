"""Calls in a process of their own."""

import pickle
import subprocess
import sys
from collections.abc import Callable

_CODE = """
import sys
sys.path[:] = {path!r}
import pickle
function, arguments = pickle.load(sys.stdin.buffer)
function(*arguments)
"""


def call_in_child(function: Callable, *arguments: object) -> tuple[int, str]:
    """Call a function in a new interpreter, which finds the same modules and has imported none.

    Parameters
    ----------
    function : callable
        Importable by its name.
    *arguments : object
        What it is called with; pickled.

    Returns
    -------
    int
        Exit status, or minus the signal that ended it.
    str
        The last line that it wrote to standard error.
    """
    done = subprocess.run(
        [sys.executable, "-c", _CODE.format(path=sys.path)],
        input=pickle.dumps((function, arguments)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    return done.returncode, lines[-1] if lines else "no message"
