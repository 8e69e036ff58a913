"""Random directions on the unit sphere."""

import torch
from torch import Tensor

from wowbench.errors import closest

KINDS = ("gaussian", "orthogonal")


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
    kind : {"gaussian", "orthogonal"}
        "gaussian": independent normalised Gaussian vectors, as in the paper. "orthogonal": blocks
        of at most d mutually orthogonal directions, which estimate the same integral over the
        sphere with a lower variance.
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
    gaussian = torch.randn(n_directions, dim, generator=generator, device=device, dtype=dtype)
    if kind == "orthogonal":
        return torch.cat([_orthonormal_rows(block) for block in gaussian.split(dim)])
    return _normalise_rows(gaussian)


def _normalise_rows(vectors: Tensor) -> Tensor:
    norms = torch.linalg.vector_norm(vectors, dim=1, keepdim=True)
    # A float32 Gaussian is exactly 0 once in 10^7 draws: in R^1, a whole vector.
    vanished = norms == 0
    vectors[:, :1] += vanished
    return vectors.div_(norms + vanished)


def _orthonormal_rows(gaussian: Tensor) -> Tensor:
    """Orthonormalise the rows; the sign of R's diagonal makes the result Haar distributed."""
    q, r = torch.linalg.qr(gaussian.T)
    return (q * torch.where(r.diagonal() < 0, -1.0, 1.0).to(q.dtype)).T.contiguous()
