import math
from functools import lru_cache

import pytest
import torch

from wowbench.functionals import SlicedMMD
from wowbench.geometry import directions, sample_directions
from wowbench.geometry.directions import KINDS
from wowbench.geometry.sliced import Slices, sample_levels
from wowbench.kernels.laplace import Laplace
from wowbench.kernels.riesz import Riesz


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("n_directions", "dim"), [(1, 1), (7, 1), (3, 2), (5, 5), (11, 4), (4, 9)])
def test_directions_have_norm_one(kind, n_directions, dim):
    directions = sample_directions(
        n_directions, dim, kind=kind, generator=seeded(), dtype=torch.float64
    )
    assert directions.shape == (n_directions, dim)
    torch.testing.assert_close(
        directions.norm(dim=1), torch.ones(n_directions, dtype=torch.float64), rtol=1e-12, atol=0
    )


@pytest.mark.parametrize("kind", KINDS)
def test_second_moment_is_that_of_the_uniform_law_on_the_sphere(kind):
    dim, n_directions = 3, 30_000
    directions = sample_directions(
        n_directions, dim, kind=kind, generator=seeded(), dtype=torch.float64
    )
    # E[theta theta^T] = I / d and E[theta] = 0, with errors of order 1 / sqrt(L).
    tolerance = 5 / math.sqrt(n_directions)
    moment = directions.T @ directions / n_directions
    assert (moment - torch.eye(dim, dtype=torch.float64) / dim).abs().max() < tolerance
    assert directions.mean(0).abs().max() < tolerance
    # E[theta_1^4] = 3 / (d (d + 2)).
    assert abs(directions[:, 0].pow(4).mean() - 3 / (dim * (dim + 2))) < tolerance


@pytest.mark.parametrize("kind", ["orthogonal", "frame"])
@pytest.mark.parametrize("dim", [4, 260])
def test_orthogonal_blocks(kind, dim):
    directions = sample_directions(
        2 * dim + 2, dim, kind=kind, generator=seeded(), dtype=torch.float64
    )
    for block in directions.split(dim):
        torch.testing.assert_close(
            block @ block.T, torch.eye(len(block), dtype=torch.float64), rtol=0, atol=1e-12
        )


@pytest.mark.parametrize("kind", ["orthogonal", "frame"])
def test_whole_frames_are_exact_for_quadratic_forms(kind):
    x = torch.arange(5.0, dtype=torch.float64)
    directions = sample_directions(10, 5, kind=kind, generator=seeded(), dtype=torch.float64)
    torch.testing.assert_close((directions @ x).square().mean(), x.square().sum() / 5)


@lru_cache
def distances(kind, n_directions, dim, p, quantiles, seed):
    """SW_p^p of all pairs and the gradient of a weighted sum of them, for 200 draws: one a row."""
    x, y = torch.randn(2, 2, 5, dim, generator=seeded(1), dtype=torch.float64)
    x[..., 4:], y[..., 4:] = x[..., 4:] / 10, y[..., 4:] / 10
    weights = torch.tensor([[0.3, 0.7], [1.1, 0.2]], dtype=torch.float64)
    generator, rows = seeded(seed), []
    for _ in range(200):
        theta = sample_directions(
            n_directions, dim, kind=kind, generator=generator, dtype=torch.float64
        )
        levels = sample_levels(theta, generator) if quantiles == "linear" else None
        ours, theirs = (Slices(points, theta, p=p, levels=levels) for points in (x, y))
        slopes = ours.gradient([(theirs, weights)])
        rows.append(torch.cat([ours.costs(theirs).flatten(), slopes.flatten()]))
    return torch.stack(rows)


@pytest.mark.parametrize("quantiles", ["exact", "linear"])
@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize(
    ("kind", "n_directions", "dim"),
    [
        ("orthogonal", 3, 4),
        ("orthogonal", 8, 4),
        ("frame", 3, 4),
        ("frame", 8, 4),
        ("frame", 8, 260),
    ],
)
def test_distances_have_the_mean_of_independent_directions(kind, n_directions, dim, p, quantiles):
    """SW_p^p, of which every kernel is a function, is without bias for few directions too."""
    ours = distances(kind, n_directions, dim, p, quantiles, seed=2)
    independent = distances("gaussian", 8, dim, p, quantiles, seed=3)
    errors = ((ours.var(0) + independent.var(0)) / 200).sqrt()
    scores = (ours.mean(0) - independent.mean(0)) / errors
    assert scores[:4].abs().max() < 4
    assert scores.square().mean() < (2.5 if dim == 4 else 1.2)


@pytest.mark.parametrize("quantiles", ["exact", "linear"])
@pytest.mark.parametrize("kernel", [Riesz(), Riesz(r=0.5), Laplace(h=0.4)], ids=str)
@pytest.mark.parametrize(("kind", "dim"), [("orthogonal", 6), ("frame", 6), ("frame", 300)])
def test_gradients_have_the_mean_of_independent_directions(kind, dim, kernel, quantiles):
    draws, n_directions = (60, 120) if dim == 6 else (12, 300)
    x, y = torch.randn(2, 2, 8, dim, generator=seeded(1), dtype=torch.float64)
    # Few pixels are lit in an image: directions are not averaged over many alike.
    x[..., 6:], y[..., 6:] = x[..., 6:] / 10, y[..., 6:] / 10
    mmd = SlicedMMD(y, kernel, quantiles=quantiles)

    def gradients(kind, generator):
        # Many at a time: the gradient of a kernel of a mean is biased for few directions.
        sets = (
            sample_directions(
                n_directions, dim, kind=kind, generator=generator, dtype=torch.float64
            )
            for _ in range(draws)
        )
        return torch.stack([mmd.evaluate(x, theta, generator=generator)[1] for theta in sets])

    ours, independent = gradients(kind, seeded(2)), gradients("gaussian", seeded(3))
    errors = ((ours.var(0) + independent.var(0)) / draws).sqrt()
    distance = (ours.mean(0) - independent.mean(0)) / errors
    # Standard normal numbers, but for the estimated errors: 100 of them, or 5,000.
    assert distance.square().mean() < (2 if dim == 6 else 1.5)
    assert ours.var(0).mean() < 1.1 * independent.var(0).mean()


@pytest.mark.parametrize(("rows", "dim"), [(1, 1), (3, 5), (99, 99), (50, 784)])
def test_rows_are_the_same_by_cholesky_as_by_qr(rows, dim):
    # On a GPU the one is taken for the other: Gram and Schmidt's orthonormalisation is unique.
    gaussian = torch.randn(rows, dim, generator=seeded())
    found = directions._by_cholesky(gaussian)
    torch.testing.assert_close(found, directions._orthonormal_rows(gaussian), rtol=0, atol=1e-3)
    torch.testing.assert_close(found @ found.T, torch.eye(rows), rtol=0, atol=1e-5)


def test_a_vanishing_gaussian_vector_gives_a_unit_vector(monkeypatch):
    monkeypatch.setattr(torch, "randn", lambda *size, **_: torch.zeros(size))
    assert sample_directions(3, 1).tolist() == [[1.0], [1.0], [1.0]]


def test_the_generator_decides():
    first, second, other = (sample_directions(4, 3, generator=seeded(s)) for s in (1, 1, 2))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_unknown_kind_names_the_closest():
    with pytest.raises(ValueError, match="kind of directions is 'orthogonl'; did you mean"):
        sample_directions(4, 3, kind="orthogonl")


@pytest.mark.parametrize(("n_directions", "dim"), [(0, 3), (3, 0), (-1, 3)])
def test_sizes_must_be_positive(n_directions, dim):
    with pytest.raises(ValueError, match=f"n_directions is {n_directions} and dim is {dim}"):
        sample_directions(n_directions, dim)
