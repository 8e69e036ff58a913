"""Bures-Wasserstein distances, exponential map and gradients."""

import re

import ot
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wowbench.geometry.bures import (
    bures_exponential,
    bures_gradient,
    bures_wasserstein_squared,
    check_covariances,
    fidelity,
)

DIMENSIONS = [1, 2, 3, 6]


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def covariances(n, d, seed=0):
    factor = normal(n, d, d + 2, seed=seed)
    return factor @ factor.mT / d


def gaussians(n, d, seed=0):
    return normal(n, d, seed=seed + 100), covariances(n, d, seed=seed)


def symmetric(a):
    return (a + a.mT) / 2


def bures_squared(a, b):
    """Between Gaussians of mean 0."""
    zeros = torch.zeros(1, a.shape[-1], dtype=a.dtype)
    return bures_wasserstein_squared(zeros, a[None], zeros, b[None])[0, 0]


@pytest.mark.parametrize("d", DIMENSIONS)
def test_equals_pot(d):
    (m, a), (k, b) = gaussians(4, d), gaussians(3, d, seed=1)
    expected = ot.gaussian.bures_wasserstein_distance(m, k, a, b) ** 2
    torch.testing.assert_close(bures_wasserstein_squared(m, a, k, b), expected)


@pytest.mark.parametrize("d", DIMENSIONS)
def test_of_commuting_covariances(d):
    basis = torch.linalg.qr(normal(d, d)).Q
    a, b = normal(d).square(), normal(d, seed=1).square()
    rotated = [basis @ values.diag() @ basis.T for values in (a, b)]
    expected = (a.sqrt() - b.sqrt()).square().sum()
    torch.testing.assert_close(bures_squared(*rotated), expected)


@pytest.mark.parametrize("d", DIMENSIONS)
def test_of_singular_covariances(d):
    zero, b = torch.zeros(d, d, dtype=torch.float64), covariances(1, d)[0]
    torch.testing.assert_close(bures_squared(zero, b), b.trace())
    # Along two axes at an angle, the root is |<u, v>| u u^T.
    u, v = (torch.nn.functional.normalize(normal(d, seed=s), dim=0) for s in (1, 2))
    expected = 2 - 2 * (u @ v).abs()
    torch.testing.assert_close(
        bures_squared(torch.outer(u, u), torch.outer(v, v)), expected, rtol=1e-7, atol=1e-7
    )


@pytest.mark.parametrize("d", DIMENSIONS)
def test_adds_the_squared_distance_of_the_means(d):
    (m, a), (k, b) = gaussians(4, d), gaussians(3, d, seed=1)
    still = bures_wasserstein_squared(torch.zeros_like(m), a, torch.zeros_like(k), b)
    moved = bures_wasserstein_squared(m, a, k, b)
    torch.testing.assert_close(moved - still, (m[:, None] - k[None]).square().sum(-1))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_metric_axioms_and_invariances(seed, d):
    (m, a), (k, b), (j, c) = (gaussians(1, d, seed=seed + i) for i in range(3))
    xy, yz, xz, yx, xx = (
        bures_wasserstein_squared(*first, *second).sqrt().item()
        for first, second in (
            ((m, a), (k, b)),
            ((k, b), (j, c)),
            ((m, a), (j, c)),
            ((k, b), (m, a)),
            ((m, a), (m, a)),
        )
    )
    assert xy == pytest.approx(yx, rel=1e-9)
    assert xz <= xy + yz + 1e-9
    assert xx == pytest.approx(0, abs=1e-6 * a.diagonal(dim1=-2, dim2=-1).sum().item())
    r = torch.linalg.qr(normal(d, d, seed=seed)).Q
    rotated = bures_wasserstein_squared(m @ r.T, r @ a @ r.T, k @ r.T, r @ b @ r.T)
    assert rotated.sqrt().item() == pytest.approx(xy, rel=1e-7)


@pytest.mark.parametrize("d", DIMENSIONS)
def test_gradient_against_finite_differences(d):
    (m, a), (k, b) = gaussians(3, d), gaussians(2, d, seed=1)
    assert torch.autograd.gradcheck(
        lambda m, a, k, b: bures_wasserstein_squared(m, symmetric(a), k, symmetric(b)),
        [t.requires_grad_() for t in (m, a, k, b)],
    )


@pytest.mark.parametrize("d", [2, 3])
def test_gradient_is_identity_minus_the_optimal_map(d):
    a, b = (covariances(1, d, seed=s)[0] for s in (0, 1))
    a.requires_grad_()
    (gradient,) = torch.autograd.grad(bures_squared(a, b), a)
    transport = torch.eye(d) - gradient
    torch.testing.assert_close(transport, transport.T)
    torch.testing.assert_close(transport @ a.detach() @ transport, b)


@pytest.mark.parametrize("d", [2, 3])
def test_gradient_at_equal_eigenvalues(d):
    a = torch.eye(d, dtype=torch.float64, requires_grad=True)
    b = 4 * torch.eye(d, dtype=torch.float64)
    (gradient,) = torch.autograd.grad(bures_squared(a, b), a)
    torch.testing.assert_close(gradient, -torch.eye(d, dtype=torch.float64))


@pytest.mark.parametrize("d", [2, 3])
@pytest.mark.parametrize("rank", [0, 1])
def test_gradients_at_singular_covariances_leave_out_their_kernel(d, rank):
    a = torch.diag(torch.arange(1.0, d + 1).double() ** 2).requires_grad_()
    b = torch.diag((torch.arange(d) < rank).double() * 9).requires_grad_()
    value = fidelity(a[None], b[None]).sum()
    grads = torch.autograd.grad(value, (a, b))
    # What is left is the root of a_11 b_11, that of 1 times 9 or of 1 times 0.
    assert value.item() == pytest.approx(3 * rank)
    for grad, slope in zip(grads, (3 / 2, 1 / 6), strict=True):
        assert grad.isfinite().all()
        assert grad[0, 0].item() == pytest.approx(slope * rank)


@pytest.mark.parametrize("d", DIMENSIONS)
def test_a_gradient_step_follows_the_geodesic(d):
    a, b = (covariances(1, d, seed=s)[0] for s in (0, 1))
    a.requires_grad_()
    (euclidean,) = torch.autograd.grad(bures_squared(a, b) / 2, a)
    velocity = -bures_gradient(euclidean)
    a = a.detach()
    length = bures_squared(a, b).sqrt()
    for t in (0.25, 0.5, 1.0):
        point = bures_exponential(a, t * velocity)
        torch.testing.assert_close(bures_squared(a, point).sqrt(), t * length)
        torch.testing.assert_close(
            bures_squared(point, b).sqrt(), (1 - t) * length, rtol=1e-7, atol=1e-6
        )


def test_bures_gradient_is_the_steepest_direction():
    cov, slope = covariances(1, 3)[0], normal(3, 3, seed=1)
    direction = symmetric(normal(3, 3, seed=2))

    def along(t):
        return (slope * bures_exponential(cov, t * direction)).sum()

    derivative = (along(1e-6) - along(-1e-6)) / 2e-6
    torch.testing.assert_close(
        (bures_gradient(slope) @ cov @ direction).trace(), derivative, rtol=1e-6, atol=0
    )


def test_exponential_in_closed_form():
    cov, velocity = torch.diag(torch.tensor([4.0, 9.0])), torch.diag(torch.tensor([0.5, -1.0]))
    torch.testing.assert_close(
        bures_exponential(cov, velocity), torch.diag(torch.tensor([9.0, 0.0]))
    )
    batch = bures_exponential(covariances(20, 5).view(4, 5, 5, 5), normal(4, 5, 5, 5))
    assert torch.equal(batch, batch.mT)
    check_covariances("batch", batch)


@pytest.mark.parametrize("d", DIMENSIONS)
def test_a_negative_eigenvalue_is_named(d):
    mean, cov = gaussians(4, d)
    bad = cov.clone()
    basis = torch.linalg.qr(normal(d, d)).Q
    bad[2] = basis @ torch.diag(torch.linspace(-0.25, 2, d).double()) @ basis.T
    message = "has smallest eigenvalue -0.25; expected a positive semidefinite matrix"
    with pytest.raises(ValueError, match=re.escape(f"cov_y[2] {message}")):
        bures_wasserstein_squared(mean, cov, mean, symmetric(bad))
    with pytest.raises(ValueError, match=re.escape(f"cov_x[2] {message}")):
        bures_wasserstein_squared(mean, symmetric(bad), mean, cov)


def test_asymmetry_is_named_and_rounding_let_pass():
    cov = torch.eye(3).expand(2, 2, 3, 3).clone()
    cov[1, 0, 0, 2] = 1e-6
    check_covariances("cov", cov)
    cov[1, 0, 0, 2] = 0.5
    with pytest.raises(ValueError, match=re.escape("cov[1][0] is asymmetric by 0.5; expected a")):
        check_covariances("cov", cov)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_empirical_covariances_of_low_rank_pass(dtype):
    points = normal(5, 3, 20).to(dtype)
    points = points - points.mean(1, keepdim=True)
    check_covariances("cov", points.mT @ points / 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mean_x": torch.zeros(2)}, "mean_x has shape (2,); expected (N, d)"),
        ({"mean_y": torch.zeros(0, 2)}, "mean_y has shape (0, 2); expected (N, d)"),
        (
            {"cov_x": torch.eye(2)},
            "cov_x has shape (2, 2); expected (3, 2, 2) for means of shape (3, 2)",
        ),
        ({"mean_x": torch.zeros(3, 2).half()}, "mean_x has dtype torch.float16; expected"),
        ({"cov_y": torch.zeros(3, 2, 2).double()}, "cov_y has dtype torch.float64; expected"),
        (
            {"mean_y": torch.zeros(3, 1), "cov_y": torch.ones(3, 1, 1)},
            "mean_x has dimension 2; expected 1, that of mean_y",
        ),
        ({"mean_x": torch.full((3, 2), torch.inf)}, "mean_x[0, 0] is inf; expected finite values"),
        ({"cov_x": torch.full((3, 2, 2), torch.nan)}, "cov_x[0, 0, 0] is nan; expected finite"),
    ],
)
def test_bad_gaussians_are_named(change, message):
    covs = torch.eye(2).repeat(3, 1, 1)
    arguments = {
        "mean_x": torch.zeros(3, 2),
        "cov_x": covs,
        "mean_y": torch.zeros(3, 2),
        "cov_y": covs,
    }
    with pytest.raises(ValueError, match=re.escape(message)):
        bures_wasserstein_squared(**(arguments | change))


def test_values_are_checked_on_request():
    mean, cov = torch.zeros(1, 2), -torch.eye(2)[None]
    assert bures_wasserstein_squared(mean, cov, mean, cov, check=False).shape == (1, 1)


@pytest.mark.parametrize(
    ("cov", "velocity", "message"),
    [
        (torch.zeros(2, 3), torch.zeros(2, 3), "cov has shape (2, 3); expected (..., d, d)"),
        (torch.zeros(2, 2), torch.zeros(3, 3), "velocity has shape (3, 3); expected (2, 2)"),
        (torch.zeros(2, 2), torch.zeros(2, 2).double(), "velocity has dtype torch.float64"),
    ],
)
def test_bad_tangent_vectors_are_named(cov, velocity, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        bures_exponential(cov, velocity)
