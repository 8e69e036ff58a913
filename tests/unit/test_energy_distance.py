"""Half the energy distance of particles without labels, and its flow."""

import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import energy_distance

from wowbench.functionals import energy_distance as module
from wowbench.functionals.energy_distance import EnergyDistance
from wowbench.methods.energy_distance import EnergyDistanceFlow
from wowbench.methods.problem import Problem, RunContext
from wowbench.space import Space


def normal(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def transcription(x, y):
    """The definition, pair by pair; a particle is at distance 0 from itself."""
    x, y = x.flatten(0, 1), y.flatten(0, 1)

    def mean_distance(a, b):
        gaps = (a[:, None] - b[None]).square().sum(-1)
        return torch.where(gaps > 0, torch.where(gaps > 0, gaps, 1.0).sqrt(), 0.0).mean()

    return mean_distance(x, y) - (mean_distance(x, x) + mean_distance(y, y)) / 2


@given(*(st.integers(1, largest) for largest in (4, 5, 3, 5, 4)))
def test_value_and_gradient_are_those_of_autograd(c, n, k, m, d):
    x, y = normal(c, n, d).requires_grad_(), normal(k, m, d, seed=1) + 0.5
    expected = transcription(x, y)
    (slope,) = torch.autograd.grad(expected, x)
    value, grad = EnergyDistance(y).evaluate(x.detach())
    torch.testing.assert_close(value, expected.detach(), rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(grad, c * n * slope, rtol=1e-7, atol=1e-9)


def test_blocks_change_nothing(monkeypatch):
    x, y = normal(3, 5, 4), normal(2, 7, 4, seed=1)
    whole = EnergyDistance(y).evaluate(x)
    monkeypatch.setattr(module, "PAIRS_PER_BLOCK", 20)
    torch.testing.assert_close(EnergyDistance(y).evaluate(x), whole)


def test_on_the_line_it_is_half_of_scipys_squared():
    x, y = normal(2, 5, 1), normal(3, 4, 1, seed=1)
    expected = energy_distance(x.flatten(), y.flatten()) ** 2 / 2
    assert EnergyDistance(y).evaluate(x)[0].item() == pytest.approx(expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_target_with_its_classes_mixed_is_a_minimum(dtype):
    y = normal(3, 4, 50, dtype=dtype)
    x = y.flatten(0, 1)[torch.randperm(12, generator=torch.Generator().manual_seed(1))]
    value, grad = EnergyDistance(y).evaluate(x.view(4, 3, 50))
    tolerance = {torch.float32: 1e-5, torch.float64: 1e-12}[dtype]
    assert value.dtype == grad.dtype == dtype
    assert abs(value.item()) < tolerance
    assert grad.abs().max() < tolerance


def test_particles_far_from_the_origin_lose_nothing():
    x, y = normal(2, 3, 5), normal(2, 4, 5, seed=1)
    near = EnergyDistance(y).evaluate(x)
    far = EnergyDistance(y + 1e4).evaluate(x + 1e4)
    torch.testing.assert_close(far, near, rtol=1e-8, atol=1e-9)


def test_a_flow_reaches_the_mixture_and_mixes_the_classes():
    """From one spot all particles get to the target, those of a class to either class of it."""
    generator = torch.Generator().manual_seed(0)
    source = 0.01 * torch.randn(2, 20, 2, generator=generator, dtype=torch.float64)
    target = torch.tensor([[[-1.0, 0.0]], [[1.0, 0.0]]], dtype=torch.float64)
    method = EnergyDistanceFlow(steps=200, scheme={"lr": 0.01, "momentum": 0.9})
    flow = method.run(Problem(source, target, Space((2,))), RunContext(0))
    moved = flow.last.particles
    assert flow.metrics["held_out_loss"] < 0.01 * flow.losses[0]
    assert (moved[:, 0] > 0).sum() == 20
    assert (moved[:, 0].abs() - 1).abs().median() < 0.05
    assert torch.equal(flow.last.labels, (moved[:, 0] > 0).long())


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (torch.zeros(2, 3), "target has shape (2, 3); expected (C, n, d)"),
        (torch.full((1, 1, 1), torch.nan), "target[0, 0, 0] is nan"),
        ([torch.zeros(1, 2), torch.zeros(2, 2)], "target has classes of different sizes"),
    ],
)
def test_bad_targets_are_named(target, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        EnergyDistance(target)


def test_another_space_is_named():
    with pytest.raises(ValueError, match="x has dimension 3; expected 2, that of target"):
        EnergyDistance(torch.zeros(1, 1, 2)).evaluate(torch.zeros(1, 1, 3))
