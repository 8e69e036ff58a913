"""Seeds derived from one root seed and the names of the axes they belong to."""

import hashlib
import json


def derive_seed(root: int, *names: str | int) -> int:
    """Derive a seed that is independent of every other one.

    Parameters
    ----------
    root : int
        Root seed of the run.
    *names : str or int
        What the seed is for, for example ``("shots", "FashionMNIST", 0)``.

    Returns
    -------
    int
        In ``[0, 2**63)``, the same on every platform.
    """
    text = json.dumps([root, *names], separators=(",", ":"))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
