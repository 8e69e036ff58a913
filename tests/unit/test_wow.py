"""Wasserstein over Wasserstein distances, couplings and geodesics."""

import itertools
import re

import ot
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wowbench.geometry import wow
from wowbench.geometry.exact import wasserstein_squared
from wowbench.geometry.sinkhorn import sinkhorn_divergence
from wowbench.geometry.wow import (
    align_classes,
    wow_coupling,
    wow_distance,
    wow_geodesic,
    wow_map,
)

SEEDS = st.integers(0, 2**32 - 1)
GROUNDS = {
    "exact": {},
    "sinkhorn": {"blur": 0.5},
    "sliced": {"directions": torch.eye(2, dtype=torch.float64)},
}


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def simplex(n, seed=0):
    return torch.softmax(normal(n, seed=seed), 0)


def test_is_the_least_cost_of_all_assignments():
    x, y = normal(4, 5, 2), normal(4, 3, 2, seed=1)
    costs = wasserstein_squared(x, y)
    least = min(
        costs[range(4), permutation].mean() for permutation in itertools.permutations(range(4))
    )
    torch.testing.assert_close(wow_distance(x, y), least.sqrt())


def test_of_one_class_is_the_wasserstein_distance():
    x, y = normal(1, 5, 2), normal(1, 3, 2, seed=1)
    cost = torch.cdist(x[0], y[0]).square().numpy()
    assert wow_distance(x, y).item() == pytest.approx(ot.emd2([], [], cost) ** 0.5)


def test_of_classes_of_one_particle_is_the_wasserstein_distance():
    x, y = normal(5, 1, 2), normal(3, 1, 2, seed=1)
    cost = torch.cdist(x[:, 0], y[:, 0]).square().numpy()
    assert wow_distance(x, y).item() == pytest.approx(ot.emd2([], [], cost) ** 0.5)


def test_sliced_ground_in_one_dimension_is_exact():
    x, y = normal(3, 6, 1), normal(2, 4, 1, seed=1)
    sliced = wow_distance(x, y, ground="sliced", directions=torch.ones(1, 1, dtype=torch.float64))
    torch.testing.assert_close(sliced, wow_distance(x, y))


def test_sinkhorn_ground_passes_its_options():
    x, y = normal(1, 6, 2), normal(1, 4, 2, seed=1)
    torch.testing.assert_close(
        wow_distance(x, y, ground="sinkhorn", blur=2.0),
        sinkhorn_divergence(x, y, blur=2.0)[0, 0].sqrt(),
    )


@pytest.mark.parametrize("ground", GROUNDS)
def test_translates_are_at_their_shift_under_every_ground(ground):
    x, shift = normal(3, 6, 2), torch.tensor([3.0, 4.0], dtype=torch.float64)
    x += 100 * torch.arange(3)[:, None, None]
    # Two orthogonal directions of two dimensions see half of a squared shift on average.
    expected = 5 / 2**0.5 if ground == "sliced" else 5.0
    distance = wow_distance(x, (x + shift).flip(0), ground=ground, **GROUNDS[ground])
    assert distance.item() == pytest.approx(expected)
    assert align_classes(x, (x + shift).flip(0), ground=ground, **GROUNDS[ground]).tolist() == [
        2,
        1,
        0,
    ]


def test_equal_datasets_are_at_distance_exactly_zero():
    x = normal(3, 6, 2)
    assert wow_distance(x, x[[2, 0, 1]][:, torch.randperm(6)]).item() == 0


def test_a_ground_below_zero_by_rounding_is_zero(monkeypatch):
    monkeypatch.setitem(wow.GROUNDS, "sinkhorn", lambda x, y: torch.tensor([[-1e-9]]))
    x = normal(1, 2, 2)
    assert wow_distance(x, x, ground="sinkhorn").item() == 0


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.integers(1, 3), st.integers(1, 4), st.integers(1, 3))
def test_metric_axioms(seed, c, n, d):
    x, y, z = normal(c, n, d, seed=seed), normal(2, 3, d, seed=seed + 1), normal(3, n, d, seed=5)
    xy, yz, xz = (wow_distance(*p).item() for p in ((x, y), (y, z), (x, z)))
    assert xy == pytest.approx(wow_distance(y, x).item(), rel=1e-7)
    assert xz <= xy + yz + 1e-7
    assert xy > 0


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.integers(1, 4), st.integers(2, 4))
def test_invariances(seed, c, d):
    x, y = normal(c, 4, d, seed=seed), normal(3, 3, d, seed=seed + 1)
    rotation = torch.linalg.qr(normal(d, d, seed=seed + 2)).Q
    order = torch.randperm(c, generator=torch.Generator().manual_seed(seed))
    expected = wow_distance(x, y)
    for moved in (
        wow_distance(x[order].flip(1), y),
        wow_distance(x - 2, y - 2),
        wow_distance(x @ rotation, y @ rotation),
        wow_distance(4 * x, 4 * y) / 4,
    ):
        torch.testing.assert_close(moved, expected, rtol=1e-7, atol=0)


def test_class_weights_stand_for_repeated_classes():
    x, y = normal(2, 4, 2), normal(3, 3, 2, seed=1)
    weights = torch.tensor([0.75, 0.25], dtype=torch.float64)
    torch.testing.assert_close(
        wow_distance(x, y, x_class_weights=weights), wow_distance(x[[0, 0, 0, 1]], y)
    )


def test_coupling_equals_pot_and_has_the_weights_as_marginals():
    x, y, a, b = normal(4, 5, 2), normal(3, 4, 2, seed=1), simplex(4), simplex(3, seed=1)
    coupling = wow_coupling(x, y, x_class_weights=a, y_class_weights=b)
    costs = wasserstein_squared(x, y)
    expected = ot.emd2((a / a.sum()).numpy(), (b / b.sum()).numpy(), costs.numpy())
    assert (coupling * costs).sum().item() == pytest.approx(expected)
    torch.testing.assert_close(coupling.sum(1), a)
    torch.testing.assert_close(coupling.sum(0), b)


def test_as_many_classes_are_coupled_by_a_permutation():
    x, y = normal(5, 6, 3), normal(5, 4, 3, seed=1)
    coupling = wow_coupling(x, y)
    assert sorted(coupling.flatten().tolist()) == [0.0] * 20 + [0.2] * 5
    torch.testing.assert_close(coupling[range(5), align_classes(x, y)].sum().item(), 1.0)
    assert align_classes(x, y).sort().values.tolist() == list(range(5))


def test_classes_find_themselves_whatever_their_order():
    y = normal(4, 6, 2) + 10 * normal(4, 1, 2, seed=1)
    assert align_classes(y[[3, 1, 0, 2]], y).tolist() == [3, 1, 0, 2]


def test_more_classes_than_the_target_share_its_classes():
    y = torch.tensor([[[0.0]], [[10.0]]])
    x = torch.tensor([[[1.0]], [[9.0]], [[-1.0]], [[11.0]]])
    assert align_classes(x, y).tolist() == [0, 1, 0, 1]


def test_gradient_against_finite_differences():
    x, y = normal(2, 3, 2).requires_grad_(), 1 + normal(2, 4, 2, seed=1)
    weights = simplex(2)
    assert torch.autograd.gradcheck(lambda x: wow_distance(x, y, x_class_weights=weights), (x,))


def test_geodesic_has_constant_speed():
    x, y = normal(3, 5, 2), 1 + normal(3, 5, 2, seed=1)
    length = wow_distance(x, y).item()
    times = [0.0, 0.2, 0.7, 1.0]
    points = [wow_geodesic(x, y, t) for t in times]
    for (s, p), (t, q) in itertools.combinations(zip(times, points, strict=True), 2):
        assert wow_distance(p, q).item() == pytest.approx((t - s) * length, rel=1e-9)


def test_geodesic_ends_are_the_datasets():
    x, y = normal(3, 5, 2), normal(3, 5, 2, seed=1)
    torch.testing.assert_close(wow_geodesic(x, y, 0.0), x, rtol=0, atol=0)
    assert wow_distance(wow_geodesic(x, y, 1.0), y).item() == pytest.approx(0, abs=1e-12)


def test_geodesic_in_one_dimension_interpolates_quantiles():
    x = torch.tensor([[[3.0], [1.0]], [[100.0], [104.0]]])
    y = torch.tensor([[[108.0], [102.0]], [[5.0], [7.0]]])
    expected = torch.tensor([[[5.0], [3.0]], [[101.0], [106.0]]])
    torch.testing.assert_close(wow_geodesic(x, y, 0.5), expected)


def test_geodesic_to_fewer_classes_and_particles_moves_whole_ones():
    x, y = normal(4, 6, 2), 1 + normal(2, 3, 2, seed=1)
    images = wow_map(x, y)
    torch.testing.assert_close((x - images).square().sum(-1).mean().sqrt(), wow_distance(x, y))
    assert wow_distance(images, y).item() == pytest.approx(0, abs=1e-7)
    assert len(images.reshape(-1, 2).unique(dim=0)) == 6


def test_unknown_ground_is_named():
    x = normal(1, 2, 2)
    with pytest.raises(ValueError, match="ground is 'slice'; did you mean 'sliced'"):
        wow_distance(x, x, ground="slice")


def test_sliced_ground_needs_directions():
    x = normal(1, 2, 2)
    with pytest.raises(ValueError, match=re.escape("directions is None; expected (L, d)")):
        wow_coupling(x, x, ground="sliced")


def test_sliced_ground_is_squared():
    x = normal(1, 2, 2)
    with pytest.raises(ValueError, match="p is 1; expected 2, a ground of squared distances"):
        wow_distance(x, x, ground="sliced", p=1, **GROUNDS["sliced"])


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"x_class_weights": torch.ones(3).double() / 3}, "x_class_weights has shape (3,)"),
        ({"y_class_weights": torch.tensor([0.5, 0.6]).double()}, "y_class_weights sums to 1.1"),
        ({"y_class_weights": torch.tensor([1.0, 0.0]).double()}, "y_class_weights[1] is 0"),
    ],
)
def test_bad_class_weights_are_named(weights, message):
    x = normal(2, 3, 2)
    with pytest.raises(ValueError, match=re.escape(message)):
        wow_distance(x, x, **weights)


@pytest.mark.parametrize("t", [-0.1, 1.5, float("nan")])
def test_times_outside_the_geodesic_are_named(t):
    x = normal(2, 3, 2)
    with pytest.raises(ValueError, match=re.escape(f"t is {t}; expected a time from 0 to 1")):
        wow_geodesic(x, x, t)


@pytest.mark.parametrize("shape", [(2, 4, 2), (2, 2, 2), (3, 3, 2)])
def test_geodesics_that_would_split_are_named(shape):
    wanted = f"expected multiples of {shape[0]} classes and of {shape[1]} particles, those of y"
    with pytest.raises(ValueError, match=re.escape(f"x has shape (2, 3, 2); {wanted}")):
        wow_geodesic(normal(2, 3, 2), normal(*shape), 0.5)
    with pytest.raises(ValueError, match="y has classes of different sizes; expected a tensor"):
        wow_geodesic(normal(2, 3, 2), [normal(2, 2), normal(3, 2)], 0.5)
