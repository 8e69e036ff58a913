"""Sorting of many short rows, and its inverse.

`torch.sort` is quick on a GPU, where it is used. On a CPU it takes longer than the products of a
whole step. NumPy's vectorised sort of integers takes a tenth of that, for keys that hold a value
in their high bits and its index in the low ones.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import torch
from torch import Tensor

SHORT_ROW = 512
"""Longest row that NumPy sorts 32-bit keys of without partitions, ten times as quick."""

KEYS_PER_BLOCK = 1 << 16
"""Keys that a thread sorts at a time: half a megabyte at most, within its cache."""


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
    if _is_plain(values):
        if values.shape[-1] <= SHORT_ROW:
            return _sort_by_short_keys(values)
        return _sort_by_long_keys(values)
    return torch.sort(values, dim=-1)


def sort_values(values: Tensor, *, overwrite: bool = False) -> Tensor:
    """Sort along the last axis, without the order: on a CPU in a third of the time.

    Parameters
    ----------
    values : Tensor (..., n)
        Rows to sort.
    overwrite : bool
        Whether the rows may be sorted where they are, which saves a copy.

    Returns
    -------
    Tensor (..., n)
        Each row in ascending order, equal to what `sort_rows` returns first.
    """
    if not _is_plain(values):
        return torch.sort(values, dim=-1).values
    stay = overwrite and (values.dim() == 2 or values.is_contiguous())
    ordered = values if stay else values.clone(memory_format=torch.contiguous_format)
    rows = (ordered if ordered.dim() == 2 else ordered.view(-1, values.shape[-1])).numpy()
    _share_blocks(lambda block: rows[block].sort(axis=-1), *rows.shape)
    return ordered


def unsort_rows(ordered: Tensor, order: Tensor) -> Tensor:
    """Undo a sort: put the entries of `ordered` back where `order` says they came from."""
    return torch.empty_like(ordered).scatter_(-1, order, ordered)


def _is_plain(values: Tensor) -> bool:
    """Whether NumPy can sort the values: float32 on a CPU, and no derivative asked for."""
    return (
        values.device.type == "cpu" and values.dtype == torch.float32 and not values.requires_grad
    )


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
    indices = np.arange(n, dtype=np.int32)

    def sort_block(block: slice) -> None:
        # A little-endian pair (index, float32) read as one float64 ascends with the float32.
        pairs = np.empty((*rows[block].shape, 2), np.float32)
        pairs.view(np.int32)[..., 0] = indices
        pairs[..., 1] = rows[block]
        pairs.view(np.float64)[..., 0].sort(axis=-1)
        ordered_rows[block] = pairs[..., 1]
        order_rows[block] = pairs.view(np.int32)[..., 0]

    _share_blocks(sort_block, len(rows), n)
    return ordered, order


def _share_blocks(work: Callable[[slice], None], n_rows: int, n: int) -> None:
    """Do work on blocks of rows of n keys, shared among torch's number of threads."""
    height = max(1, KEYS_PER_BLOCK // n)
    blocks = range(0, n_rows, height)
    starts = iter(blocks)

    def work_on_blocks() -> None:
        for start in starts:
            work(slice(start, start + height))

    threads = torch.get_num_threads()
    helpers = min(threads, len(blocks)) - 1
    others = [_pool(threads).submit(work_on_blocks) for _ in range(helpers)]
    work_on_blocks()
    for other in others:
        other.result()


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="sort_rows")
