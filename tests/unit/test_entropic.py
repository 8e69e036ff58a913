import numpy as np
import ot
import pytest
import torch

from wowbench.geometry.entropic import entropic_plan


def random_cost(n=12, m=7, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(n, 3, generator=generator, dtype=dtype)
    y = torch.rand(m, 3, generator=generator, dtype=dtype)
    return torch.cdist(x, y).square()


def pot_plan(cost, epsilon):
    n, m = cost.shape
    return torch.from_numpy(
        ot.bregman.sinkhorn_log(
            np.full(n, 1 / n), np.full(m, 1 / m), cost.numpy(), epsilon, 50_000, stopThr=1e-15
        )
    )


@pytest.mark.parametrize("epsilon", [1.0, 0.1, 0.02])
@pytest.mark.parametrize("shape", [(12, 7), (7, 12), (5, 5), (1, 4), (4, 1)])
def test_plan_and_value_against_pot(epsilon, shape):
    cost = random_cost(*shape)
    found = entropic_plan(cost, epsilon, tolerance=1e-13, max_iterations=50_000)
    expected = pot_plan(cost, epsilon)
    n, m = shape
    relative_entropy = (expected * (expected * n * m).log()).sum()
    torch.testing.assert_close(found.plan, expected, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(
        found.value, (expected * cost).sum() + epsilon * relative_entropy, rtol=1e-10, atol=1e-12
    )
    assert found.converged


def test_marginals_are_within_the_tolerance_that_is_reported():
    found = entropic_plan(random_cost(), 0.02, tolerance=1e-4)
    error = (found.plan.sum(1) - 1 / 12).abs().sum() + (found.plan.sum(0) - 1 / 7).abs().sum()
    torch.testing.assert_close(found.marginal_error, error, rtol=1e-6, atol=1e-14)
    assert found.converged
    assert error <= 1e-4
    assert found.plan.min() > 0


def test_failure_to_converge_is_reported():
    cost = random_cost(30, 30)
    found = entropic_plan(cost, 0.002, tolerance=1e-6, max_iterations=4)
    error = (found.plan.sum(1) - 1 / 30).abs().sum() + (found.plan.sum(0) - 1 / 30).abs().sum()
    assert not found.converged
    assert found.iterations == 4
    assert error > 1e-6
    torch.testing.assert_close(found.marginal_error, error, rtol=1e-6, atol=0)


def test_derivative_of_the_value_is_the_plan_even_before_convergence():
    cost = random_cost(6, 5)
    options = {"tolerance": 1e-15, "max_iterations": 3}
    found = entropic_plan(cost, 0.1, **options)
    n, m = cost.shape
    g = found.potential
    f = 0.1 * ((found.plan * n * m).log() - (g - cost) / 0.1)[:, 0]

    def dual(c):
        plan = ((f[:, None] + g - c) / 0.1).exp() / (n * m)
        return f.mean() + g.mean() + 0.1 * (1 - plan.sum())

    c = cost.clone().requires_grad_()
    torch.testing.assert_close(found.value, dual(cost))
    torch.testing.assert_close(torch.autograd.grad(dual(c), c)[0], found.plan)


def test_warm_start_finds_the_same_plan_sooner():
    cost = random_cost(40, 30)
    cold = entropic_plan(cost, 0.01, tolerance=1e-10)
    close = cost + 1e-4 * random_cost(40, 30, seed=1)
    again = entropic_plan(close, 0.01, tolerance=1e-10)
    warm = entropic_plan(close, 0.01, tolerance=1e-10, potential=cold.potential)
    torch.testing.assert_close(warm.plan, again.plan, rtol=1e-6, atol=1e-12)
    assert warm.iterations < again.iterations
    assert entropic_plan(cost, 0.01, tolerance=1e-9, potential=cold.potential).iterations == 1


def test_small_epsilon_in_single_precision_tends_to_exact_transport():
    cost = random_cost(20, 20, dtype=torch.float32)
    found = entropic_plan(cost, 1e-3, tolerance=1e-3, max_iterations=20_000)
    exact = ot.emd2([], [], cost.double().numpy())
    assert found.converged
    assert found.plan.isfinite().all()
    # The entropy of a plan is at most log 20 above that of a permutation.
    assert abs((found.plan * cost).sum().item() - exact) < 1e-3 * np.log(20) + 1e-3


def test_far_potential_is_no_trap():
    cost = random_cost()
    far = torch.linspace(-300, 300, 7, dtype=torch.float64)
    found = entropic_plan(cost, 0.1, tolerance=1e-12, potential=far)
    torch.testing.assert_close(found.plan, pot_plan(cost, 0.1), rtol=1e-8, atol=1e-12)


def test_epsilon_may_be_a_tensor():
    cost = random_cost()
    found, expected = (entropic_plan(cost, e) for e in (torch.tensor(0.1).double(), 0.1))
    torch.testing.assert_close(found.plan, expected.plan, rtol=1e-6, atol=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cost": torch.zeros(3)}, r"cost has shape \(3,\); expected \(n, m\)"),
        ({"cost": torch.zeros(0, 3)}, r"cost has shape \(0, 3\)"),
        ({"cost": torch.tensor([[1.0, float("nan")]])}, r"cost\[0, 1\] is nan"),
        ({"epsilon": 0.0}, "epsilon is 0; expected a finite number above 0"),
        ({"tolerance": -1.0}, "tolerance is -1"),
        ({"max_iterations": 0}, "max_iterations is 0; expected an integer of at least 1"),
        ({"potential": torch.zeros(3)}, r"potential has shape \(3,\); expected \(7,\)"),
        ({"potential": torch.full((7,), float("inf"))}, r"potential\[0\] is inf"),
    ],
)
def test_bad_input_is_named(change, message):
    arguments = {"cost": random_cost(), "epsilon": 0.1, **change}
    with pytest.raises(ValueError, match=message):
        entropic_plan(**arguments)
