"""SWB1DG and s-OTDD as functionals, against plain transcriptions, and their flows."""

import math
import re

import ot
import pytest
import scipy.integrate
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wowbench.distances.sotdd import SlicedOTDD
from wowbench.distances.swb1dg import SlicedBusemann1DGaussian
from wowbench.functionals.sotdd import SlicedMoments
from wowbench.functionals.swb1dg import SlicedBusemann
from wowbench.geometry.quantiles import normal_quantile_means
from wowbench.methods.problem import Problem, RunContext
from wowbench.methods.sotdd import SOTDDFlow
from wowbench.methods.swb1dg import SWB1DGFlow
from wowbench.space import Space

DIRECTIONS = 6


def normal(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def busemann(y):
    return SlicedBusemann(y, SlicedBusemann1DGaussian(n_directions=DIRECTIONS))


def moments(y):
    return SlicedMoments(y, SlicedOTDD(n_directions=DIRECTIONS))


def busemann_number(p, drawn, line):
    """-m1 mean - s1 int Q Phi^-1, the integral by quadrature on each step of Q."""
    n = len(p)
    (m1, s1), psi = drawn.ray[line], drawn.psi[line]
    cells = [
        scipy.integrate.quad(scipy.stats.norm.ppf, i / n, (i + 1) / n, limit=200)[0]
        for i in range(n)
    ]
    quantiles = p.sort().values
    return psi[1] * (
        -m1 * p.mean() - s1 * sum(q * w for q, w in zip(quantiles, cells, strict=True))
    )


def moments_number(p, drawn, line):
    psi, orders = drawn.psi[line], drawn.orders[line].tolist()
    terms = [w * (p**j).mean() / math.factorial(j) for w, j in zip(psi[1:], orders, strict=True)]
    return sum(terms)


FUNCTIONALS = {"swb1dg": (busemann, busemann_number), "sotdd": (moments, moments_number)}


def transcription(x, y, drawn, number):
    """The squared distance direction by direction and class by class."""
    values = []
    for line, theta in enumerate(drawn.theta):
        sides = []
        for classes in (x, y):
            projections = [points @ theta for points in classes]
            sides.append(
                torch.cat([drawn.psi[line, 0] * p + number(p, drawn, line) for p in projections])
            )
        values.append(ot.wasserstein_1d(*(z[:, None] for z in sides), p=2).squeeze())
    return torch.stack(values).mean()


@pytest.mark.parametrize("name", FUNCTIONALS)
@settings(max_examples=25, deadline=None)
@given(*(st.integers(1, largest) for largest in (3, 5, 3, 5, 4)))
def test_value_and_gradient_are_those_of_autograd(name, c, n, k, m, d):
    make, number = FUNCTIONALS[name]
    x, y = normal(c, n, d).requires_grad_(), normal(k, m, d, seed=1) + 0.5
    functional = make(y)
    drawn = functional.draw(DIRECTIONS, x, seeded(2))
    expected = transcription(x, y, drawn, number)
    (slope,) = torch.autograd.grad(expected, x)
    value, grad = functional.evaluate(x.detach(), drawn)
    torch.testing.assert_close(value, expected.detach(), rtol=1e-8, atol=1e-11)
    scale = slope.abs().max().item()
    torch.testing.assert_close(grad, c * n * slope, rtol=1e-6, atol=1e-7 * c * n * scale)


@pytest.mark.parametrize("name", FUNCTIONALS)
def test_gradient_is_the_slope_along_any_perturbation(name):
    x, y, step = normal(3, 4, 5), normal(2, 6, 5, seed=1), normal(3, 4, 5, seed=2)
    functional = FUNCTIONALS[name][0](y)
    drawn = functional.draw(DIRECTIONS, x, seeded(3))
    _, grad = functional.evaluate(x, drawn)
    ahead, behind = (functional.evaluate(x + t * step, drawn)[0] for t in (1e-6, -1e-6))
    slope = (grad * step).sum(-1).mean()
    assert (ahead - behind).item() / 2e-6 == pytest.approx(slope.item(), rel=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", FUNCTIONALS)
def test_the_target_with_classes_and_particles_in_another_order_is_a_minimum(name, dtype):
    y = normal(3, 5, 30, dtype=dtype)
    functional = FUNCTIONALS[name][0](y)
    x = y[[2, 0, 1]][:, [4, 2, 0, 1, 3]]
    value, grad = functional.evaluate(x, functional.draw(DIRECTIONS, x, seeded(0)))
    tolerance = {torch.float32: 1e-5, torch.float64: 1e-13}[dtype]
    assert value.dtype == grad.dtype == dtype
    assert value.item() < tolerance**2
    assert grad.abs().max() < tolerance


@pytest.mark.parametrize("name", FUNCTIONALS)
def test_classes_that_trade_particles_have_a_positive_value(name):
    """The particles are the target's, and the classes are not."""
    y = torch.tensor([[[0.0], [0.1]], [[1.0], [1.1]]]).double()
    x = torch.tensor([[[0.0], [1.1]], [[1.0], [0.1]]]).double()
    functional = FUNCTIONALS[name][0](y)
    assert functional.evaluate(x, functional.draw(50, x, seeded(0)))[0] > 1e-3


@pytest.mark.parametrize("name", FUNCTIONALS)
def test_the_value_is_that_of_the_distance(name):
    x, y = normal(3, 4, 5), normal(2, 6, 5, seed=1)
    functional = FUNCTIONALS[name][0](y)
    measured = functional.distance.measure(list(x), list(y), seeded(4))
    value, _ = functional.evaluate(x, functional.draw(DIRECTIONS, x, seeded(4)))
    assert value.item() == pytest.approx(measured.value)


@pytest.mark.parametrize("name", FUNCTIONALS)
def test_steps_draw_anew_and_held_out_values_do_not(name):
    functional = FUNCTIONALS[name][0](normal(2, 6, 5, seed=1))
    state, generator = functional.start(x=normal(3, 4, 5)), seeded(0)
    one, other = (functional.value_and_grad(state, generator)[0] for _ in range(2))
    assert one != other
    held_out = functional.held_out(state)
    assert held_out == functional.held_out(state)
    means = torch.stack([functional.value_and_grad(state, generator)[0] for _ in range(300)])
    assert means.mean().item() == pytest.approx(held_out.item(), rel=0.2)


@pytest.mark.parametrize("name", FUNCTIONALS)
def test_long_rows_are_split_into_blocks_to_no_effect(name, monkeypatch):
    x, y = normal(3, 4, 5), normal(2, 6, 5, seed=1)
    functional = FUNCTIONALS[name][0](y)
    drawn = functional.draw(DIRECTIONS, x, seeded(3))
    whole = functional.evaluate(x, drawn)
    monkeypatch.setattr("wowbench.functionals.sotdd.PROJECTIONS_PER_BLOCK", 24)
    torch.testing.assert_close(functional.evaluate(x, drawn), whole)


def test_normal_quantiles_have_the_means_of_quadrature():
    for n in (1, 2, 7):
        expected = [
            n * scipy.integrate.quad(scipy.stats.norm.ppf, i / n, (i + 1) / n, limit=200)[0]
            for i in range(n)
        ]
        found = normal_quantile_means(n, torch.float64, torch.device("cpu"))
        assert found.tolist() == pytest.approx(expected, abs=1e-8)


METHODS = {"swb1dg": SWB1DGFlow, "sotdd": SOTDDFlow}


@pytest.mark.parametrize("name", METHODS)
def test_a_flow_leads_classes_to_classes(name):
    places = torch.tensor([[-1.0, 0.0], [1.0, 0.5], [0.0, -1.0]])
    source = 0.05 * normal(3, 12, 2, seed=0, dtype=torch.float32) + 0.2 * places[[1, 2, 0]][:, None]
    target = 0.05 * normal(3, 6, 2, seed=1, dtype=torch.float32) + places[:, None]
    method = METHODS[name](steps=300, n_directions=20, scheme={"lr": 0.2, "momentum": 0.5})
    flow = method.run(Problem(source, target, Space((2,))), RunContext(0))
    assert flow.metrics["held_out_loss"] < 0.05 * flow.losses[0]
    labels = flow.last.labels.view(3, 12)
    assert sorted(labels[:, 0].tolist()) == [0, 1, 2]
    assert (labels == labels[:, :1]).all()
    moved = flow.last.particles.view(3, 12, 2)
    torch.testing.assert_close(moved.mean(1), places[labels[:, 0]], atol=0.2, rtol=0)


@pytest.mark.parametrize("name", FUNCTIONALS)
def test_what_does_not_fit_is_named(name):
    make = FUNCTIONALS[name][0]
    with pytest.raises(ValueError, match=re.escape("target has shape (2, 3); expected (C, n, d)")):
        make(torch.zeros(2, 3))
    functional = make(normal(2, 3, 4))
    x = normal(2, 3, 5)
    with pytest.raises(ValueError, match="x has dimension 5; expected 4, that of target"):
        functional.evaluate(x, functional.draw(DIRECTIONS, x, seeded(0)))
