"""The debiased Sinkhorn divergence between classes, through GeomLoss."""

from collections.abc import Sequence

import torch
from geomloss import SamplesLoss
from torch import Tensor

from wowbench.geometry.validation import check_classes, check_positive, check_same_space

ANNEALING = 0.9
"""Ratio of successive blurs: GeomLoss's own advice where accuracy matters."""


def sinkhorn_divergence(
    x: Tensor | Sequence[Tensor], y: Tensor | Sequence[Tensor], *, blur: float = 0.05
) -> Tensor:
    """Debiased Sinkhorn divergences between all classes of `x` and all classes of `y`.

    Parameters
    ----------
    x, y : Tensor or sequence of Tensor
        Classes of particles, `(C, n, d)` and `(C', m, d)`, or lists of tensors `(n_c, d)`.
    blur : float, default 0.05
        Length, in units of `x`, under which detail is blurred: the regularisation of the cost
        `|x - y|^2` is `2 * blur**2`.

    Returns
    -------
    Tensor
        Divergences `(C, C')` on the scale of squared distances: they tend to W_2^2 as `blur`
        tends to 0. Differentiable in `x` and `y`, by the gradient at the fixed point that the
        iterations approach.

    Raises
    ------
    ValueError
        For classes of the wrong shape, dtype, device or value, or a blur that is not positive.

    Notes
    -----
    Feydy et al., *Interpolating between optimal transport and MMD using Sinkhorn divergences*,
    2019. GeomLoss's cost is half the squared distance, so that its value is doubled here. Each
    pair is annealed from its own diameter: its value depends on no other class.
    """
    x, y = check_classes("x", x), check_classes("y", y)
    check_same_space("x", x, "y", y)
    blur = check_positive("blur", blur)
    pairs = [(mine, other) for mine in x for other in y]
    # All of them at a time, as the host waits for the device to know one.
    diameters = torch.stack([_diameter(*pair) for pair in pairs]).tolist()
    halves = [_half_divergence(*pair, blur, d) for pair, d in zip(pairs, diameters, strict=True)]
    return 2 * torch.stack(halves).view(len(x), len(y))


def matched_sinkhorn_divergences(
    x: Tensor, y: Tensor, *, blur: float = 0.05, annealing: float = ANNEALING
) -> Tensor:
    """Debiased Sinkhorn divergences between class c of `x` and class c of `y`, at once.

    Parameters
    ----------
    x, y : Tensor
        Classes of particles, `(C, n, d)` and `(C, m, d)`. Values are not checked.
    blur : float, default 0.05
        As of `sinkhorn_divergence`.
    annealing : float, default 0.9
        Ratio of successive blurs: the nearer 1, the closer to the fixed point.

    Returns
    -------
    Tensor
        Divergences `(C,)`, as those of `sinkhorn_divergence` but annealed from one diameter, the
        largest of all pairs.
    """
    return 2 * _half_divergence(x, y, blur, _diameter(x, y).max().item(), annealing)


def _diameter(x: Tensor, y: Tensor) -> Tensor:
    """Length of the diagonal of the box around two classes, 0-d; ``(C,)`` of C pairs."""
    points = torch.cat((x, y), -2).detach()
    return torch.linalg.vector_norm(points.amax(-2) - points.amin(-2), dim=-1)


def _half_divergence(
    x: Tensor, y: Tensor, blur: float, diameter: float, annealing: float = ANNEALING
) -> Tensor:
    """Divergence of one pair of classes, or ``(C,)`` of C pairs side by side."""
    loss = SamplesLoss(
        "sinkhorn",
        p=2,
        blur=blur,
        scaling=annealing,
        diameter=max(diameter, blur),
        backend="tensorized",
    )
    return loss(x, y)
