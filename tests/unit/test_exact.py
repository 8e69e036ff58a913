"""Exact squared Wasserstein distances and Sinkhorn divergences between classes."""

import itertools
import re

import numpy as np
import ot
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wowbench.geometry.exact import (
    optimal_plans,
    solve_transport,
    transport_cost,
    wasserstein_squared,
)
from wowbench.geometry.sinkhorn import sinkhorn_divergence

SEEDS = st.integers(0, 2**32 - 1)


def normal(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def simplex(*shape, seed=0):
    return torch.softmax(normal(*shape, seed=seed), -1)


def from_pot(x, y, a=None, b=None):
    cost = ((x[:, None] - y[None, :]) ** 2).sum(-1).numpy()
    a = np.full(len(x), 1 / len(x)) if a is None else a.numpy()
    b = np.full(len(y), 1 / len(y)) if b is None else b.numpy()
    return ot.emd2(a / a.sum(), b / b.sum(), cost)


@pytest.mark.parametrize("d", [1, 2, 5])
@pytest.mark.parametrize("m", [4, 7])
def test_equals_pot(d, m):
    x, y = normal(2, 4, d), normal(3, m, d, seed=1)
    expected = [[from_pot(a, b) for b in y] for a in x]
    torch.testing.assert_close(
        wasserstein_squared(x, y), torch.tensor(expected, dtype=torch.float64)
    )


@pytest.mark.parametrize("d", [1, 3])
def test_equals_pot_with_weights_and_ragged_classes(d):
    x, y = [normal(3, d), normal(5, d, seed=1)], [normal(4, d, seed=2), normal(2, d, seed=3)]
    a, b = [simplex(len(points)) for points in x], [simplex(len(points), seed=9) for points in y]
    expected = [[from_pot(x[c], y[k], a[c], b[k]) for k in range(2)] for c in range(2)]
    actual = wasserstein_squared(x, y, x_weights=a, y_weights=b)
    torch.testing.assert_close(actual, torch.tensor(expected, dtype=torch.float64))


def test_is_the_least_cost_of_all_permutations():
    x, y = normal(6, 3), normal(6, 3, seed=1)
    costs = ((x[:, None] - y[None, :]) ** 2).sum(-1)
    least = min(
        costs[range(6), permutation].mean() for permutation in itertools.permutations(range(6))
    )
    torch.testing.assert_close(wasserstein_squared(x[None], y[None])[0, 0], least)


def test_uniform_weights_are_the_default():
    x, y = normal(2, 4, 2), normal(2, 4, 2, seed=1)
    uniform = torch.full((2, 4), 0.25, dtype=torch.float64)
    torch.testing.assert_close(
        wasserstein_squared(x, y, x_weights=uniform), wasserstein_squared(x, y)
    )


def test_weights_stand_for_repeated_particles():
    x, y = normal(1, 3, 2), normal(1, 5, 2, seed=1)
    weights = torch.tensor([[0.5, 0.25, 0.25]], dtype=torch.float64)
    repeated = x[:, [0, 0, 1, 2]]
    torch.testing.assert_close(
        wasserstein_squared(x, y, x_weights=weights), wasserstein_squared(repeated, y)
    )


def test_weights_may_miss_their_sum_by_rounding():
    x, y, a = normal(1, 3, 2), normal(1, 4, 2, seed=1), simplex(1, 3)
    torch.testing.assert_close(
        wasserstein_squared(x, y, x_weights=a * (1 + 9e-6)), wasserstein_squared(x, y, x_weights=a)
    )


def test_translates_are_at_their_shift():
    x, shift = normal(1, 9, 4), torch.tensor([3.0, 0.0, 4.0, 0.0], dtype=torch.float64)
    torch.testing.assert_close(
        wasserstein_squared(x, x + shift), torch.tensor([[25.0]], dtype=torch.float64)
    )


def test_equal_classes_are_at_distance_exactly_zero():
    x = 100 + normal(3, 20, 10, dtype=torch.float32)
    distances = wasserstein_squared(x, x[:, torch.randperm(20)])
    assert (distances.diagonal() == 0).all()
    assert (distances + torch.eye(3) > 0).all()


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.integers(1, 3), st.integers(1, 5), st.integers(1, 5))
def test_metric_axioms(seed, d, n, m):
    x, y, z = normal(1, n, d, seed=seed), normal(1, m, d, seed=seed + 1), normal(1, n, d, seed=7)
    xy, yz, xz = (wasserstein_squared(*p).sqrt().item() for p in ((x, y), (y, z), (x, z)))
    assert xy == pytest.approx(wasserstein_squared(y, x).sqrt().item(), rel=1e-9)
    assert xz <= xy + yz + 1e-9
    assert xy > 0


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.integers(2, 4), st.integers(1, 6))
def test_invariances(seed, d, n):
    x, y = normal(2, n, d, seed=seed), normal(2, 4, d, seed=seed + 1)
    rotation = torch.linalg.qr(normal(d, d, seed=seed + 2)).Q
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    expected = wasserstein_squared(x, y)
    for moved in (
        wasserstein_squared(x[:, order], y),
        wasserstein_squared(x + 5, y + 5),
        wasserstein_squared(x @ rotation, y @ rotation),
        wasserstein_squared(3 * x, 3 * y) / 9,
        wasserstein_squared(x.flip(0), y).flip(0),
    ):
        torch.testing.assert_close(moved, expected)


@pytest.mark.parametrize("m", [4, 6])
def test_gradient_against_finite_differences(m):
    x, y = normal(2, 4, 3).requires_grad_(), normal(1, m, 3, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(wasserstein_squared, (x, y))


def test_float32_is_computed_in_float64():
    x, y = normal(1, 50, 20), normal(1, 40, 20, seed=1)
    x, y = x.float(), y.float()
    distance = wasserstein_squared(x, y)
    assert distance.dtype == torch.float32
    exact = wasserstein_squared(x.double(), y.double())
    torch.testing.assert_close(distance, exact.float(), rtol=1e-7, atol=0)


@pytest.mark.parametrize("d", [1, 2])
def test_plans_have_the_weights_as_marginals(d):
    x, y, a, b = normal(1, 5, d), normal(1, 3, d, seed=1), simplex(1, 5), simplex(1, 3, seed=1)
    ((plan,),) = optimal_plans(x, y, a, b)
    dense = plan.to_dense(torch.zeros(5, 3, dtype=torch.float64))
    torch.testing.assert_close(dense.sum(1), a[0])
    torch.testing.assert_close(dense.sum(0), b[0])
    assert len(plan.mass) < 5 + 3
    torch.testing.assert_close(
        transport_cost(x[0], y[0], plan), (dense * torch.cdist(x[0], y[0]) ** 2).sum()
    )


def test_solve_transport_keeps_small_and_large_costs():
    cost = normal(30, 47).square().numpy()
    expected = ot.emd([], [], cost)
    for scale in (1e-18, 1.0, 1e18):
        plan = solve_transport(scale * cost, None, None)
        np.testing.assert_allclose(expected[plan.rows, plan.columns], plan.mass)
    np.testing.assert_allclose(solve_transport(np.zeros((2, 3)), None, None).mass.sum(), 1)


def test_solve_transport_does_not_hide_a_failure(monkeypatch):
    monkeypatch.setattr("wowbench.geometry.exact.MAX_PIVOTS", 1)
    with (
        pytest.warns(UserWarning, match="numItermax"),
        pytest.raises(RuntimeError, match=re.escape("optimal transport of shape (30, 40) failed")),
    ):
        solve_transport(normal(30, 40).numpy(), None, None)


@pytest.mark.parametrize("distance", [wasserstein_squared, sinkhorn_divergence])
@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (torch.zeros(2, 3), torch.zeros(1, 2, 3), "x has shape (2, 3); expected (C, n, d)"),
        (torch.zeros(1, 2, 3), torch.zeros(1, 0, 3), "y has shape (1, 0, 3)"),
        (torch.zeros(1, 2, 3), torch.zeros(1, 2, 4), "x has dimension 3; expected 4"),
        (torch.zeros(1, 2, 3), torch.zeros(1, 2, 3).double(), "x has dtype torch.float32"),
        (torch.zeros(1, 2, 3), torch.full((1, 1, 3), torch.nan), "y[0, 0, 0] is nan"),
    ],
)
def test_bad_classes_are_named(distance, x, y, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        distance(x, y)


def test_bad_weights_are_named():
    x = torch.zeros(1, 2, 3)
    with pytest.raises(ValueError, match=re.escape("x_weights[0] sums to 0.5")):
        wasserstein_squared(x, x, x_weights=torch.tensor([[0.25, 0.25]]))
    with pytest.raises(ValueError, match=re.escape("y_weights[0][1] is 0; expected positive")):
        wasserstein_squared(x, x, y_weights=torch.tensor([[1.0, 0.0]]))


def test_sinkhorn_tends_to_the_exact_distance():
    x, y = normal(2, 20, 2), [1 + normal(20, 2, seed=1), normal(15, 2, seed=2)]
    exact = wasserstein_squared(x, y)
    errors = [(sinkhorn_divergence(x, y, blur=b) - exact).abs().max() for b in (1.0, 0.1, 0.01)]
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.02 * exact.max()


def test_sinkhorn_tends_to_the_energy_of_means_for_large_blur():
    x, y = normal(1, 20, 3), 2 + normal(1, 10, 3, seed=1)
    means = (x.mean(1) - y.mean(1)).square().sum()
    torch.testing.assert_close(
        sinkhorn_divergence(x, y, blur=100.0)[0, 0], means, rtol=1e-3, atol=0
    )


def test_sinkhorn_is_symmetric_and_zero_on_equal_classes():
    x, y = normal(2, 6, 2), normal(3, 5, 2, seed=1)
    torch.testing.assert_close(sinkhorn_divergence(x, y), sinkhorn_divergence(y, x).T)
    assert sinkhorn_divergence(x, x).diagonal().abs().max() < 1e-12
    point = torch.ones(1, 1, 2)
    assert sinkhorn_divergence(point, point).item() == 0


def test_sinkhorn_of_a_pair_depends_on_no_other_class():
    x, y = normal(3, 6, 2), normal(2, 5, 2, seed=1)
    together = sinkhorn_divergence(x, torch.cat([y, 100 + y]))
    torch.testing.assert_close(sinkhorn_divergence(x[1:2], y[:1])[0, 0], together[1, 0])


def test_sinkhorn_gradient_of_translates_is_their_shift():
    x = normal(1, 20, 2).requires_grad_()
    sinkhorn_divergence(x, x.detach() + 3, blur=0.5).sum().backward()
    torch.testing.assert_close(20 * x.grad, torch.full_like(x, -6.0), rtol=1e-2, atol=0)


def test_bad_blur_is_named():
    x = torch.zeros(1, 2, 3)
    with pytest.raises(ValueError, match="blur is -1; expected a finite number above 0"):
        sinkhorn_divergence(x, x, blur=-1)
