"""Sorting of many short rows, and its inverse."""

import torch
from torch import Tensor


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
    order : Tensor (..., n)
        Where each entry of `ordered` came from; for `unsort_rows` and `take_rows`.
    """
    return torch.sort(values, dim=-1)


def unsort_rows(ordered: Tensor, order: Tensor) -> Tensor:
    """Undo a sort: put the entries of `ordered` back where `order` says they came from."""
    return torch.empty_like(ordered).scatter_(-1, order, ordered)
