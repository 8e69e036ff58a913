"""Sorting of many short rows, and its inverse.

`torch.sort` is quick on a GPU, where it is used. On a CPU it takes longer than the products of a
whole step. NumPy's vectorised sort of integers takes a tenth of that, for keys that hold a value
in their high bits and its index in the low ones.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import torch
from torch import Tensor

SHORT_ROW = 512
"""Longest row that NumPy sorts 32-bit keys of without partitions, ten times as quick."""

KEYS_PER_BLOCK = 1 << 16
"""Long keys that a thread sorts at a time: half a megabyte, within its cache."""


def sort_rows(values: Tensor) -> tuple[Tensor, Tensor]:
    """Sort along the last axis.

    Parameters
    ----------
    values : Tensor (..., n)
        Rows to sort.

    Returns
    -------
    ordered : Tensor (..., n)
        Each row in ascending order.
    order : Tensor (..., n), int64
        Index in its row that each entry of `ordered` came from; see `unsort_rows`.
    """
    if values.device.type == "cpu" and values.dtype == torch.float32 and not values.requires_grad:
        if values.shape[-1] <= SHORT_ROW:
            return _sort_by_short_keys(values)
        return _sort_by_long_keys(values)
    return torch.sort(values, dim=-1)


def unsort_rows(ordered: Tensor, order: Tensor) -> Tensor:
    """Undo a sort: put the entries of `ordered` back where `order` says they came from."""
    return torch.empty_like(ordered).scatter_(-1, order, ordered)


def _sort_by_short_keys(values: Tensor) -> tuple[Tensor, Tensor]:
    """Sort by 32-bit keys, then sort again the rows in which rounded values have changed places.

    A key holds the place of the value between the ends of its row, rounded down.
    """
    n = values.shape[-1]
    index_bits = (n - 1).bit_length()
    low, high = values.amin(-1, keepdim=True), values.amax(-1, keepdim=True)
    # Short of 2^31 by more than float32 rounds up.
    scale = (1 - 2.0**-20) * 2.0 ** (31 - index_bits) / (high - low).clamp_min(1e-30)
    places = (values - low).mul_(scale).to(torch.int32)
    indices = torch.arange(n, dtype=torch.int32)
    keys = torch.add(indices, places, alpha=1 << index_bits)
    keys.numpy().sort(axis=-1)
    order = keys.bitwise_and_((1 << index_bits) - 1).long()
    ordered = values.gather(-1, order)
    if n > 1:
        _repair(values, ordered, order)
    return ordered, order


def _repair(values: Tensor, ordered: Tensor, order: Tensor) -> None:
    """Sort again, in place, the rows of `ordered` that are not in order."""
    disordered = (ordered[..., 1:] - ordered[..., :-1]).amin(-1) < 0
    if disordered.any():
        ordered[disordered], order[disordered] = torch.sort(values[disordered], dim=-1)


def _sort_by_long_keys(values: Tensor) -> tuple[Tensor, Tensor]:
    """Sort by 64-bit keys, the whole float above its index, in blocks shared among threads."""
    n = values.shape[-1]
    ordered, order = torch.empty(values.shape), torch.empty(values.shape, dtype=torch.int64)
    rows, ordered_rows, order_rows = (t.reshape(-1, n).numpy() for t in (values, ordered, order))
    height = max(1, KEYS_PER_BLOCK // n)
    starts = iter(range(0, len(rows), height))

    def sort_blocks() -> None:
        indices = np.arange(n, dtype=np.int32)
        buffer = np.empty((height, n, 2), np.float32)
        for start in starts:
            block = slice(start, start + height)
            pairs = buffer[: len(rows[block])]
            # A little-endian pair (index, float32) read as one float64 ascends with the float32.
            pairs.view(np.int32)[..., 0] = indices
            pairs[..., 1] = rows[block]
            pairs.view(np.float64)[..., 0].sort(axis=-1)
            ordered_rows[block] = pairs[..., 1]
            order_rows[block] = pairs.view(np.int32)[..., 0]

    threads = torch.get_num_threads()
    others = [_pool(threads).submit(sort_blocks) for _ in range(threads - 1)]
    sort_blocks()
    for other in others:
        other.result()
    return ordered, order


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="sort_rows")
