"""Checks of the arguments that the numerical modules share.

Every check returns its argument in the form that the caller computes with, and raises a
`ValueError` of one line that names the argument, what was given and what is expected.
"""

import math
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from wowbench.errors import closest

WEIGHT_SUM_TOLERANCE = 1e-5
"""How far from 1 the sum of a vector of weights may be (float32 and typed decimals)."""

Classes = Tensor | list[Tensor]
"""C classes of particles: `(C, n, d)`, or C tensors `(n_c, d)` where sizes differ."""


def check_classes(
    name: str,
    x: Tensor | Sequence[Tensor],
    *,
    finite: bool = True,
    batched: bool = False,
    ragged: bool = True,
) -> Classes:
    """Check classes of particles.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    x : Tensor or sequence of Tensor
        Classes of particles, `(C, n, d)` or C tensors `(n_c, d)`; float32 or float64.
    finite : bool, default True
        Whether to check that every coordinate is finite (one pass, and a wait for the device).
    batched : bool, default False
        Whether `(B, C, n, d)` is accepted too.
    ragged : bool, default True
        Whether classes of different sizes are accepted; what is returned is a tensor otherwise.

    Returns
    -------
    Tensor or list of Tensor
        `x`; a sequence of classes of one size comes back stacked, as `(C, n, d)`.

    Raises
    ------
    ValueError
        For another type or shape, an empty axis, mixed dtypes or devices, a value not finite.
    """
    if not isinstance(x, Tensor):
        x = _check_ragged(name, x)
        if not (ragged or isinstance(x, Tensor)):
            raise ValueError(f"{name} has classes of different sizes; expected a tensor (C, n, d)")
    else:
        shapes = "(C, n, d) or (B, C, n, d)" if batched else "(C, n, d)"
        if x.dim() != 3 and not (batched and x.dim() == 4):
            raise ValueError(f"{name} has shape {tuple(x.shape)}; expected {shapes}")
        check_dtype(name, x)
        if 0 in x.shape:
            raise ValueError(f"{name} has shape {tuple(x.shape)}; expected no empty axis")
    if finite:
        check_finite(name, x)
    return x


def _check_ragged(name: str, x: Sequence[Tensor]) -> Classes:
    if not isinstance(x, list | tuple):
        raise ValueError(
            f"{name} is of type {type(x).__name__}; expected a tensor (C, n, d) "
            "or a list of tensors (n_c, d)"
        )
    if not x:
        raise ValueError(f"{name} is an empty list; expected at least one class")
    for c, points in enumerate(x):
        if not isinstance(points, Tensor):
            raise ValueError(
                f"{name}[{c}] is of type {type(points).__name__}; expected a tensor (n_c, d)"
            )
        if points.dim() != 2:
            raise ValueError(f"{name}[{c}] has shape {tuple(points.shape)}; expected (n_c, d)")
        check_dtype(f"{name}[{c}]", points)
        if 0 in points.shape:
            raise ValueError(
                f"{name}[{c}] has shape {tuple(points.shape)}; expected at least one particle "
                "and one dimension"
            )
        check_same_space(f"{name}[{c}]", points, f"{name}[0]", x[0])
    if len({len(points) for points in x}) == 1:
        return torch.stack(list(x))
    return list(x)


def check_dtype(name: str, x: Tensor) -> None:
    """Raise a `ValueError` unless a tensor is float32 or float64.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    x : Tensor
        Values of any shape.
    """
    if x.dtype not in (torch.float32, torch.float64):
        raise ValueError(f"{name} has dtype {x.dtype}; expected torch.float32 or torch.float64")


def check_finite(name: str, x: Classes) -> None:
    """Raise a `ValueError` that names the first value of `x` that is not finite.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    x : Tensor or list of Tensor
        Values of any shape.
    """
    if not isinstance(x, Tensor):
        for c, points in enumerate(x):
            check_finite(f"{name}[{c}]", points)
        return
    finite = torch.isfinite(x)
    if finite.all():
        return
    index = tuple((~finite).nonzero()[0].tolist())
    place = ", ".join(map(str, index))
    where = f"{name}[{place}]" if index else name
    raise ValueError(f"{where} is {x[index].item()}; expected finite values")


def check_same_space(x_name: str, x: Classes, y_name: str, y: Classes) -> None:
    """Raise a `ValueError` unless two sets of particles share dimension, dtype and device.

    Parameters
    ----------
    x_name, y_name : str
        Names of the arguments, for the message.
    x, y : Tensor or list of Tensor
        Particles, with the dimension d as the last axis; a list has passed `check_classes`.
    """
    x = x if isinstance(x, Tensor) else x[0]
    y = y if isinstance(y, Tensor) else y[0]
    if x.shape[-1] != y.shape[-1]:
        raise ValueError(
            f"{x_name} has dimension {x.shape[-1]}; expected {y.shape[-1]}, that of {y_name}"
        )
    check_same_kind(x_name, x, y_name, y)


def check_matched(x: Tensor, target: Tensor) -> Tensor:
    """Check particles whose classes are matched with those of a target by number.

    Parameters
    ----------
    x : Tensor (C, n, d)
        Particles; they need not be finite.
    target : Tensor (C, m, d)
        The target.

    Returns
    -------
    Tensor (C, n, d)

    Raises
    ------
    ValueError
        For shapes, dtypes or devices that do not fit, or another number of classes.
    """
    x = check_classes("x", x, finite=False, ragged=False)
    check_same_space("x", x, "target", target)
    if len(x) != len(target):
        raise ValueError(f"x has {len(x)} classes; expected {len(target)}, as the target")
    return x


def check_same_kind(x_name: str, x: Tensor, y_name: str, y: Tensor) -> None:
    """Raise a `ValueError` unless two tensors share dtype and device.

    Parameters
    ----------
    x_name, y_name : str
        Names of the arguments, for the message.
    x, y : Tensor
        Tensors of any shape.
    """
    for what, mine, other in (("dtype", x.dtype, y.dtype), ("device", x.device, y.device)):
        if mine != other:
            raise ValueError(f"{x_name} has {what} {mine}; expected {other}, that of {y_name}")


def check_weights(name: str, weights: Tensor | None, like: Classes) -> Tensor:
    """Check one weight per class.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    weights : Tensor or None
        C positive weights of sum 1; None stands for uniform weights.
    like : Tensor or list of Tensor
        The C classes, which give number, dtype and device.

    Returns
    -------
    Tensor
        Weights `(C,)` of the classes' dtype and device.

    Raises
    ------
    ValueError
        For another shape, dtype or device, or weights that are not positive or do not sum to 1.
    """
    first = like[0]
    if weights is None:
        return torch.full((len(like),), 1 / len(like), dtype=first.dtype, device=first.device)
    _check_simplex(name, weights, (len(like),), first)
    return weights


def check_particle_weights(
    name: str, weights: Tensor | Sequence[Tensor] | None, x: Classes
) -> Classes | None:
    """Check one weight per particle.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    weights : Tensor, sequence of Tensor or None
        Positive weights, of sum 1 in each class: `(C, n)` for classes `(C, n, d)`, otherwise C
        tensors `(n_c,)`. None stands for uniform weights.
    x : Tensor or list of Tensor
        The classes, as `check_classes` returns them.

    Returns
    -------
    Tensor, list of Tensor or None
        `(C, n)` where `x` is a tensor, else a list; None stays None.

    Raises
    ------
    ValueError
        As `check_weights`.
    """
    if weights is None:
        return None
    if isinstance(x, Tensor) and isinstance(weights, Tensor):
        if weights.shape != x.shape[:-1]:
            raise ValueError(
                f"{name} has shape {tuple(weights.shape)}; expected {tuple(x.shape[:-1])}, "
                "one weight per particle"
            )
    elif not isinstance(weights, list | tuple) or len(weights) != len(x):
        given = f"a list of {len(weights)}" if isinstance(weights, list | tuple) else "no list"
        raise ValueError(f"{name} is {given}; expected {len(x)} tensors (n_c,), one per class")
    for c, row in enumerate(weights):
        _check_simplex(f"{name}[{c}]", row, tuple(x[c].shape[:-1]), x[c])
    return torch.stack(list(weights)) if isinstance(x, Tensor) else list(weights)


def _check_simplex(name: str, weights: Tensor, shape: tuple[int, ...], like: Tensor) -> None:
    """Check positive weights whose sum over the last axis is 1."""
    if not isinstance(weights, Tensor):
        raise ValueError(f"{name} is of type {type(weights).__name__}; expected a tensor {shape}")
    if tuple(weights.shape) != shape:
        raise ValueError(f"{name} has shape {tuple(weights.shape)}; expected {shape}")
    for what, given, right in (
        ("dtype", weights.dtype, like.dtype),
        ("device", weights.device, like.device),
    ):
        if given != right:
            raise ValueError(f"{name} has {what} {given}; expected {right}, that of the particles")
    check_finite(name, weights)
    if not (weights > 0).all():
        index = tuple((weights <= 0).nonzero()[0].tolist())
        place = ", ".join(map(str, index))
        raise ValueError(f"{name}[{place}] is {weights[index].item():g}; expected positive weights")
    totals = weights.detach().sum(-1, dtype=torch.float64)
    worst = totals.flatten()[(totals - 1).abs().argmax()].item()
    if abs(worst - 1) > WEIGHT_SUM_TOLERANCE:
        raise ValueError(f"{name} sums to {worst:g}; expected weights of sum 1")


def check_positive(name: str, value: float) -> float:
    """Check a finite positive number, and return it as a float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name} is {value!r}; expected a positive number")
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{name} is {value:g}; expected a finite number above 0")
    return float(value)


def check_choice(name: str, value: object, choices: Iterable[str]) -> str:
    """Check that a value is one of the names that are known, and return it."""
    choices = tuple(choices)
    if value not in choices:
        raise ValueError(f"{name} is {value!r}; {closest(value, choices)}")
    return value
