"""Bures-Wasserstein geometry: the 2-Wasserstein distance between Gaussians.

Between Gaussians the squared distance is `|m - m'|^2 + B^2(A, B)` with
`B^2(A, B) = tr A + tr B - 2 tr (A^(1/2) B A^(1/2))^(1/2)` (Bhatia, Jain and Lim, *On the
Bures-Wasserstein distance between positive definite matrices*, 2019).
"""

import torch
from torch import Tensor

from wowbench.geometry.validation import check_dtype, check_finite, check_same_space

ROUNDING_STEPS = 1000
"""Machine epsilons, relative to the largest entry, that are taken for rounding."""


def bures_wasserstein_squared(
    mean_x: Tensor, cov_x: Tensor, mean_y: Tensor, cov_y: Tensor, *, check: bool = True
) -> Tensor:
    """Squared 2-Wasserstein distances between all Gaussians of two families.

    Parameters
    ----------
    mean_x, mean_y : Tensor
        Means, `(N, d)` and `(M, d)`.
    cov_x, cov_y : Tensor
        Covariances, `(N, d, d)` and `(M, d, d)`, symmetric positive semidefinite.
    check : bool, default True
        Whether to check the values (eigenvalues of every covariance); shapes always are.

    Returns
    -------
    Tensor
        Squared distances `(N, M)`, not negative. Differentiable where covariances are positive
        definite; with respect to a covariance `A` the gradient is the symmetric `I - T`, `T` the
        linear part of the optimal map from `A`.

    Raises
    ------
    ValueError
        For wrong shapes, dtypes or devices, values that are not finite, or a covariance that is
        not symmetric or has a negative eigenvalue: its index and that eigenvalue are named.
    """
    for side, mean, cov in (("x", mean_x, cov_x), ("y", mean_y, cov_y)):
        check_gaussians(f"mean_{side}", mean, f"cov_{side}", cov, values=check)
    check_same_space("mean_x", mean_x, "mean_y", mean_y)
    # Distances, then squares: the expanded square would cancel between close means.
    shift = torch.cdist(mean_x, mean_y, compute_mode="donot_use_mm_for_euclid_dist").square()
    traces = _trace(cov_x)[:, None] + _trace(cov_y)[None, :]
    return shift + (traces - 2 * fidelity(cov_x, cov_y)).clamp_min(0)


def fidelity(a: Tensor, b: Tensor) -> Tensor:
    """Return `tr (A^(1/2) B A^(1/2))^(1/2)` of all pairs of positive semidefinite matrices.

    Parameters
    ----------
    a, b : Tensor
        Symmetric matrices, `(N, d, d)` and `(M, d, d)`. Values are not checked.

    Returns
    -------
    Tensor
        `(N, M)`; differentiable where matrices are positive definite. Elsewhere the derivatives
        leave out what would be infinite, those along the kernel of a matrix.
    """
    return _fidelity_2d(a, b) if a.shape[-1] == 2 else _Fidelity.apply(a, b)


def bures_exponential(cov: Tensor, velocity: Tensor) -> Tensor:
    """Exponential map `(I + V) S (I + V)` of covariances.

    Parameters
    ----------
    cov : Tensor
        Covariances `S`, `(..., d, d)`, symmetric positive semidefinite.
    velocity : Tensor
        Symmetric tangent vectors `V`, `(..., d, d)`: linear maps that move the Gaussian's points.

    Returns
    -------
    Tensor
        Covariances `(..., d, d)`, exactly symmetric. They are positive semidefinite for every
        `V`, and the end of a geodesic where `I + V` is positive semidefinite.

    Raises
    ------
    ValueError
        For wrong shapes, dtypes or devices.
    """
    if cov.dim() < 2 or cov.shape[-1] != cov.shape[-2]:
        raise ValueError(f"cov has shape {tuple(cov.shape)}; expected (..., d, d)")
    if velocity.shape != cov.shape:
        raise ValueError(
            f"velocity has shape {tuple(velocity.shape)}; expected {tuple(cov.shape)}, that of cov"
        )
    check_same_space("velocity", velocity, "cov", cov)
    step = velocity + torch.eye(cov.shape[-1], dtype=cov.dtype, device=cov.device)
    moved = step @ cov @ step.mT
    return (moved + moved.mT) / 2


def bures_gradient(gradient: Tensor) -> Tensor:
    """Bures-Wasserstein gradient of a function of covariances.

    Parameters
    ----------
    gradient : Tensor
        Euclidean gradients `G`, `(..., d, d)`, such that `dF = <G, dS>`.

    Returns
    -------
    Tensor
        `G + G^T`, twice the symmetric part: the tangent vector `V` with `dF = tr(V S V')` along
        `bures_exponential(S, t V')` at `t = 0`. A descent step is
        `bures_exponential(S, -lr * V)`.
    """
    return gradient + gradient.mT


def raise_eigenvalues(cov: Tensor, floor: float) -> int:
    """Raise the eigenvalues of symmetric matrices that are below `floor` to it, in place.

    Parameters
    ----------
    cov : Tensor
        Matrices `(..., d, d)`. Those that are not finite are left alone.
    floor : float
        Smallest eigenvalue afterwards.

    Returns
    -------
    int
        Number of matrices that had one below.
    """
    identity = torch.eye(cov.shape[-1], dtype=cov.dtype, device=cov.device)
    _, info = torch.linalg.cholesky_ex(cov - floor * identity)
    low = ((info > 0) & cov.isfinite().all(-1).all(-1)).nonzero(as_tuple=True)
    if low[0].numel():
        values, vectors = torch.linalg.eigh(cov[low])
        raised = (vectors * values.clamp_min(floor)[..., None, :]) @ vectors.mT
        cov[low] = (raised + raised.mT) / 2
    return low[0].numel()


def check_covariances(name: str, cov: Tensor) -> None:
    """Raise a `ValueError` unless matrices are finite, symmetric and positive semidefinite.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    cov : Tensor
        Matrices `(..., d, d)`. Rounding of the symmetry and of a zero eigenvalue is let pass.

    Raises
    ------
    ValueError
        It names the index of the worst matrix and its asymmetry or smallest eigenvalue.
    """
    check_dtype(name, cov)
    check_finite(name, cov)
    cov = cov.detach()
    rounding = ROUNDING_STEPS * torch.finfo(cov.dtype).eps * cov.abs().amax((-2, -1))
    asymmetry = (cov - cov.mT).abs().amax((-2, -1))
    if (asymmetry > rounding).any():
        place, worst = _worst(asymmetry - rounding, asymmetry)
        raise ValueError(f"{name}{place} is asymmetric by {worst:g}; expected a symmetric matrix")
    smallest = torch.linalg.eigvalsh((cov + cov.mT) / 2)[..., 0]
    if (smallest < -rounding).any():
        place, worst = _worst(-rounding - smallest, smallest)
        raise ValueError(
            f"{name}{place} has smallest eigenvalue {worst:g}; "
            "expected a positive semidefinite matrix"
        )


def check_positive_definite(name: str, cov: Tensor, failures: Tensor | None = None) -> None:
    """Raise a `ValueError` unless matrices are positive definite.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    cov : Tensor
        Symmetric matrices `(..., d, d)`. Values that are not finite pass: a flow reports them, as
        one that diverged.
    failures : Tensor, optional
        Which of them have no Cholesky factor, from `torch.linalg.cholesky_ex`, where that is known.

    Raises
    ------
    ValueError
        It names the index of the worst matrix and its smallest eigenvalue.
    """
    if failures is None:
        failures = torch.linalg.cholesky_ex(cov).info
    if not failures.any() or not cov.isfinite().all():
        return
    smallest = torch.linalg.eigvalsh(cov)[..., 0]
    place, worst = _worst(-smallest, smallest)
    raise ValueError(
        f"{name}{place} has smallest eigenvalue {worst:g}; expected a positive definite matrix"
    )


def check_gaussians(
    mean_name: str,
    mean: Tensor,
    cov_name: str,
    cov: Tensor,
    *,
    axes: tuple[str | int, ...] = ("N",),
    values: bool = True,
) -> None:
    """Raise a `ValueError` unless means and covariances describe Gaussians.

    Parameters
    ----------
    mean_name, cov_name : str
        Names of the arguments, for the message.
    mean, cov : Tensor
        Means `(*axes, d)` and covariances `(*axes, d, d)`.
    axes : tuple of str or int, default ("N",)
        The axes before the dimension: their names, or their sizes where these are known.
    values : bool, default True
        Whether to check that means are finite and covariances as `check_covariances` does.

    Raises
    ------
    ValueError
        For wrong shapes, dtypes or devices, and wrong values where they are checked.
    """
    fits = mean.dim() == len(axes) + 1 and all(
        isinstance(wanted, str) or found == wanted
        for found, wanted in zip(mean.shape, axes, strict=False)
    )
    if not fits or 0 in mean.shape:
        expected = f"({', '.join(map(str, (*axes, 'd')))})"
        raise ValueError(f"{mean_name} has shape {tuple(mean.shape)}; expected {expected}")
    if cov.shape != (*mean.shape, mean.shape[-1]):
        raise ValueError(
            f"{cov_name} has shape {tuple(cov.shape)}; expected "
            f"{(*mean.shape, mean.shape[-1])} for means of shape {tuple(mean.shape)}"
        )
    check_dtype(mean_name, mean)
    check_same_space(cov_name, cov, mean_name, mean)
    if values:
        check_finite(mean_name, mean)
        check_covariances(cov_name, cov)


def _worst(excess: Tensor, values: Tensor) -> tuple[str, float]:
    """Index, as it is written, and value where the excess is largest."""
    index = tuple(int(i) for i in torch.unravel_index(excess.argmax(), excess.shape))
    return "".join(f"[{i}]" for i in index), values[index].item()


def _trace(cov: Tensor) -> Tensor:
    return cov.diagonal(dim1=-2, dim2=-1).sum(-1)


def _fidelity_2d(a: Tensor, b: Tensor) -> Tensor:
    """`tr (A^(1/2) B A^(1/2))^(1/2)` of all pairs of 2 x 2 matrices, `(N, M)`.

    The two eigenvalues s, t of the root have `s t = sqrt(det A det B)` and
    `s^2 + t^2 = tr(A B)`.
    """
    # A determinant that rounding has made negative is that of a singular matrix.
    det_a, det_b = (
        (m[:, 0, 0] * m[:, 1, 1] - m[:, 0, 1] * m[:, 1, 0]).clamp_min(0) for m in (a, b)
    )
    product = a.flatten(1) @ b.mT.flatten(1).T
    return (product + 2 * (det_a.sqrt()[:, None] * det_b.sqrt()[None, :])).clamp_min(0).sqrt()


class _Fidelity(torch.autograd.Function):
    """As `_fidelity_2d` in any dimension: the sum of the singular values of `A^(1/2) B^(1/2)`.

    Its gradient is written out because that of an eigendecomposition is undefined where
    eigenvalues are equal, as for `A = I`.
    """

    @staticmethod
    def forward(ctx, a: Tensor, b: Tensor) -> Tensor:
        root_a, root_b = _power(a, 0.5), _power(b, 0.5)
        u, s, vh = torch.linalg.svd(root_a[:, None] @ root_b[None, :])
        ctx.save_for_backward(a, b, u, s, vh)
        return s.sum(-1)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, Tensor | None]:
        a, b, u, s, vh = ctx.saved_tensors
        scaled = (grad[..., None] * s)[..., None, :]
        grad_a = grad_b = None
        if ctx.needs_input_grad[0]:
            inverse = _power(a, -0.5)
            grad_a = inverse @ ((u * scaled) @ u.mT).sum(1) @ inverse / 2
        if ctx.needs_input_grad[1]:
            inverse = _power(b, -0.5)
            grad_b = inverse @ ((vh.mT * scaled) @ vh).sum(0) @ inverse / 2
        return grad_a, grad_b


def _power(cov: Tensor, exponent: float) -> Tensor:
    """Power of symmetric positive semidefinite matrices, off their kernel."""
    values, vectors = torch.linalg.eigh(cov)
    kernel = values <= torch.finfo(cov.dtype).eps * values[..., -1:]
    powers = torch.where(kernel, 0, values.masked_fill(kernel, 1).pow(exponent))
    return (vectors * powers[..., None, :]) @ vectors.mT
