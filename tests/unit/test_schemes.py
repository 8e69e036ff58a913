"""Schemes against closed forms and torch's own optimiser."""

import pytest
import torch

from wowbench.errors import InputError
from wowbench.flows import descend
from wowbench.functionals import Functional, ParticleFunctional
from wowbench.geometry.bures import raise_eigenvalues
from wowbench.schemes.adamw import AdamW
from wowbench.schemes.momentum import Momentum


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
    ],
)
def test_bad_parameters_are_named(scheme, values, message):
    with pytest.raises(InputError, match=message) as caught:
        scheme(**values)
    assert "\n" not in str(caught.value)
