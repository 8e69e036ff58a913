"""The state of data files, told from their names, sizes and dates alone."""

import hashlib
import os
import stat
from collections.abc import Iterable
from glob import iglob
from pathlib import Path

DOWNLOADED = 315_532_800
"""Date that downloaded files get (1980-01-01): they count for a listing as if still absent."""


def listing_digest(root: Path, patterns: Iterable[str]) -> str:
    """Digest of the names, sizes and dates of files below a folder.

    Parameters
    ----------
    root : Path
        The folder; it may be absent.
    patterns : iterable of str
        Which files and folders, as for `glob.glob`. Those that are dated `DOWNLOADED` are left out,
        so that a download does not change the digest.

    Returns
    -------
    str
        16 hexadecimal digits; empty where there is nothing to list.
    """
    lines = []
    for name in sorted({name for pattern in patterns for name in iglob(pattern, root_dir=root)}):
        try:
            state = os.stat(root / name)
        except OSError:  # a broken link
            continue
        if not stat.S_ISREG(state.st_mode):
            lines.append(name)
        elif state.st_mtime != DOWNLOADED:
            lines.append(f"{name} {state.st_size} {state.st_mtime_ns}")
    content = "\0".join(lines).encode("utf-8", "surrogateescape")
    return hashlib.sha256(content).hexdigest()[:16] if lines else ""
