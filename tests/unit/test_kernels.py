import math

import pytest
import torch

from wowbench.errors import InputError
from wowbench.kernels.gaussian import Gaussian
from wowbench.kernels.imq import InverseMultiquadric
from wowbench.kernels.laplace import Laplace
from wowbench.kernels.riesz import Riesz


@pytest.mark.parametrize(
    ("kernel", "expected"),
    [
        (Riesz(r=1.5), lambda sw: -(sw**1.5)),
        (Gaussian(h=0.3), lambda sw: math.exp(-(sw**2) / (2 * 0.3))),
        (Laplace(h=0.4), lambda sw: math.exp(-sw / 0.4)),
        (InverseMultiquadric(h=0.2), lambda sw: (0.2 + sw**2) ** -0.5),
    ],
)
@pytest.mark.parametrize("sw", [0.0, 1e-3, 0.7, 12.0])
def test_values_are_those_of_the_formulas(kernel, expected, sw):
    cost = torch.tensor(sw**kernel.p, dtype=torch.float64)
    assert kernel.value(cost).item() == pytest.approx(expected(sw), rel=1e-12, abs=1e-300)


def test_the_derivative_of_the_riesz_kernel_is_zero_at_zero():
    assert Riesz(r=1.0).derivative(torch.zeros(1)).item() == 0


@pytest.mark.parametrize("r", [0, 2, -1.0, float("nan")])
def test_the_exponent_is_in_its_interval(r):
    with pytest.raises(InputError, match=rf"^r: got {r} .*(greater than 0|less than 2|finite)"):
        Riesz(r=r)


@pytest.mark.parametrize("kernel", [Gaussian, Laplace, InverseMultiquadric])
@pytest.mark.parametrize("h", [0, -0.5, float("nan"), float("inf")])
def test_bandwidths_are_positive(kernel, h):
    with pytest.raises(InputError, match=f"^h: got {h} .*(greater than|finite)"):
        kernel(h=h)
