"""Exact means: what is estimated along directions is the part of the centred classes alone."""

import re

import ot
import pytest
import torch

from wowbench.errors import InputError
from wowbench.functionals import SlicedMMD
from wowbench.geometry import sample_directions
from wowbench.geometry.centred import CentredSlices
from wowbench.geometry.directions import KINDS
from wowbench.geometry.sliced import Slices
from wowbench.kernels.gaussian import Gaussian
from wowbench.kernels.imq import InverseMultiquadric
from wowbench.kernels.laplace import Laplace
from wowbench.kernels.riesz import Riesz
from wowbench.methods.mmdsw import MMDSW
from wowbench.parameters import FromRegistry
from wowbench.registry import METHODS

KERNELS = [Riesz(r=1.0), Riesz(r=0.5), Gaussian(h=2.0), InverseMultiquadric(h=0.5)]


def normal(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def apart(*shape, seed=0):
    """Classes whose means are further apart than their particles."""
    return normal(*shape, seed=seed) + 4 * normal(shape[-3], 1, shape[-1], seed=seed + 100)


def directions_of(dim, n_directions=7, kind="gaussian", seed=3):
    generator = torch.Generator().manual_seed(seed)
    return sample_directions(n_directions, dim, kind=kind, generator=generator, dtype=torch.float64)


def both(y, kernel, **arguments):
    return (SlicedMMD(y, kernel, center=center, **arguments) for center in (True, False))


def assert_same(found, expected):
    (value, grad), (expected_value, expected_grad) = found, expected
    torch.testing.assert_close(value, expected_value, rtol=1e-9, atol=1e-11)
    for ours, theirs in zip(grad, expected_grad, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
@pytest.mark.parametrize(("n", "m"), [(6, 6), (6, 4), (4, 6), (6, 3), (1, 5), (5, 1), (1, 1)])
@pytest.mark.parametrize("ambient_dim", [None, 11])
def test_whole_frames_leave_nothing_to_be_made_exact(kernel, n, m, ambient_dim):
    """The squares of a vector's coordinates in any orthonormal basis sum to its squared norm."""
    x, y, theta = apart(3, n, 5), apart(2, m, 5, seed=1), directions_of(5, kind="orthogonal")[:5]
    centred, plain = both(y, kernel, ambient_dim=ambient_dim)
    assert_same(centred.evaluate(x, theta), plain.evaluate(x, theta))


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
def test_whole_frames_with_weights_and_ragged_classes(kernel):
    theta = directions_of(4, 4, kind="orthogonal")
    x = [normal(n, 4, seed=n) + n for n in (3, 5, 1)]
    y = [normal(n, 4, seed=n) for n in (4, 6)]
    w, v = torch.softmax(normal(3), 0), torch.softmax(normal(2), 0)
    centred, plain = both(y, kernel, class_weights=v)
    found = centred.evaluate(x, theta, class_weights=w)
    assert_same(found, plain.evaluate(x, theta, class_weights=w))


@pytest.mark.parametrize("shared_target", [True, False])
@pytest.mark.parametrize("shared_directions", [True, False])
def test_flows_in_a_batch_are_independent(shared_target, shared_directions):
    x = torch.stack([apart(3, 4, 5), apart(3, 4, 5, seed=5)])
    y = torch.stack([apart(2, 6, 5, seed=1), apart(2, 6, 5, seed=6)])
    theta = torch.stack([directions_of(5), directions_of(5, seed=4)])
    y, theta = y[0] if shared_target else y, theta[0] if shared_directions else theta
    values, grads = SlicedMMD(y, Riesz(), center=True).evaluate(x, theta)
    for b in range(2):
        one = SlicedMMD(y if shared_target else y[b], Riesz(), center=True)
        expected = one.evaluate(x[b], theta if shared_directions else theta[b])
        assert_same((values[b], grads[b]), expected)


def reference(x, y, theta, kernel, ambient_dim):
    """F and the WoW gradient, by POT along directions and automatic differentiation."""
    x = x.clone().requires_grad_()

    def cost(mu, nu):
        gap = mu.mean(0) - nu.mean(0)
        mu, nu = mu - mu.mean(0), nu - nu.mean(0)
        on_lines = ot.wasserstein_1d(mu @ theta.T, nu @ theta.T, p=2).mean()
        return (gap @ gap + on_lines * x.shape[-1]) / ambient_dim

    def kernels(left, right):
        # On the diagonal the cost is 0, and so is its derivative.
        costs = [[mu.sum() * 0 if mu is nu else cost(mu, nu) for nu in right] for mu in left]
        costs = torch.stack([torch.stack(row) for row in costs])
        far = costs > 1e-13
        at_zero = kernel.value(torch.zeros_like(costs))
        return torch.where(far, kernel.value(torch.where(far, costs, 1.0)), at_zero).mean()

    source, target = list(x), list(y)
    value = kernels(source, source) / 2 - kernels(source, target) + kernels(target, target) / 2
    (grad,) = torch.autograd.grad(value, x)
    return value.detach(), grad * x.shape[0] * x.shape[1]


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
@pytest.mark.parametrize(("n", "m"), [(6, 6), (6, 4), (4, 1), (1, 3)])
@pytest.mark.parametrize("ambient_dim", [5, 11])
def test_value_and_gradient_are_those_of_autograd(kernel, n, m, ambient_dim):
    x, y, theta = apart(3, n, 5), apart(2, m, 5, seed=1), directions_of(5)
    functional = SlicedMMD(y, kernel, center=True, ambient_dim=ambient_dim)
    assert_same(functional.evaluate(x, theta), reference(x, y, theta, kernel, ambient_dim))


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
def test_the_gradient_is_the_slope_along_any_perturbation(kernel):
    x, y, theta, h = apart(3, 6, 4), apart(2, 5, 4, seed=1), directions_of(4, 3), normal(3, 6, 4)
    functional, t = SlicedMMD(y, kernel, center=True), 1e-6
    ends = [functional.evaluate(x + sign * t * h, theta)[0] for sign in (1, -1)]
    expected = (functional.evaluate(x, theta)[1] * h).sum(-1).mean()
    torch.testing.assert_close((ends[0] - ends[1]) / (2 * t), expected, rtol=1e-6, atol=1e-9)


def costs_and_slopes(slices, x, y, theta):
    """Costs of all pairs, and the gradient of their weighted sum, as one vector."""
    weights = torch.tensor([[0.3, 0.7], [1.1, 0.2]], dtype=torch.float64)
    mine, other = slices(x, theta), slices(y, theta, movable=False)
    costs, slopes = mine.costs(other), mine.gradient([(other, weights)])
    return torch.cat([costs.flatten(), slopes.flatten()])


@pytest.mark.parametrize("kind", KINDS)
def test_distances_and_gradients_have_the_mean_of_independent_directions(kind):
    x, y, sets = apart(2, 5, 4), apart(2, 3, 4, seed=1), (100, 200, 4)

    def draws(slices, kind, seed):
        many = directions_of(4, sets[0] * sets[1], kind, seed).reshape(sets)
        return torch.stack([costs_and_slopes(slices, x, y, theta) for theta in many])

    ours, plain = draws(CentredSlices, kind, seed=5), draws(Slices, "gaussian", seed=6)
    errors = ((ours.var(0) + plain.var(0)) / sets[0]).sqrt()
    scores = (ours.mean(0) - plain.mean(0)) / errors
    assert scores.abs().max() < 4.5
    assert scores.square().mean() < 3


def test_what_is_exact_does_not_vary():
    x, y = apart(2, 5, 6), apart(2, 3, 6, seed=1)

    def variance(slices):
        sets = (directions_of(6, 10, seed=seed) for seed in range(100))
        found = torch.stack([costs_and_slopes(slices, x, y, theta) for theta in sets])
        return found.var(0).sum()

    assert variance(CentredSlices) < variance(Slices) / 5


def test_classes_of_one_particle_need_no_direction():
    x, y = apart(2, 1, 6), apart(2, 1, 6, seed=1)
    costs = (x - y.transpose(0, 1)).square().sum(-1) / 6
    theta = directions_of(6, 1)
    one, other = CentredSlices(x, theta), CentredSlices(y, theta)
    torch.testing.assert_close(one.costs(other), costs)
    weights = torch.ones(2, 2, dtype=torch.float64)
    expected = (2 / 6) * (2 * x - y.sum(0))
    torch.testing.assert_close(one.gradient([(other, weights)]), expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_minimum_is_the_target(dtype):
    y, theta = apart(3, 6, 4).to(dtype), directions_of(4).to(dtype)
    value, grad = SlicedMMD(y, Riesz(), center=True).evaluate(y.flip(0, 1), theta)
    assert value == 0
    assert grad.abs().max() < (1e-6 if dtype == torch.float32 else 1e-12)


Y, MASSES = normal(3, 2, 4), torch.full((3, 2), 0.5, dtype=torch.float64)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kernel": Laplace(h=1.0)}, "center is true, and the kernel 'laplace' is one of SW_1; "),
        ({"quantiles": "linear"}, "center is true, and quantiles is 'linear'; expected "),
        ({"particle_weights": MASSES}, "center is true, and particle weights are given; "),
    ],
)
def test_what_has_no_exact_means_is_refused(arguments, message):
    given = {"kernel": Riesz(), **arguments}
    with pytest.raises(ValueError, match=re.escape(message)):
        SlicedMMD(Y, given.pop("kernel"), center=True, **given)


def test_weights_of_moved_particles_are_refused():
    functional = SlicedMMD(Y, Riesz(), center=True)
    with pytest.raises(ValueError, match="center is true, and particle weights are given"):
        functional.evaluate(Y, directions_of(4), particle_weights=MASSES)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"quantiles": "linear"}, "center is true, and quantiles is 'linear'; choose quantiles"),
        (
            {"kernel": {"name": "laplace", "h": 1.0}},
            "center is true, and kernel is 'laplace', which is one of SW_1; choose a kernel of",
        ),
    ],
)
def test_a_method_refuses_it_with_its_config(parameters, message):
    with pytest.raises(InputError, match=re.escape(message)):
        FromRegistry(METHODS).build({"name": "mmdsw", "center": True, **parameters})


def test_the_method_hands_it_on():
    assert MMDSW(center=True).functional(Y).center
    assert not MMDSW().functional(Y).center
