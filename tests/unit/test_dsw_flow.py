"""The double-sliced Wasserstein distance as a functional, and its flow."""

import re

import numpy as np
import ot
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wowbench.distances.dsw import DoubleSliced
from wowbench.functionals.dsw import DoubleSlicedFunctional
from wowbench.methods.dsw import DSWFlow
from wowbench.methods.problem import Problem, RunContext
from wowbench.space import Space

DIRECTIONS, FUNCTIONS = 3, 4


def normal(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def functional_of(y, levels=10, length=1.0):
    sizes = {"n_directions": DIRECTIONS, "n_functions": FUNCTIONS}
    return DoubleSlicedFunctional(y, DoubleSliced(**sizes, levels=levels, length=length))


def numbers(classes, theta, function):
    """Integrals of percentiles times a function, by the trapezoidal rule."""
    grid = torch.linspace(0, 1, len(function), dtype=torch.float64)
    quantiles = [torch.quantile(points @ theta, grid) for points in classes]
    return torch.stack([torch.trapezoid(q * function, grid) for q in quantiles])


def transcription(x, y, drawn):
    values = [
        ot.wasserstein_1d(*(numbers(z, theta, g)[:, None] for z in (x, y)), p=2).squeeze()
        for theta, functions in zip(drawn.theta, drawn.functions, strict=True)
        for g in functions
    ]
    return torch.stack(values).mean()


@settings(max_examples=25, deadline=None)
@given(*(st.integers(1, largest) for largest in (4, 6, 4, 6, 4)), st.integers(2, 10))
def test_value_and_gradient_are_those_of_autograd(c, n, k, m, d, levels):
    x, y = normal(c, n, d).requires_grad_(), normal(k, m, d, seed=1) + 0.5
    functional = functional_of(y, levels)
    drawn = functional.draw(DIRECTIONS, x, seeded(2))
    expected = transcription(x, y, drawn)
    (slope,) = torch.autograd.grad(expected, x)
    value, grad = functional.evaluate(x.detach(), drawn)
    torch.testing.assert_close(value, expected.detach(), rtol=1e-8, atol=1e-12)
    scale = slope.abs().max().item()
    torch.testing.assert_close(grad, c * n * slope, rtol=1e-6, atol=1e-7 * c * n * scale)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_target_with_classes_and_particles_in_another_order_is_a_minimum(dtype):
    y = normal(3, 5, 30, dtype=dtype)
    functional = functional_of(y)
    x = y[[2, 0, 1]][:, [4, 2, 0, 1, 3]]
    value, grad = functional.evaluate(x, functional.draw(DIRECTIONS, x, seeded(0)))
    tolerance = {torch.float32: 1e-5, torch.float64: 1e-13}[dtype]
    assert value.dtype == grad.dtype == dtype
    assert value.item() < tolerance**2
    assert grad.abs().max() < tolerance


def test_the_value_is_that_of_the_distance():
    x, y = normal(3, 4, 5), normal(2, 6, 5, seed=1)
    functional = functional_of(y)
    measured = functional.distance.measure(list(x), list(y), seeded(4))
    value, _ = functional.evaluate(x, functional.draw(DIRECTIONS, x, seeded(4)))
    assert value.item() == pytest.approx(measured.value)


def test_constant_functions_see_means():
    """At a length of many intervals g is constant, and z is g times the mean of percentiles."""
    x, y = normal(1, 11, 2), normal(1, 11, 2, seed=1)
    functional = functional_of(y, levels=11, length=1000.0)
    drawn = functional.draw(DIRECTIONS, x, seeded(0))
    _, grad = functional.evaluate(x, drawn)
    # With 11 levels for 11 particles the ends count half: all others move as one.
    moved = grad[0].round(decimals=2).unique(dim=0)
    assert np.ptp(drawn.functions.numpy(), axis=-1).max() < 0.02
    assert len(moved) < 11


def test_steps_draw_anew_and_held_out_values_do_not():
    functional = functional_of(normal(2, 6, 5, seed=1))
    state, generator = functional.start(x=normal(3, 4, 5)), seeded(0)
    one, other = (functional.value_and_grad(state, generator)[0] for _ in range(2))
    assert one != other
    held_out = functional.held_out(state)
    assert held_out == functional.held_out(state)
    means = torch.stack([functional.value_and_grad(state, generator)[0] for _ in range(600)])
    assert means.mean().item() == pytest.approx(held_out.item(), rel=0.2)


def test_a_flow_leads_classes_to_classes():
    places = torch.tensor([[-1.0, 0.0], [1.0, 0.5], [0.0, -1.0]])
    source = 0.05 * normal(3, 12, 2, dtype=torch.float32) + 0.2 * places[[1, 2, 0]][:, None]
    target = 0.05 * normal(3, 6, 2, seed=1, dtype=torch.float32) + places[:, None]
    method = DSWFlow(steps=300, n_directions=20, scheme={"lr": 0.2, "momentum": 0.5})
    flow = method.run(Problem(source, target, Space((2,))), RunContext(0))
    assert flow.metrics["held_out_loss"] < 0.05 * flow.losses[0]
    assert sorted(flow.last.labels.view(3, 12)[:, 0].tolist()) == [0, 1, 2]


def test_what_does_not_fit_is_named():
    with pytest.raises(ValueError, match=re.escape("target has shape (2, 3); expected (C, n, d)")):
        functional_of(torch.zeros(2, 3))
    functional = functional_of(normal(2, 3, 4))
    x = normal(2, 3, 5)
    with pytest.raises(ValueError, match="x has dimension 5; expected 4, that of target"):
        functional.evaluate(x, functional.draw(DIRECTIONS, x, seeded(0)))
