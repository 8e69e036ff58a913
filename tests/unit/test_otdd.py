import warnings

import numpy as np
import ot
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from wowbench.errors import DivergedError
from wowbench.flows import descend
from wowbench.functionals.otdd import OTDD
from wowbench.schemes.adamw import AdamW

EXACT = {"tolerance": 1e-13, "max_iterations": 20_000}


def random_gaussians(*shape, dim=2, generator):
    mean = torch.randn(*shape, dim, generator=generator, dtype=torch.float64)
    root = torch.randn(*shape, dim, dim, generator=generator, dtype=torch.float64)
    return mean, root @ root.mT + 0.1 * torch.eye(dim, dtype=torch.float64)


def problem(c=2, n=4, d=5, c_target=3, m=2, dim=2, seed=0):
    """Source (x, mean, cov) and target (y, mean, cov), float64."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(c, n, d, generator=generator, dtype=torch.float64)
    y = torch.rand(c_target, m, d, generator=generator, dtype=torch.float64)
    return (
        (x, *random_gaussians(c, n, dim=dim, generator=generator)),
        (y, *random_gaussians(c_target, dim=dim, generator=generator)),
    )


def named(source):
    return dict(zip(("x", "mean", "cov"), source, strict=True))


def root(matrix):
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * values.sqrt()) @ vectors.mT


def naive_cost(x, mean, cov, y, target_mean, target_cov):
    """All costs by differences and matrix roots, divided by their mean."""
    m = y.shape[1]
    rows = []
    for xi, mi, si in zip(x.flatten(0, 1), mean.flatten(0, 1), cov.flatten(0, 1), strict=True):
        row = []
        for j, yj in enumerate(y.flatten(0, 1)):
            mj, sj = target_mean[j // m], target_cov[j // m]
            cross = root(root(sj) @ si @ root(sj))
            bures = torch.trace(si + sj - 2 * cross)
            row.append((xi - yj).square().sum() + (mi - mj).square().sum() + bures)
        rows.append(torch.stack(row))
    cost = torch.stack(rows)
    return cost / cost.mean()


def pot_plan(cost, epsilon):
    n, m = cost.shape
    uniform = np.full(n, 1 / n), np.full(m, 1 / m)
    plan = ot.bregman.sinkhorn_log(
        *uniform, cost.detach().numpy(), float(epsilon), 50_000, stopThr=1e-15
    )
    return torch.from_numpy(plan)


def regularised(plan, cost, epsilon):
    return (plan * cost).sum() + epsilon * (plan * (plan * plan.numel()).log()).sum()


@pytest.mark.parametrize("sizes", [{}, {"m": 1}, {"n": 1, "c": 4}, {"dim": 3}, {"dim": 1}])
def test_value_and_gradients_of_a_naive_transcription(sizes):
    source, target = problem(**sizes)
    found = OTDD(*target, **EXACT).evaluate(*source)
    leaves = [part.clone().requires_grad_() for part in source]
    cost = naive_cost(*leaves, *target)
    epsilon = 0.05 * cost.detach().std(correction=0)
    plan = pot_plan(cost, epsilon)
    torch.testing.assert_close(found.value, regularised(plan, cost, epsilon).detach())
    n = leaves[0].shape[:2].numel()
    grads = torch.autograd.grad((plan * cost).sum(), leaves)
    for part, grad in zip((found.x, found.mean, found.cov), grads, strict=True):
        grad = (grad + grad.mT) / 2 if grad.dim() == 4 else grad
        assert (part - n * grad).norm() <= 1e-9 * (n * grad).norm()
    assert found.converged


def test_gradient_is_the_derivative_of_the_value_at_fixed_epsilon():
    source, target = problem()
    found = OTDD(*target, **EXACT).evaluate(*source)
    epsilon = 0.05 * naive_cost(*source, *target).std(correction=0)
    generator = torch.Generator().manual_seed(3)
    change = [torch.randn(part.shape, generator=generator).double() for part in source]
    change[2] = change[2] + change[2].mT
    step, values = 1e-5, []
    for sign in (1, -1):
        moved = [p + sign * step * q for p, q in zip(source, change, strict=True)]
        cost = naive_cost(*moved, *target)
        values.append(regularised(pot_plan(cost, epsilon), cost, epsilon))
    slope = (values[0] - values[1]) / (2 * step)
    expected = sum(
        (part * direction).sum()
        for part, direction in zip((found.x, found.mean, found.cov), change, strict=True)
    )
    torch.testing.assert_close(expected / source[0].shape[:2].numel(), slope, rtol=1e-6, atol=0)


def test_gradient_of_unrolled_sinkhorn():
    source, target = problem()
    found = OTDD(*target, **EXACT).evaluate(*source)
    x = source[0].clone().requires_grad_()
    cost = naive_cost(x, *source[1:], *target)
    epsilon = 0.05 * cost.detach().std(correction=0)
    g = torch.zeros(6, dtype=torch.float64)
    for _ in range(400):
        f = -epsilon * (torch.logsumexp((g - cost) / epsilon, 1) - np.log(6))
        g = -epsilon * (torch.logsumexp((f[:, None] - cost) / epsilon, 0) - np.log(8))
    plan = ((f[:, None] + g - cost) / epsilon).exp() / 48
    (grad,) = torch.autograd.grad(regularised(plan, cost, epsilon), x)
    torch.testing.assert_close(found.x, 8 * grad, rtol=1e-6, atol=1e-9)


def test_singular_target_covariance_is_allowed():
    source, (y, mean, cov) = problem()
    cov[1] = torch.tensor([[1.0, 1.0], [1.0, 1.0]])
    found = OTDD(y, mean, cov, **EXACT).evaluate(*source)
    cost = naive_cost(*source, y, mean, cov + 1e-13 * torch.eye(2))
    epsilon = 0.05 * cost.std(correction=0)
    expected = regularised(pot_plan(cost, epsilon), cost, epsilon)
    torch.testing.assert_close(found.value, expected, rtol=1e-6, atol=0)
    assert all(part.isfinite().all() for part in (found.x, found.mean, found.cov))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), scale=st.floats(0.1, 10))
def test_invariances(seed, scale):
    source, (y, target_mean, target_cov) = problem(seed=seed)
    x, mean, cov = source
    found = OTDD(y, target_mean, target_cov, **EXACT).evaluate(*source)

    order = torch.randperm(4, generator=torch.Generator().manual_seed(seed))
    shuffled = OTDD(y, target_mean, target_cov, **EXACT).evaluate(
        *(part[:, order] for part in source)
    )
    torch.testing.assert_close(shuffled.value, found.value)
    torch.testing.assert_close(shuffled.x, found.x[:, order])

    generator = torch.Generator().manual_seed(seed)
    turn = torch.linalg.qr(torch.randn(5, 5, generator=generator).double())[0]
    shift = torch.randn(5, generator=generator).double()
    moved = OTDD(y @ turn + shift, target_mean, target_cov, **EXACT).evaluate(
        x @ turn + shift, mean, cov
    )
    torch.testing.assert_close(moved.value, found.value)
    torch.testing.assert_close(moved.x, found.x @ turn)

    scaled = OTDD(scale * y, scale * target_mean, scale**2 * target_cov, **EXACT)
    scaled = scaled.evaluate(scale * x, scale * mean, scale**2 * cov)
    torch.testing.assert_close(scaled.value, found.value)
    torch.testing.assert_close(scaled.x, found.x / scale)
    torch.testing.assert_close(scaled.cov, found.cov / scale**2)


def test_single_precision():
    source, target = problem(d=200)
    exact = OTDD(*target, **EXACT).evaluate(*source)
    options = {"tolerance": 1e-5}
    single = OTDD(*(part.float() for part in target), **options).evaluate(
        *(part.float() for part in source)
    )
    for name in ("value", "x", "mean", "cov"):
        mine, other = getattr(single, name).double(), getattr(exact, name)
        assert (mine - other).norm() <= 1e-4 * other.norm()


def test_sinkhorn_that_does_not_converge_is_reported():
    source, target = problem(n=10, m=10)
    found = OTDD(*target, tolerance=1e-12, max_iterations=2).evaluate(*source)
    assert not found.converged
    assert found.iterations == 2
    assert found.marginal_error > 1e-12
    functional = OTDD(*target, tolerance=1e-12, max_iterations=2)
    state = functional.start(**named(source))
    errors = []
    for count in (1, 2):
        errors.append(functional.evaluate(*source, state["potential"].clone()).marginal_error)
        functional.value_and_grad(state, None)
        assert state["sinkhorn_error"] == max(errors)
        assert state["sinkhorn_failures"] == count


def test_iterations_start_from_the_potential_of_the_last_step():
    source, target = problem()
    functional = OTDD(*target)
    state = functional.start(**named(source))
    potential = None
    for _ in range(3):
        found = functional.evaluate(*source, potential)
        potential = found.potential
        value, grads = functional.value_and_grad(state, None)
        assert value == found.value
        assert all(grads[part].equal(getattr(found, part)) for part in functional.parts)
        assert state["potential"].equal(potential)


class Waits(TorchDispatchMode):
    """Counts the single numbers that the host asks for, each of which makes it wait on a GPU."""

    count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.count += function is torch.ops.aten._local_scalar_dense.default
        return function(*args, **(kwargs or {}))


def test_a_step_asks_for_one_number_beside_those_of_sinkhorns_iterations():
    source, target = problem()
    functional = OTDD(*target)
    state = functional.start(**named(source))
    with Waits() as waits:
        functional.value_and_grad(state, None)
    assert waits.count == 1
    with Waits() as waits:
        assert bool(state["x"].sum() > 0)
    assert waits.count == 1


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_a_step_on_a_gpu_waits_once_a_block_of_iterations_and_once_more():
    source, target = problem(n=40, m=30)
    functional = OTDD(*(part.cuda() for part in target))
    state = functional.start(**named([part.cuda() for part in source]))
    found = functional.evaluate(*(state[part] for part in functional.parts))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            functional.value_and_grad(state, None)
        finally:
            torch.cuda.set_sync_debug_mode("default")
    waits = [w for w in caught if "called a synchronizing" in str(w.message)]
    assert 1 <= len(waits) <= 2 + (found.iterations - 1) // 10


@pytest.mark.parametrize("dim", [2, 3])
def test_flow_decreases_the_value_and_keeps_covariances_positive(dim):
    source, (y, mean, cov) = problem(n=8, m=3, dim=dim)
    cov = 1e-3 * cov  # far below the source's: steps want to leave the cone
    flow = descend(OTDD(y, mean, cov), named(source), AdamW(lr=0.05), steps=150)
    state = flow.state
    assert flow.losses[-1] < 0.7 * flow.losses[0]
    assert state["cov"].equal(state["cov"].mT)
    assert torch.linalg.eigvalsh(state["cov"]).min() >= 0.05 * (1 - 1e-6)
    assert state["raised"] > 0
    assert state["sinkhorn_failures"] == 0
    assert not state["x"].equal(source[0])


def test_divergence_is_left_to_the_loop():
    source, target = problem()
    with pytest.raises(DivergedError, match=r"after step [2-9] at learning rate 1e\+38"):
        descend(OTDD(*target), named(source), AdamW(lr=1e38), steps=99)


def not_positive(cov):
    cov = cov.clone()
    cov[1, 2] = torch.tensor([[1.0, 2.0], [2.0, 1.0]])
    return cov


def test_source_covariance_that_is_not_positive_is_named():
    (x, mean, cov), target = problem()
    with pytest.raises(
        ValueError, match=r"cov\[1\]\[2\] has smallest eigenvalue -1; expected a positive definite"
    ):
        OTDD(*target).evaluate(x, mean, not_positive(cov))


def test_target_covariance_that_is_not_positive_is_named():
    _, (y, mean, cov) = problem()
    cov[2] = torch.diag(torch.tensor([1.0, -0.5]))
    with pytest.raises(ValueError, match=r"target_cov\[2\] has smallest eigenvalue -0.5"):
        OTDD(y, mean, cov)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": lambda x: x[0]}, r"x has shape \(4, 5\)"),
        ({"x": lambda x: x[..., :4]}, "x has dimension 4; expected 5, that of target"),
        (
            {"x": lambda x: x.float()},
            "mean has dtype torch.float64; expected torch.float32, that of x",
        ),
        ({"mean": lambda m: m[:, :2]}, r"mean has shape \(2, 2, 2\); expected \(2, 4, d\)"),
        ({"mean": lambda m: m[..., :1]}, r"cov has shape \(2, 4, 2, 2\); expected \(2, 4, 1, 1\)"),
        ({"cov": lambda c: c[..., 0]}, r"cov has shape \(2, 4, 2\); expected \(2, 4, 2, 2\)"),
    ],
)
def test_bad_source_is_named(change, message):
    source, target = problem()
    arguments = dict(zip(("x", "mean", "cov"), source, strict=True))
    for name, wrong in change.items():
        arguments[name] = wrong(arguments[name])
    with pytest.raises(ValueError, match=message):
        OTDD(*target).evaluate(**arguments)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": torch.zeros(3, 5)}, r"target has shape \(3, 5\); expected \(C, n, d\)"),
        ({"target_mean": torch.zeros(2, 2)}, r"target_mean has shape \(2, 2\); expected \(3, d\)"),
        ({"target_mean": torch.full((3, 2), torch.inf).double()}, r"target_mean\[0, 0\] is inf"),
        ({"target_cov": torch.zeros(3, 3, 3)}, r"target_cov has shape \(3, 3, 3\)"),
        ({"epsilon": 0.0}, "epsilon is 0; expected a finite number above 0"),
        ({"tolerance": 0.0}, "tolerance is 0"),
        ({"max_iterations": 0}, "max_iterations is 0; expected an integer of at least 1"),
    ],
)
def test_bad_target_is_named(change, message):
    _, target = problem()
    names = ("target", "target_mean", "target_cov")
    with pytest.raises(ValueError, match=message):
        OTDD(**{**dict(zip(names, target, strict=True)), **change})


def test_equal_costs_set_no_epsilon():
    one = torch.zeros(1, 1, 2), torch.zeros(1, 1, 2), torch.eye(2).view(1, 1, 2, 2)
    target = torch.ones(1, 1, 2), torch.zeros(1, 2), torch.eye(2).view(1, 2, 2)
    with pytest.raises(ValueError, match="all costs are equal"):
        OTDD(*target).evaluate(*one)
