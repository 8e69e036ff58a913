"""The device and the threads that a job computes with."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from wowbench.errors import InputError


def resolve_device(name: str) -> str:
    """Turn "auto" into "cuda" or "cpu".

    Parameters
    ----------
    name : str
        "auto", "cpu", "cuda", or one of several GPUs as "cuda:0".

    Raises
    ------
    InputError
        For another name, or a GPU that torch does not find.
    """
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cpu":
        return name
    kind, _, number = name.partition(":")
    if kind != "cuda" or (":" in name and not number.isdecimal()):
        raise InputError(f"device {name!r}: expected 'auto', 'cpu', 'cuda' or 'cuda:0'")
    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if found == 0:
        raise InputError(
            f"device {name!r}: torch finds no GPU here{_visible()}; expected 'cpu' or 'auto'"
        )
    if int(number or 0) >= found:
        raise InputError(
            f"device {name!r}: torch finds {found} GPUs here{_visible()}, numbered from 0"
        )
    return name


def _visible() -> str:
    """Say what the environment leaves visible of the GPUs, if it has a say."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    return "" if visible is None else f" with CUDA_VISIBLE_DEVICES={visible!r}"


@contextmanager
def limit_threads(threads: int) -> Iterator[None]:
    """Compute with so many threads of torch, BLAS and OpenMP, whatever the environment says."""
    import torch
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    with threadpool_limits(threads):
        torch.set_num_threads(threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)
