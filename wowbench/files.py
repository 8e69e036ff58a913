"""Files that are there whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary path to write, which becomes `path` when the block ends well.

    Parameters
    ----------
    path : path-like
        Final place; its folder is made if need be. What was there before is replaced in one
        step, and stays if the block raises. The file is readable as the user's umask says,
        whoever wrote it.

    Yields
    ------
    pathlib.Path
        A path with the same suffix in a hidden folder beside `path`.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as folder:
        temporary = Path(folder) / path.name
        yield temporary
        if temporary.is_file():
            temporary.chmod(0o666 & ~_umask())  # safetensors writes files for their owner alone
        os.replace(temporary, path)


def write_text(path: str | os.PathLike, text: str) -> None:
    """Write a text file whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _umask() -> int:
    """Return the umask, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
