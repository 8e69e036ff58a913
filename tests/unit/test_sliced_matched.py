"""Sliced-Wasserstein distances of matched classes, and their flow."""

import re

import ot
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from wowbench.errors import InputError
from wowbench.functionals.sliced_matched import SlicedMatched
from wowbench.geometry import sample_directions
from wowbench.methods.problem import Problem, RunContext
from wowbench.methods.sliced_matched import SlicedMatchedFlow
from wowbench.space import Space


def normal(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def directions_of(dim, dtype=torch.float64):
    generator = torch.Generator().manual_seed(3)
    return sample_directions(7, dim, generator=generator, dtype=dtype)


@given(st.integers(1, 4), st.integers(1, 6), st.integers(1, 6), st.integers(1, 4))
def test_value_and_gradient_are_those_of_pot_and_autograd(c, n, m, d):
    x, y, theta = normal(c, n, d).requires_grad_(), normal(c, m, d, seed=1) + 1, directions_of(d)
    pairs = [
        ot.wasserstein_1d(a @ theta.T, b @ theta.T, p=2).mean() for a, b in zip(x, y, strict=True)
    ]
    expected = torch.stack(pairs).mean()
    (slope,) = torch.autograd.grad(expected, x)
    value, grad = SlicedMatched(y).evaluate(x.detach(), theta)
    torch.testing.assert_close(value, expected.detach(), rtol=1e-9, atol=1e-13)
    torch.testing.assert_close(grad, n * c * slope, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_target_with_its_particles_in_another_order_is_a_minimum(dtype):
    y = normal(3, 6, 40, dtype=dtype)
    value, grad = SlicedMatched(y).evaluate(y[:, [3, 1, 5, 0, 2, 4]], directions_of(40, dtype))
    assert value.item() == 0
    assert grad.abs().max() <= 1e-6


def test_a_target_that_changes_in_place_is_followed():
    """As that of a batch, which is another one at each step."""
    x, y, theta = normal(2, 3, 4), torch.zeros(2, 3, 4).double(), directions_of(4)
    functional = SlicedMatched(y)
    y.copy_(x)
    assert functional.evaluate(x, theta)[0] == 0


def test_the_held_out_value_is_on_directions_of_its_own():
    functional = SlicedMatched(normal(2, 3, 4, seed=1), n_directions=2)
    state = functional.start(x=normal(2, 3, 4))
    assert functional.held_out(state) == functional.held_out(state)
    means = [functional.value_and_grad(state, g)[0] for g in map(seeded, range(400))]
    torch.testing.assert_close(
        torch.stack(means).mean(), functional.held_out(state), rtol=0.1, atol=0
    )


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def spots(*places, n=6, seed=0):
    """Classes of images of one pixel by two, each about a place of its own."""
    noise = 0.05 * normal(len(places), n, 1, 1, 2, seed=seed, dtype=torch.float32)
    return noise + torch.tensor(places).view(-1, 1, 1, 1, 2)


def test_classes_go_to_the_ones_that_the_coupling_matches_them_with():
    source = spots((0.0, 0.0), (5.0, 0.0), (0.0, 5.0))
    target = spots((0.0, 6.0), (1.0, 0.0), (6.0, 0.0), seed=1, n=3)
    problem = Problem(source, target, Space((1, 1, 2)))
    method = SlicedMatchedFlow(steps=100, n_directions=20, scheme={"lr": 0.3, "momentum": 0.0})
    flow = method.run(problem, RunContext(0))
    assert flow.last.labels.view(3, 6).tolist() == [[1] * 6, [2] * 6, [0] * 6]
    moved = flow.last.particles.view(3, 6, 2)
    torch.testing.assert_close(
        moved.mean(1), target.view(3, 3, 2)[[1, 2, 0]].mean(1), atol=0.02, rtol=0
    )
    assert flow.metrics["held_out_loss"] < 1e-3 * flow.losses[0]


def test_unlike_numbers_of_classes_are_refused():
    sizes = {"source_classes": 3, "n": 4, "target_classes": 2, "k": 4, "shape": (2,)}
    message = "method 'sliced_matched': the source has 3 classes and the target 2; expected as many"
    with pytest.raises(InputError, match=message):
        SlicedMatchedFlow().check_sizes(**sizes)


@pytest.mark.parametrize(
    ("x", "theta", "message"),
    [
        (normal(3, 2, 4), directions_of(4), "x has 3 classes; expected 2, as the target"),
        (normal(2, 2, 3), directions_of(3), "x has dimension 3; expected 4, that of target"),
        (normal(2, 2, 4), directions_of(3), "directions has dimension 3; expected 4"),
    ],
)
def test_what_does_not_fit_is_named(x, theta, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        SlicedMatched(normal(2, 5, 4)).evaluate(x, theta)


def test_an_unknown_kind_of_directions_is_named():
    with pytest.raises(ValueError, match="directions is 'gausian'; did you mean 'gaussian'"):
        SlicedMatched(normal(2, 5, 4), directions="gausian")
