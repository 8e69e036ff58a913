"""Downloads that leave all files in place or none."""

import os
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

from wowbench.datasets.integrity import verify_checksum
from wowbench.datasets.listing import DOWNLOADED
from wowbench.errors import InputError

_TIMEOUT = 30.0


def download(
    label: str,
    root: Path,
    *,
    missing: Sequence[str],
    archives: Mapping[str, str],
    url: str,
    fetch: Callable[[Path], None],
    hint: str = "",
) -> None:
    """Fetch a dataset into a temporary folder, then move its files below `root`.

    Archives that are already below `root` are extracted instead of fetched. Files that are
    already there stay as they are.

    Parameters
    ----------
    label : str
        Name of the dataset.
    root : Path
        Folder that torchvision calls `root`; made if need be.
    missing : sequence of str
        Paths below `root` of the files that the dataset lacks, all in one folder.
    archives : mapping of str to str
        Path below `root` and md5 of the archives that hold these files, if any.
    url : str
        Where the files can be had by hand.
    fetch : callable
        Downloads and extracts below the folder that it is given.
    hint : str
        What else can be done, to end the message with.

    Raises
    ------
    InputError
        If an archive is altered, or if there is no network: says which files to put where.
    """
    present = [archive for archive in archives if (root / archive).is_file()]
    for archive in present:
        verify_checksum(root / archive, "md5", archives[archive])
    nearest = next(folder for folder in (root, *root.absolute().parents) if folder.exists())
    try:
        with tempfile.TemporaryDirectory(dir=nearest, prefix=f".{label}-") as folder:
            staging = Path(folder)
            for archive in present:
                (staging / archive).parent.mkdir(parents=True, exist_ok=True)
                (staging / archive).symlink_to((root / archive).resolve())
            with _socket_timeout(_TIMEOUT):
                fetch(staging)
            _move_new_files(staging, root)
    except (OSError, RuntimeError, HTTPException) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(
            f"{label}: files are missing and could not be downloaded ({reason}); "
            f"{_what_to_put_where(root, missing, archives)}; they are at {url}{hint}"
        ) from error


def _what_to_put_where(root: Path, missing: Sequence[str], archives: Mapping[str, str]) -> str:
    names = ", ".join(Path(file).name for file in missing)
    folder = (root / missing[0]).parent
    if all(f"{file}.gz" in archives for file in missing):
        return f"put {names} (or their .gz archives) into {folder}"
    extracted = "".join(f", or {archive} into {root}" for archive in archives)
    return f"put {names} into {folder}{extracted}"


def _move_new_files(source: Path, target: Path) -> None:
    for path in sorted(source.rglob("*")):
        destination = target / path.relative_to(source)
        if path.is_file() and not destination.exists():
            destination.parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, destination)
            os.utime(destination, (DOWNLOADED, DOWNLOADED))


@contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    # Where a firewall drops packets, torchvision's downloads would wait for ever.
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
