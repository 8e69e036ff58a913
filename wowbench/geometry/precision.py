"""Products of matrices in less than single precision, where they may be."""

import torch
from torch import Tensor

from wowbench.errors import InputError
from wowbench.geometry.validation import check_choice

PRECISIONS = ("tf32", "bf16")
"""What factors may be rounded to: 10 bits of the mantissa (on a GPU alone), or 7."""


def check_precision(precision: str | None, device: torch.device) -> None:
    """Raise a `ValueError` unless products on a device can be of a precision.

    Raises
    ------
    InputError
        For TF32 elsewhere than on a GPU, where products would be in single precision.
    ValueError
        For an unknown one.
    """
    if precision is None:
        return
    check_choice("precision", precision, PRECISIONS)
    if precision == "tf32" and device.type != "cuda":
        raise InputError(
            f"precision is 'tf32' and the device is {str(device)!r}, which has no TF32; expected "
            "'bf16', none, or a GPU"
        )


def product(a: Tensor, b: Tensor, precision: str | None) -> Tensor:
    """Multiply matrices.

    Parameters
    ----------
    a, b : Tensor (..., n, m) and (..., m, l)
        Factors.
    precision : {None, "tf32", "bf16"}
        What they are rounded to: by default nothing. Sums are in single precision; those of
        "bf16" are rounded too.

    Returns
    -------
    Tensor (..., n, l)
        Of the dtype of `a`.

    Examples
    --------
    One third has 8 significant bits here:

    >>> import torch
    >>> product(torch.tensor([[1 / 3]]), torch.tensor([[1.0]]), "bf16")
    tensor([[0.3340]])
    """
    if precision == "bf16":
        return (a.bfloat16() @ b.bfloat16()).to(a.dtype)
    if precision is None:
        return a @ b
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    try:
        return a @ b
    finally:
        torch.set_float32_matmul_precision(before)
