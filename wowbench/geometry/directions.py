"""Random directions on the unit sphere."""

import torch
from torch import Tensor

from wowbench.errors import closest
from wowbench.geometry.constants import constant

KINDS = ("gaussian", "orthogonal", "frame")

FACTORISED = 256
"""Dimensions up to which a block of a "frame" is factorised: 2 ms, and exactly uniform."""


def sample_directions(
    n_directions: int,
    dim: int,
    *,
    kind: str = "gaussian",
    generator: torch.Generator | None = None,
    device: torch.device | str | None = None,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Draw unit vectors, each uniform on the sphere of R^dim.

    Parameters
    ----------
    n_directions : int
        Number of directions L.
    dim : int
        Dimension d of the space.
    kind : {"gaussian", "orthogonal", "frame"}
        "gaussian": independent normalised Gaussian vectors, as in the paper. "orthogonal": blocks
        of at most d mutually orthogonal directions, which estimate the same integral over the
        sphere with a lower variance: that of d of them is exact for quadratic forms. "frame": the
        same, but in more than 256 dimensions without a factorisation, which would take longer than
        a step. A block then has random rows of one matrix, drawn once from the Haar measure, whose
        columns change places and signs at random. Its rows are uniform but for terms of order
        1 / d, which no gradient shows.
    generator : torch.Generator, optional
        Source of randomness, on `device`.
    device, dtype
        Of the result.

    Returns
    -------
    Tensor (L, d)
        Rows of norm 1.

    Raises
    ------
    ValueError
        If a size is not positive or `kind` is unknown.
    """
    if n_directions < 1 or dim < 1:
        raise ValueError(
            f"n_directions is {n_directions} and dim is {dim}; expected integers of at least 1"
        )
    if kind not in KINDS:
        raise ValueError(f"kind of directions is {kind!r}; {closest(kind, KINDS)}")
    if kind == "frame" and not _is_factorised(kind, dim):
        blocks = [dim] * (n_directions // dim) + [n_directions % dim] * (n_directions % dim > 0)
        return torch.cat([_frame(rows, dim, generator, device, dtype) for rows in blocks])
    gaussian = torch.randn(n_directions, dim, generator=generator, device=device, dtype=dtype)
    if _is_factorised(kind, dim):
        return torch.cat([_orthonormal_rows(block) for block in gaussian.split(dim)])
    return _normalise_rows(gaussian)


def _is_factorised(kind: str, dim: int) -> bool:
    """Whether directions of a kind take a factorisation."""
    return kind == "orthogonal" or (kind == "frame" and dim <= FACTORISED)


def _frame(
    rows: int,
    dim: int,
    generator: torch.Generator | None,
    device: torch.device | str | None,
    dtype: torch.dtype,
) -> Tensor:
    """Take rows of the Haar matrix, with its columns in another order and with other signs."""
    places = {"generator": generator, "device": device}
    matrix = _haar_matrix(dim, dtype, str(device or "cpu"))
    if rows < dim:
        matrix = matrix[torch.randperm(dim, **places)[:rows]]
    signs = torch.randint(2, (dim,), **places).mul_(2).sub_(1)
    return matrix[:, torch.randperm(dim, **places)] * signs


@constant(maxsize=8)
def _haar_matrix(dim: int, dtype: torch.dtype, device: str) -> Tensor:
    """One orthogonal matrix for each dimension, the same in every process."""
    gaussian = torch.randn(
        dim, dim, generator=torch.Generator().manual_seed(dim), dtype=torch.float64
    )
    return _orthonormal_rows(gaussian).to(device, dtype)


def _normalise_rows(vectors: Tensor) -> Tensor:
    norms = torch.linalg.vector_norm(vectors, dim=1, keepdim=True)
    # A float32 Gaussian is exactly 0 once in 10^7 draws: in R^1, a whole vector.
    vanished = norms == 0
    vectors[:, :1] += vanished
    return vectors.div_(norms + vanished)


def _orthonormal_rows(gaussian: Tensor) -> Tensor:
    """Orthonormalise the rows in their order, as Gram and Schmidt: Haar distributed."""
    if gaussian.is_cuda:
        return _by_cholesky(gaussian)
    q, r = torch.linalg.qr(gaussian.T)
    return (q * torch.where(r.diagonal() < 0, -1.0, 1.0).to(q.dtype)).T.contiguous()


def _by_cholesky(gaussian: Tensor) -> Tensor:
    """Do so by the Cholesky factor of the Gram matrix, which never waits for the device.

    In double precision, since the condition of the Gram matrix is that of the rows, squared.
    """
    rows = gaussian.double()
    factor, _ = torch.linalg.cholesky_ex(rows @ rows.mT)
    orthonormal = torch.linalg.solve_triangular(factor, rows, upper=False)
    return orthonormal.to(gaussian.dtype)
