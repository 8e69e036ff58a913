"""Sorting of many short rows, and its inverse.

`torch.sort` is quick on a GPU, where it is used. On a CPU it takes as long as the products of a
whole step; NumPy's vectorised sort of 64-bit keys, a float32 in the high half and its index in the
low half, takes a seventh of that.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import torch
from torch import Tensor

KEYS_PER_BLOCK = 1 << 16
"""Keys that a thread packs, sorts and unpacks at a time: half a megabyte, within its L2 cache."""


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
        return _sort_packed(values)
    return torch.sort(values, dim=-1)


def unsort_rows(ordered: Tensor, order: Tensor) -> Tensor:
    """Undo a sort: put the entries of `ordered` back where `order` says they came from."""
    return torch.empty_like(ordered).scatter_(-1, order, ordered)


def _sort_packed(values: Tensor) -> tuple[Tensor, Tensor]:
    n = values.shape[-1]
    ordered, order = torch.empty(values.shape), torch.empty(values.shape, dtype=torch.int64)
    rows, ordered_rows, order_rows = (t.reshape(-1, n).numpy() for t in (values, ordered, order))
    height = max(1, KEYS_PER_BLOCK // n)
    starts = iter(range(0, len(rows), height))

    def sort_blocks() -> None:
        pairs = np.empty((height, n, 2), np.float32)
        indices = np.arange(n, dtype=np.int32)
        for start in starts:
            block = slice(start, start + height)
            pair = pairs[: len(rows[block])]
            # A little-endian pair (index, float32) read as one float64 keeps the order of floats.
            pair.view(np.int32)[..., 0] = indices
            pair[..., 1] = rows[block]
            pair.view(np.float64)[..., 0].sort(axis=-1)
            ordered_rows[block] = pair[..., 1]
            order_rows[block] = pair.view(np.int32)[..., 0]

    threads = min(torch.get_num_threads(), -(-len(rows) // height))
    others = [_pool(threads - 1).submit(sort_blocks) for _ in range(threads - 1)]
    sort_blocks()
    for other in others:
        other.result()
    return ordered, order


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="sort_rows")
