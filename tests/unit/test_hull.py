"""The affine hull, and distances within it, against projections and the whole space."""

import math

import pytest
import torch

from wowbench.functionals import SlicedMMD
from wowbench.geometry import AffineHull, sample_directions, sliced_wasserstein_squared
from wowbench.geometry.hull import shrinkage
from wowbench.kernels.gaussian import Gaussian
from wowbench.kernels.imq import InverseMultiquadric
from wowbench.kernels.laplace import Laplace
from wowbench.kernels.riesz import Riesz

KERNELS = [Riesz(r=1.0), Riesz(r=0.5), Gaussian(h=0.3), Laplace(h=0.4), InverseMultiquadric(h=0.2)]


def normal(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def spread(points, dim, seed=5):
    """Points (..., s) put into a random affine subspace of R^dim."""
    axes = torch.linalg.qr(normal(dim, points.shape[-1], seed=seed))[0]
    return points @ axes.T + normal(dim, seed=seed + 1)


@pytest.mark.parametrize(
    ("n", "ambient", "expected"), [(4, 9, 3), (12, 9, 9), (2, 9, 1), (1, 9, 1)]
)
def test_points_in_general_position_span_what_they_can(n, ambient, expected):
    hull = AffineHull.of(normal(n, ambient))
    assert hull.dim == expected
    torch.testing.assert_close(hull.basis @ hull.basis.T, torch.eye(expected, dtype=torch.float64))


def test_equal_points_have_a_hull_too():
    points = torch.ones(3, 4, dtype=torch.float64)
    hull = AffineHull.of(points)
    assert hull.dim == 1
    torch.testing.assert_close(hull.leave(hull.enter(points)), points)


def test_points_of_the_hull_stay_and_others_go_to_their_nearest():
    points, others = spread(normal(7, 3), 8), normal(5, 8, seed=2)
    hull = AffineHull.of(points)
    assert hull.dim == 3
    torch.testing.assert_close(hull.leave(hull.enter(points)), points)
    residual = others - hull.leave(hull.enter(others))
    torch.testing.assert_close(
        residual @ (points - points[0]).T,
        torch.zeros(5, 7, dtype=torch.float64),
        atol=1e-12,
        rtol=0,
    )


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize(("dim", "ambient"), [(1, 3), (2, 5), (4, 30)])
def test_shrinkage_is_the_moment_of_the_part_of_a_direction(p, dim, ambient):
    generator = torch.Generator().manual_seed(0)
    theta = sample_directions(40_000, ambient, generator=generator, dtype=torch.float64)
    lengths = theta[:, :dim].norm(dim=1) ** p
    error = 5 * lengths.std().item() / math.sqrt(len(lengths))
    assert shrinkage(dim, ambient, p) == pytest.approx(lengths.mean().item(), abs=error)


def test_shrinkage_has_its_closed_forms():
    # |cos| of a uniform direction of R^3 is uniform on [0, 1].
    assert shrinkage(1, 3, p=1) == pytest.approx(1 / 2)
    assert shrinkage(1, 2, p=1) == pytest.approx(2 / math.pi)
    assert shrinkage(7, 7, p=1) == shrinkage(7, 7, p=2) == 1


def test_distances_in_the_hull_are_those_of_the_whole_space():
    points, dim = normal(4, 6, 2), 9
    x, y = spread(points, dim).split(2)
    hull = AffineHull.of(torch.cat([x, y]).flatten(0, 1))
    generator = torch.Generator().manual_seed(0)
    theta = sample_directions(100_000, dim, generator=generator, dtype=torch.float64)
    inside = sample_directions(100_000, 2, generator=generator, dtype=torch.float64)
    for p in (1, 2):
        whole = sliced_wasserstein_squared(x, y, theta, p=p)
        coordinates = sliced_wasserstein_squared(hull.enter(x), hull.enter(y), inside, p=p)
        torch.testing.assert_close(
            shrinkage(hull.dim, dim, p) * coordinates, whole, rtol=2e-2, atol=0
        )


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
def test_value_and_gradient_in_the_hull_are_those_of_the_whole_space(kernel):
    dim = 4
    points = normal(4, 5, 1)
    x, y = spread(points, dim).split(2)
    hull = AffineHull.of(y.flatten(0, 1))
    generator = torch.Generator().manual_seed(0)
    theta = sample_directions(50_000, dim, generator=generator, dtype=torch.float64)
    value, grad = SlicedMMD(y, kernel).evaluate(x, theta)
    # On a line every direction sees the whole distance.
    inside = SlicedMMD(hull.enter(y), kernel, ambient_dim=dim)
    found, slope = inside.evaluate(hull.enter(x), torch.ones(1, 1, dtype=torch.float64))
    torch.testing.assert_close(found, value, rtol=2e-2, atol=1e-6)
    scale = grad.norm(dim=-1).max()
    assert (slope @ hull.basis - grad).norm(dim=-1).max() < 0.05 * scale


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
def test_the_gradient_in_the_hull_is_that_of_its_value(kernel):
    x, y, step = normal(2, 3, 2), normal(2, 3, 2, seed=1), 1e-6
    functional = SlicedMMD(y, kernel, ambient_dim=11)
    theta = sample_directions(7, 2, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    _, grad = functional.evaluate(x, theta)
    direction = normal(2, 3, 2, seed=2)
    ends = [functional.evaluate(x + sign * step * direction, theta)[0] for sign in (1, -1)]
    slope = (ends[0] - ends[1]) / (2 * step)
    # The WoW gradient is n C times that by the coordinates.
    torch.testing.assert_close(slope, (grad * direction).sum() / 6, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("dim", [0, 6])
def test_a_subspace_larger_than_its_space_is_refused(dim):
    with pytest.raises(ValueError, match=f"dim is {dim}; expected 1 to 5"):
        shrinkage(dim, 5, p=2)
