import math

import pytest
import torch

from wowbench.geometry import sample_directions


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("kind", ["gaussian", "orthogonal"])
@pytest.mark.parametrize(("n_directions", "dim"), [(1, 1), (7, 1), (3, 2), (5, 5), (11, 4), (4, 9)])
def test_directions_have_norm_one(kind, n_directions, dim):
    directions = sample_directions(
        n_directions, dim, kind=kind, generator=seeded(), dtype=torch.float64
    )
    assert directions.shape == (n_directions, dim)
    torch.testing.assert_close(
        directions.norm(dim=1), torch.ones(n_directions, dtype=torch.float64), rtol=1e-12, atol=0
    )


@pytest.mark.parametrize("kind", ["gaussian", "orthogonal"])
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


def test_orthogonal_blocks():
    directions = sample_directions(
        10, 4, kind="orthogonal", generator=seeded(), dtype=torch.float64
    )
    for block in directions.split(4):
        torch.testing.assert_close(
            block @ block.T, torch.eye(len(block), dtype=torch.float64), rtol=0, atol=1e-12
        )


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
