"""The joint flow of particles and class weights."""

import math
import re

import numpy as np
import ot
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from wowbench.errors import DivergedError
from wowbench.flows.weights import descend_with_weights, jko_plan
from wowbench.functionals import SlicedMMD
from wowbench.functionals.weighted_mmd import QuadraticEnergy, WeightedSlicedMMD
from wowbench.geometry import sample_directions
from wowbench.kernels.gaussian import Gaussian
from wowbench.kernels.imq import InverseMultiquadric
from wowbench.kernels.laplace import Laplace
from wowbench.kernels.riesz import Riesz

KERNELS = [Riesz(), Riesz(r=1.5), Gaussian(h=2.0), Laplace(h=2.0), InverseMultiquadric(h=2.0)]


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def simplex(n, seed=0):
    return torch.softmax(normal(n, seed=seed), 0)


def directions(dim):
    return sample_directions(
        20, dim, generator=torch.Generator().manual_seed(0), dtype=torch.float64
    )


def energy_of_equal_classes(target_weights, seed=0):
    """An MMD between distributions on the same classes, whose minimiser is known."""
    classes = normal(len(target_weights), 3, seed=seed)
    costs = torch.cdist(classes, classes).square()
    kernel = -costs.sqrt()
    linear = kernel @ target_weights
    return QuadraticEnergy(kernel, linear, target_weights @ linear / 2, costs, None)


def objective_of(plan, energy, tau):
    return (plan * energy.costs).sum() / (2 * tau) + energy.value(plan.sum(0))


def sliced_cost(x, y, thetas, p):
    """Mean over directions of W_p^p, by POT."""
    return np.mean([ot.wasserstein_1d((x @ t).numpy(), (y @ t).numpy(), p=p) for t in thetas])


@pytest.mark.parametrize("kernel", KERNELS, ids=repr)
def test_weighted_mmd_is_its_double_sum(kernel):
    x, y, w, q = normal(2, 3, 2), normal(3, 4, 2, seed=1), simplex(2), simplex(3, seed=1)
    thetas = directions(2)

    def mean_kernel(a, a_weights, b, b_weights):
        costs = [[sliced_cost(c, k, thetas, kernel.p) for k in b] for c in a]
        return a_weights @ kernel.value(torch.tensor(costs)).double() @ b_weights

    expected = mean_kernel(x, w, x, w) / 2 + mean_kernel(y, q, y, q) / 2 - mean_kernel(x, w, y, q)
    energy = WeightedSlicedMMD(y, kernel, target_weights=q).at(x, thetas)
    torch.testing.assert_close(energy.value(w), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kernel", KERNELS, ids=repr)
def test_agrees_with_the_functional_of_fixed_weights(kernel):
    x, y, w, q = normal(2, 3, 2), normal(3, 4, 2, seed=1), simplex(2), simplex(3, seed=1)
    thetas = directions(2)
    value, gradient = SlicedMMD(y, kernel, class_weights=q).evaluate(x, thetas, class_weights=w)
    energy = WeightedSlicedMMD(y, kernel, target_weights=q).at(x, thetas)
    torch.testing.assert_close(energy.value(w), value)
    torch.testing.assert_close(energy.gradient(w), gradient)


@pytest.mark.parametrize("kernel", [Gaussian(h=2.0), Laplace(h=2.0)], ids=repr)
def test_mass_is_moved_at_squared_distances(kernel):
    x, thetas = normal(2, 3, 2), directions(2)
    distance = sliced_cost(*x, thetas, kernel.p) ** (1 / kernel.p)
    costs = WeightedSlicedMMD(x, kernel).at(x, thetas).costs
    expected = torch.tensor([[0, distance**2], [distance**2, 0]], dtype=torch.float64)
    torch.testing.assert_close(costs, expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("kernel", KERNELS, ids=repr)
def test_gradient_is_the_wow_gradient(kernel):
    """`n / w_c dF/dx` by central differences, particle by particle."""
    x, w, thetas = normal(2, 3, 2), simplex(2), directions(2)
    functional = WeightedSlicedMMD(
        normal(3, 4, 2, seed=1), kernel, target_weights=simplex(3, seed=1)
    )
    numerical = torch.zeros_like(x)
    for index in range(x.numel()):
        step = torch.zeros(x.numel(), dtype=x.dtype)
        step[index] = 1e-6
        ahead, behind = (functional.at(x + s * step.view_as(x), thetas).value(w) for s in (1, -1))
        numerical.view(-1)[index] = (ahead - behind) / 2e-6
    numerical *= 3 / w[:, None, None]
    torch.testing.assert_close(
        functional.at(x, thetas).gradient(w), numerical, rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("tau", [1e-3, 1.0, 10.0, 100.0, math.inf])
@pytest.mark.parametrize("seed", range(4))
def test_plan_of_two_classes_in_closed_form(tau, seed):
    w, q = simplex(2, seed=seed), simplex(2, seed=seed + 10)
    energy = energy_of_equal_classes(q, seed)
    variation = energy.kernel @ w - energy.linear
    source, sink = (0, 1) if variation[0] > variation[1] else (1, 0)
    slope = variation[source] - variation[sink] - energy.costs[0, 1] / (2 * tau)
    curvature = -2 * energy.kernel[0, 1]
    expected = (slope / curvature).clamp(min=0).minimum(w[source])
    plan, _ = jko_plan(w, energy, tau)
    torch.testing.assert_close(plan[source, sink], expected)
    assert plan[sink, source] == 0


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.sampled_from([0.1, 5.0, 50.0, math.inf]))
def test_plan_keeps_the_mass_and_decreases_the_objective(seed, c, tau):
    w, energy = simplex(c, seed=seed), energy_of_equal_classes(simplex(c, seed=seed + 1), seed)
    plan, gap = jko_plan(w, energy, tau)
    assert (plan >= 0).all()
    torch.testing.assert_close(plan.sum(1), w)
    assert objective_of(plan, energy, tau) <= energy.value(w) + 1e-12
    assert gap <= 1e-8 * energy.kernel.abs().max()


@pytest.mark.parametrize("tau", [5.0, 50.0, 500.0])
def test_plan_is_the_minimum_of_a_general_solver(tau):
    c = 4
    w, energy = simplex(c), energy_of_equal_classes(simplex(c, seed=1))
    plan, _ = jko_plan(w, energy, tau)

    def objective(flat):
        flat = torch.tensor(flat).view(c, c).requires_grad_()
        value = objective_of(flat, energy, tau)
        (gradient,) = torch.autograd.grad(value, flat)
        return value.item(), gradient.flatten().numpy()

    solved = minimize(
        objective,
        torch.outer(w, w).flatten().numpy(),
        jac=True,
        bounds=[(0, 1)] * c**2,
        constraints={
            "type": "eq",
            "fun": lambda flat: flat.reshape(c, c).sum(1) - w.numpy(),
            "jac": lambda _: np.kron(np.eye(c), np.ones(c)),
        },
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 1000},
    )
    assert solved.success
    assert objective_of(plan, energy, tau).item() == pytest.approx(solved.fun, abs=1e-7)


def test_infinite_step_finds_the_target_frequencies():
    q = simplex(8)
    plan, _ = jko_plan(torch.full((8,), 1 / 8).double(), energy_of_equal_classes(q), math.inf)
    torch.testing.assert_close(plan.sum(0), q, rtol=0, atol=1e-5)


def test_small_step_holds_the_weights():
    w = simplex(5)
    plan, _ = jko_plan(w, energy_of_equal_classes(simplex(5, seed=1)), 1e-3)
    torch.testing.assert_close(plan, w.diag(), rtol=0, atol=0)


def test_a_class_without_mass_can_regain_some():
    q = torch.tensor([0.5, 0.5], dtype=torch.float64)
    w = torch.tensor([1.0, 0.0], dtype=torch.float64)
    plan, _ = jko_plan(w, energy_of_equal_classes(q), math.inf)
    torch.testing.assert_close(plan.sum(0), q)


def test_a_concave_energy_is_moved_to_a_vertex():
    zeros = torch.zeros(2, 2, dtype=torch.float64)
    energy = QuadraticEnergy(-torch.eye(2).double(), torch.zeros(2).double(), 0.0, zeros, None)
    plan, gap = jko_plan(torch.tensor([0.4, 0.6], dtype=torch.float64), energy, math.inf)
    torch.testing.assert_close(plan.sum(0), torch.tensor([0.0, 1.0], dtype=torch.float64))
    assert gap == 0


def two_classes():
    return torch.tensor([[[0.0, 0.0], [1.0, 0.0]], [[4.0, 0.0], [5.0, 2.0]]]).double()


@pytest.mark.parametrize("kernel", [Riesz(), Gaussian(h=20.0)], ids=repr)
def test_wrong_weights_on_the_target_classes_become_the_target_frequencies(kernel):
    y, q, thetas = two_classes(), torch.tensor([0.8, 0.2]).double(), directions(2)
    functional = WeightedSlicedMMD(y, kernel, target_weights=q)
    flow = descend_with_weights(
        lambda x, _: functional.at(x, thetas), y, steps=5, lr=0.1, tau=math.inf
    )
    torch.testing.assert_close(flow.state["weights"], q)
    torch.testing.assert_close(flow.x, y)
    assert flow.losses[0] > 1e-2
    assert flow.losses[-1].item() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("tau", [20.0, math.inf])
def test_the_functional_decreases_and_the_weights_stay_on_the_simplex(tau):
    thetas, q = directions(2), simplex(3)
    functional = WeightedSlicedMMD(3 * normal(3, 4, 2, seed=1), Gaussian(h=10.0), target_weights=q)
    x, w, seen = normal(4, 5, 2), simplex(4, seed=3), []

    def objective(x, generator):
        energy = functional.at(x, thetas)

        def gradient(weights):
            seen.append(weights.clone())
            return energy.gradient(weights)

        return QuadraticEnergy(
            energy.kernel, energy.linear, energy.constant, energy.costs, gradient
        )

    flow = descend_with_weights(objective, x, w, steps=100, lr=1.0, tau=tau)
    assert (flow.losses.diff() <= 1e-12).all()
    assert flow.losses[-1] < 0.4 * flow.losses[0]
    weights = torch.stack(seen)
    assert len(weights) == flow.steps == 100
    assert (weights >= 0).all()
    torch.testing.assert_close(weights.sum(1), torch.ones(100).double())
    assert not torch.allclose(flow.state["weights"], w)


def test_arguments_are_not_changed_and_float32_is_kept():
    x, w = normal(2, 3, 2).float(), torch.tensor([0.25, 0.75])
    kept = x.clone(), w.clone()
    functional = WeightedSlicedMMD(normal(2, 3, 2, seed=1).float(), Riesz())
    flow = descend_with_weights(
        lambda x, generator: functional.at(x, sample_directions(10, 2, generator=generator)),
        x,
        w,
        steps=3,
        lr=0.1,
        tau=math.inf,
        generator=torch.Generator().manual_seed(0),
    )
    assert torch.equal(x, kept[0])
    assert torch.equal(w, kept[1])
    assert flow.x.dtype == flow.state["weights"].dtype == torch.float32
    assert not torch.equal(flow.x, x)


def test_a_diverging_flow_is_named():
    zeros = torch.zeros(2, 2)

    def objective(x, _):
        value = x.square().sum()
        return QuadraticEnergy(zeros, zeros[0], value, zeros, lambda weights: -1e4 * x)

    # The loss of 12 grows by (1e4 + 1)^2 a step: three steps take it beyond 1e20 times its start.
    with pytest.raises(DivergedError, match=r"grew from 12 to .* after step 4 at learning rate 1;"):
        descend_with_weights(objective, torch.ones(2, 3, 2), steps=20, lr=1.0, tau=1.0)


def test_a_kernel_that_is_not_finite_moves_nothing():
    nan = torch.full((2, 2), torch.nan)
    w = torch.tensor([0.25, 0.75])
    plan, gap = jko_plan(w, QuadraticEnergy(nan, nan[0], nan[0, 0], nan, None), 1.0)
    assert torch.equal(plan.sum(0), w.double())
    assert math.isnan(gap)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lr": 0.0}, "lr is 0.0; expected a finite number above 0"),
        ({"lr": math.inf}, "lr is inf; expected a finite number above 0"),
        ({"tau": 0.0}, "tau is 0.0; expected a number above 0, or inf"),
        ({"tau": math.nan}, "tau is nan; expected a number above 0, or inf"),
        ({"x": torch.zeros(3, 2)}, "x has shape (3, 2); expected (C, n, d)"),
        ({"weights": torch.tensor([0.5, 0.6])}, "weights sums to 1.1; expected weights of sum 1"),
        ({"weights": torch.tensor([1.0, 0.0])}, "weights[1] is 0; expected positive weights"),
        ({"steps": 0}, "steps is 0; expected an integer of at least 1"),
    ],
)
def test_bad_arguments_are_named(change, message):
    functional = WeightedSlicedMMD(torch.zeros(2, 3, 2), Riesz())
    arguments = {"x": torch.ones(2, 3, 2), "steps": 1, "lr": 0.1, "tau": 1.0} | change
    with pytest.raises(ValueError, match=re.escape(message)):
        descend_with_weights(lambda x, _: functional.at(x, sample_directions(10, 2)), **arguments)


def test_bad_targets_are_named():
    with pytest.raises(ValueError, match=re.escape("target has shape (3, 2); expected (C, n, d)")):
        WeightedSlicedMMD(torch.zeros(3, 2), Riesz())
    with pytest.raises(ValueError, match=re.escape("target_weights has shape (3,); expected (2,)")):
        WeightedSlicedMMD(torch.zeros(2, 3, 2), Riesz(), target_weights=torch.ones(3) / 3)
    functional = WeightedSlicedMMD(torch.zeros(2, 3, 2), Riesz())
    with pytest.raises(ValueError, match="x has dimension 3; expected 2, that of target"):
        functional.at(torch.zeros(2, 3, 3), sample_directions(10, 3))
    with pytest.raises(ValueError, match="directions"):
        functional.at(torch.zeros(2, 3, 2), sample_directions(10, 3))
