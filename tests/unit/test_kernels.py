import math

import pytest
import torch

from wowbench.kernels import KERNELS, Gaussian, InverseMultiquadric, Laplace, Riesz

EVERY = [Riesz(0.5), Riesz(1.0), Riesz(1.5), Gaussian(0.3), Laplace(0.4), InverseMultiquadric(0.2)]


@pytest.mark.parametrize(
    ("kernel", "expected"),
    [
        (Riesz(1.5), lambda sw: -(sw**1.5)),
        (Gaussian(0.3), lambda sw: math.exp(-(sw**2) / (2 * 0.3))),
        (Laplace(0.4), lambda sw: math.exp(-sw / 0.4)),
        (InverseMultiquadric(0.2), lambda sw: (0.2 + sw**2) ** -0.5),
    ],
)
@pytest.mark.parametrize("sw", [0.0, 1e-3, 0.7, 12.0])
def test_values_are_those_of_the_formulas(kernel, expected, sw):
    cost = torch.tensor(sw**kernel.p, dtype=torch.float64)
    assert kernel.value(cost).item() == pytest.approx(expected(sw), rel=1e-12, abs=1e-300)


@pytest.mark.parametrize("kernel", EVERY, ids=str)
def test_derivatives_are_those_of_the_values(kernel):
    cost = torch.logspace(-4, 2, 13, dtype=torch.float64).requires_grad_()
    (expected,) = torch.autograd.grad(kernel.value(cost).sum(), cost)
    torch.testing.assert_close(kernel.derivative(cost.detach()), expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize("kernel", EVERY, ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_values_and_derivatives_are_finite_at_zero(kernel, dtype):
    zero = torch.zeros(2, dtype=dtype)
    assert kernel.value(zero).isfinite().all()
    assert kernel.derivative(zero).isfinite().all()


def test_the_derivative_of_the_riesz_kernel_is_zero_at_zero():
    assert Riesz(1.0).derivative(torch.zeros(1)).item() == 0


@pytest.mark.parametrize("r", [0, 2, -1.0, float("nan")])
def test_riesz_exponent_is_in_its_interval(r):
    with pytest.raises(ValueError, match=rf"r of the riesz kernel is {r}; expected .* \(0, 2\)"):
        Riesz(r)


@pytest.mark.parametrize("kernel", [Gaussian, Laplace, InverseMultiquadric])
@pytest.mark.parametrize("h", [0, -0.5, float("nan"), float("inf")])
def test_bandwidths_are_positive(kernel, h):
    with pytest.raises(ValueError, match=f"h of the {kernel.name} kernel is {h}; expected .* > 0"):
        kernel(h)


def test_names():
    assert {name: cls.name for name, cls in KERNELS.items()} == {
        name: name for name in ("riesz", "gaussian", "laplace", "imq")
    }
