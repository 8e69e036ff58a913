"""Distribution matching against its definition, autograd and invariances."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from wowbench.functionals.distribution_matching import DistributionMatching


def classes(c, n, d, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(c, n, d, generator=generator, dtype=torch.float64)


def test_value_of_a_pair_of_points():
    # Means differ by (3, 4) in one class and by nothing in the other: (25 + 0) / 2.
    target = torch.tensor([[[3.0, 4.0]], [[1.0, 1.0]]])
    x = torch.tensor([[[-1.0, 0.0], [1.0, 0.0]], [[1.0, 2.0], [1.0, 0.0]]])
    value, grad = DistributionMatching(target).evaluate(x)
    assert value.item() == 12.5
    # d/dm |m - (3, 4)|^2 at 0, of every particle of the class.
    assert grad.tolist() == [[[-6.0, -8.0]] * 2, [[0.0, 0.0]] * 2]


@given(st.integers(1, 4), st.integers(1, 5), st.integers(1, 5), st.integers(1, 4))
def test_gradient_is_n_times_c_times_that_of_autograd(c, n, m, d):
    target, x = classes(c, m, d, 1), classes(c, n, d, 2).requires_grad_()
    value = ((x.mean(1) - target.mean(1)) ** 2).sum() / c
    (expected,) = torch.autograd.grad(value, x)
    given_value, grad = DistributionMatching(target).evaluate(x.detach())
    torch.testing.assert_close(given_value, value.detach())
    torch.testing.assert_close(grad, n * c * expected)


def test_a_shift_of_both_changes_nothing():
    x, target = classes(3, 4, 5, 1), classes(3, 2, 5, 2)
    value, grad = DistributionMatching(target).evaluate(x)
    shifted = DistributionMatching(target + 7).evaluate(x + 7)
    torch.testing.assert_close(shifted, (value, grad))


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (classes(2, 4, 5), "x has 2 classes; expected 3"),
        (classes(3, 4, 6), "x has dimension 6; expected 5"),
        (classes(3, 4, 5).float(), "x has dtype torch.float32; expected torch.float64"),
        (classes(3, 4, 5)[0], r"x has shape \(4, 5\); expected \(C, n, d\)"),
    ],
)
def test_classes_that_do_not_fit(x, message):
    with pytest.raises(ValueError, match=message):
        DistributionMatching(classes(3, 2, 5)).evaluate(x)
