"""Schemes against closed forms and torch's own optimiser."""

import math

import pytest
import torch

from wowbench.errors import InputError
from wowbench.flows import descend
from wowbench.functionals import Functional, ParticleFunctional, SlicedMMD
from wowbench.geometry import sample_directions
from wowbench.geometry.bures import raise_eigenvalues
from wowbench.kernels.riesz import Riesz
from wowbench.schemes.adamw import AdamW
from wowbench.schemes.momentum import Momentum
from wowbench.schemes.polyak import Polyak


def normal(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


class Quadratic(ParticleFunctional):
    """1/2 mean of sum_i a_i x_i^2, of WoW gradient a x."""

    def __init__(self, curvature):
        self.curvature = torch.tensor(curvature, dtype=torch.float64)

    def evaluate(self, x):
        grad = self.curvature * x
        return (grad * x).sum(-1).mean() / 2, grad


class Trace(Functional):
    """c tr S, of Euclidean gradient c I, for covariances S."""

    parts = {"cov": "bures"}  # noqa: RUF012

    def __init__(self, slope):
        self.slope = slope

    def value_and_grad(self, state, generator):
        cov = state["cov"]
        grad = self.slope * torch.eye(cov.shape[-1], dtype=cov.dtype).expand_as(cov)
        return self.slope * cov.diagonal(dim1=-2, dim2=-1).sum(), {"cov": grad}


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
def test_momentum_on_a_quadratic_has_its_closed_form(momentum):
    # x_k is the first entry of the k-th power of the iteration's matrix, applied to (x, v).
    curvature, lr, steps = [0.5, 2.0, 3.0], 0.3, 12
    x = normal(2, 4, 3)
    flow = descend(Quadratic(curvature), x, Momentum(lr=lr, momentum=momentum), steps=steps)
    for i, a in enumerate(curvature):
        matrix = torch.tensor([[1 - lr * a, -lr * momentum], [a, momentum]], dtype=torch.float64)
        factor = torch.linalg.matrix_power(matrix, steps)[0, 0]
        torch.testing.assert_close(flow.x[..., i], factor * x[..., i])


def test_a_constant_gradient_shrinks_covariances_by_the_exponential():
    root = normal(2, 3, 2, 2)
    cov, slope, lr, steps = root @ root.mT, 0.7, 0.2, 6
    scheme = Momentum(lr=lr, momentum=0.9)
    flow = descend(Trace(slope), {"cov": cov}, scheme, steps=steps)
    torch.testing.assert_close(flow.state["cov"], (1 - 2 * lr * slope) ** (2 * steps) * cov)
    assert set(flow.state) == {"cov"}


@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.5, 0.8)])
def test_adamw_is_torchs(betas):
    x, curvature = normal(2, 4, 3), [0.5, 2.0, 3.0]
    scheme = AdamW(lr=1e-2, weight_decay=0.3, betas=betas)
    flow = descend(Quadratic(curvature), x, scheme, steps=7)
    leaf = x.clone().requires_grad_()
    adamw = torch.optim.AdamW([leaf], lr=1e-2, weight_decay=0.3, betas=betas)
    for _ in range(7):
        leaf.grad = Quadratic(curvature).evaluate(leaf.detach())[1]
        adamw.step()
    torch.testing.assert_close(flow.x, leaf.detach(), rtol=1e-6, atol=1e-9)


def test_adamw_keeps_covariances_from_the_edge_of_the_cone():
    cov = torch.eye(2, dtype=torch.float64).repeat(2, 3, 1, 1)
    flow = descend(Trace(1.0), {"cov": cov}, AdamW(lr=0.3, weight_decay=0), steps=3)
    # Each step lowers both eigenvalues by lr: 0.7, 0.4, 0.1, of which the last is raised to 0.3.
    torch.testing.assert_close(flow.state["cov"], 0.3 * cov, rtol=1e-6, atol=1e-6)
    assert flow.state["raised"] == 6


@pytest.mark.parametrize(
    ("decay", "factors"),
    [
        ("none", [1, 1, 1, 1]),
        ("linear", [1, 0.75, 0.5, 0.25]),
        ("cosine", [1, (1 + math.sqrt(1 / 2)) / 2, 1 / 2, (1 - math.sqrt(1 / 2)) / 2]),
    ],
)
def test_steps_decay_over_the_flow(decay, factors):
    curvature, lr, x = [0.5, 2.0, 3.0], 0.3, normal(2, 4, 3)
    scheme = Momentum(lr=lr, momentum=0, decay=decay)
    flow = descend(Quadratic(curvature), x, scheme, steps=4)
    for i, a in enumerate(curvature):
        expected = math.prod(1 - lr * factor * a for factor in factors) * x[..., i]
        torch.testing.assert_close(flow.x[..., i], expected)


def test_every_part_decays():
    cov, slope, lr = torch.eye(2, dtype=torch.float64).repeat(1, 1, 1, 1), 0.7, 0.2
    scheme = Momentum(lr=lr, momentum=0, decay="linear")
    flow = descend(Trace(slope), {"cov": cov}, scheme, steps=2)
    expected = ((1 - 2 * lr * slope) * (1 - lr * slope)) ** 2 * cov
    torch.testing.assert_close(flow.state["cov"], expected)
    scheme = AdamW(lr=lr, weight_decay=0, decay="linear")
    # AdamW subtracts its step size from both eigenvalues: 0.2, then 0.1.
    flow = descend(Trace(slope), {"cov": 2 * cov}, scheme, steps=2)
    torch.testing.assert_close(flow.state["cov"], 1.7 * cov, rtol=1e-6, atol=1e-6)


def test_polyak_on_a_sphere_halves_the_distance():
    # F = 1/2 mean |x|^2 has F / |g|^2 = 1/2 everywhere.
    x = normal(2, 4, 3)
    flow = descend(Quadratic([1.0, 1.0, 1.0]), x, Polyak(), steps=5)
    torch.testing.assert_close(flow.x, x / 2**5)
    flow = descend(Quadratic([1.0, 1.0, 1.0]), x, Polyak(relaxation=0.5), steps=5)
    torch.testing.assert_close(flow.x, x * 0.75**5)


def test_polyak_arrives_where_the_functional_is_a_distance():
    # One particle on the line: F is |x - y|, of slope 1, and one step is the whole way.
    mmd = SlicedMMD(torch.tensor([[[2.0]]]), Riesz(r=1), n_directions=1)
    flow = descend(mmd, torch.zeros(1, 1, 1), Polyak(), steps=2)
    assert flow.losses.tolist() == [2, 0]
    assert flow.x.item() == 2


def test_polyak_takes_a_step_of_its_own_for_each_of_several_flows():
    y = normal(2, 6, 3, seed=1)
    x = torch.stack([normal(2, 6, 3), 3 * normal(2, 6, 3, seed=2)])
    theta = sample_directions(9, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    class Along(ParticleFunctional):
        def evaluate(self, x):
            return SlicedMMD(y, Riesz()).evaluate(x, theta)

    together = descend(Along(), x, Polyak(), steps=4)
    for b in range(2):
        torch.testing.assert_close(together.x[b], descend(Along(), x[b], Polyak(), steps=4).x)


def test_polyak_moves_covariances_along_geodesics():
    root = normal(2, 3, 2, 2)
    cov, slope = root @ root.mT, 0.7

    class MeanTrace(Trace):
        def value_and_grad(self, state, generator):
            value, grads = super().value_and_grad(state, generator)
            return value / 6, grads

    # F = c mean tr S falls at the rate 4 c^2 mean tr S: lr = 1 / (4 c), and I - 2 lr c I = I / 2.
    flow = descend(MeanTrace(slope), {"cov": cov}, Polyak(), steps=3)
    torch.testing.assert_close(flow.state["cov"], cov / 4**3)


def test_polyak_stays_at_a_minimum():
    x = normal(2, 4, 3)
    flow = descend(Quadratic([0.0, 0.0, 0.0]), x, Polyak(), steps=2)
    assert torch.equal(flow.x, x)


def test_eigenvalues_above_the_floor_stay():
    q = torch.linalg.qr(normal(3, 3))[0]
    cov = torch.stack([q @ torch.diag(torch.tensor(d).double()) @ q.T for d in DIAGONALS])
    assert raise_eigenvalues(cov, 0.5) == 2
    for matrix, values in zip(cov, DIAGONALS, strict=True):
        expected = torch.tensor([max(value, 0.5) for value in sorted(values)]).double()
        torch.testing.assert_close(torch.linalg.eigvalsh(matrix), expected)


DIAGONALS = [[1.0, 2.0, 3.0], [-1.0, 0.1, 4.0], [0.4, 0.6, 0.7]]


@pytest.mark.parametrize(
    ("scheme", "values", "message"),
    [
        (Momentum, {"lr": 0}, "lr: got 0"),
        (Momentum, {"lr": float("nan")}, "lr: got nan"),
        (Momentum, {"momentum": 1.0}, "momentum: got 1.0"),
        (Momentum, {"momentum": -0.1}, "momentum: got -0.1"),
        (AdamW, {"weight_decay": -1}, "weight_decay: got -1"),
        (AdamW, {"betas": (0.9, 1.0)}, r"betas\[1\]: got 1.0"),
        (AdamW, {"momentum": 0.9}, "unknown key 'momentum'"),
        (Polyak, {"relaxation": 2}, "relaxation: got 2"),
        (Polyak, {"lr": 1}, "unknown key 'lr'"),
        (Momentum, {"decay": "linar"}, "decay: got 'linar'"),
    ],
)
def test_bad_parameters_are_named(scheme, values, message):
    with pytest.raises(InputError, match=message) as caught:
        scheme(**values)
    assert "\n" not in str(caught.value)
