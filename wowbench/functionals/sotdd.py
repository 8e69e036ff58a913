"""The squared s-OTDD, whose labels are random moments of classes."""

from typing import Any

import torch
from torch import Tensor

from wowbench.distances.sliced import blocks
from wowbench.distances.sotdd import moment_coefficients
from wowbench.functionals.labelled_projections import LabelledFunctional, Numbers

PROJECTIONS_PER_BLOCK = 1 << 17
"""Projections that are raised to powers at a time, which a processor's caches hold."""


class SlicedMoments(LabelledFunctional):
    r"""F(P) = s-OTDD^2(P, Q): see `wowbench.distances.sotdd.SlicedOTDD`.

    The number of a class is the mean of a polynomial of its projections,

    .. math:: \lambda = \frac{1}{n} \sum_{j=1}^n f(p_j) , \quad
        f(p) = \sum_{i=1}^k \psi_{i+1} \frac{p^{\lambda_i}}{\lambda_i!} , \qquad
        n \frac{\partial\lambda}{\partial p_j} = f'(p_j)
        = \sum_{i=1}^k \psi_{i+1} \frac{p_j^{\lambda_i - 1}}{(\lambda_i - 1)!}

    (Nguyen, Nguyen, Pham and Ho 2025).

    Parameters
    ----------
    target, distance
        As of `LabelledFunctional`.
    """

    def numbers(self, projections: Tensor, drawn: Any) -> Numbers:
        """Evaluate f and f' by Horner's scheme, in blocks of directions of like orders."""
        height = max(1, PROJECTIONS_PER_BLOCK // projections[0].numel())
        parts = zip(projections.split(height), blocks(drawn, height), strict=True)
        found = (_polynomial(p, moment_coefficients(part)) for p, part in parts)
        values, slopes = zip(*found, strict=True)
        return Numbers(projections, None, torch.cat(values), torch.cat(slopes))


def _polynomial(p: Tensor, coefficients: Tensor) -> tuple[Tensor, Tensor]:
    """Mean of f over the last axis of p ``(L', C, n)``, and f' at each."""
    coefficients = coefficients[..., None, None]
    f, slope = coefficients[-1].expand_as(p), torch.zeros_like(p)
    for coefficient in reversed(coefficients[:-1]):
        slope = slope.mul_(p).add_(f)
        f = torch.addcmul(coefficient, f, p)
    return f.mean(-1), slope
