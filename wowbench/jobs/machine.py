"""The device and the threads that a job computes with."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from wowbench.cards import take_card
from wowbench.errors import InputError, one_line


def resolve_device(name: str) -> str:
    """Turn "auto" into a GPU or "cpu", and make the GPU that of this process.

    Where several are visible, "auto" and "cuda" take one that no other job has, until the process
    ends, and wait for it if need be. Where a scheduler leaves one visible, it is that one.

    Parameters
    ----------
    name : str
        "auto", "cpu", "cuda", or one of several GPUs as "cuda:0".

    Returns
    -------
    str
        "cpu", "cuda" where there is one GPU, or one of several as "cuda:0".

    Raises
    ------
    InputError
        For another name, or a GPU that torch does not find.
    """
    if name == "cpu":
        return name
    import torch

    kind, _, number = name.partition(":")
    if name != "auto" and (kind != "cuda" or (":" in name and not number.isdecimal())):
        raise InputError(f"device {name!r}: expected 'auto', 'cpu', 'cuda' or 'cuda:0'")
    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if found == 0 and name == "auto":
        return "cpu"
    if found == 0:
        raise InputError(
            f"device {name!r}: torch finds no GPU here{_visible()}; expected 'cpu' or 'auto'"
        )
    if int(number or 0) >= found:
        raise InputError(
            f"device {name!r}: torch finds {_count(found)} here{_visible()}, numbered from 0"
        )
    if number:
        index = int(number)
    elif found == 1:
        return "cuda"
    else:
        index = take_card([_uuid(i) for i in range(found)])
    # Streams, graphs and generators are those of the current GPU where none is named.
    torch.cuda.set_device(index)
    return f"cuda:{index}"


def _count(found: int) -> str:
    return "1 GPU" if found == 1 else f"{found} GPUs"


def _uuid(index: int) -> str:
    import torch

    return str(torch.cuda.get_device_properties(index).uuid)


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


@contextmanager
def explain_full_memory(device: str) -> Iterator[None]:
    """Turn the error of a GPU whose memory is full into one line.

    Raises
    ------
    InputError
        If the body asks for more memory than the GPU has left.
    """
    import torch

    try:
        yield
    except torch.OutOfMemoryError as error:
        raise InputError(
            f"device {device!r}: this job does not fit in the memory of the GPU ({one_line(error)})"
        ) from None
