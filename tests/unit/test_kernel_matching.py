"""The MMD of matched classes against a transcription, autograd and invariances."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from wowbench.functionals.kernel_matching import KernelMatching

SCALES = (0.25, 0.5, 1, 2, 4)


def classes(c, n, d, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(c, n, d, generator=generator, dtype=torch.float64)


def transcription(x, y):
    """MMD^2 of one class by loops over pairs, with its bandwidth out of the gradient."""
    z = [*x, *y]
    pairs = [(a - b).square().sum() for i, a in enumerate(z) for j, b in enumerate(z) if i != j]
    bandwidth = (sum(pairs) / len(pairs)).detach()

    def mean_kernel(first, second):
        kernels = [
            torch.exp(-(a - b).square().sum() / (scale * bandwidth))
            for a in first
            for b in second
            for scale in SCALES
        ]
        return sum(kernels) / (len(first) * len(second))

    return mean_kernel(x, x) - 2 * mean_kernel(x, y) + mean_kernel(y, y)


@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 4), st.integers(1, 4))
def test_value_and_gradient_are_those_of_a_transcription(c, n, m, d):
    target, x = classes(c, m, d, 1) + 0.5, classes(c, n, d, 2).requires_grad_()
    value = sum(transcription(*pair) for pair in zip(x, target, strict=True)) / c
    (expected,) = torch.autograd.grad(value, x)
    found, grad = KernelMatching(target).evaluate(x.detach())
    torch.testing.assert_close(found, value.detach())
    torch.testing.assert_close(grad, n * c * expected)


def test_it_sees_what_means_do_not():
    # Two classes of one mean, and of unlike spread.
    target = torch.tensor([[[-2.0], [2.0]]])
    value, grad = KernelMatching(target).evaluate(torch.tensor([[[-1.0], [1.0]]]))
    assert value > 0.1
    assert grad.flatten().tolist() == pytest.approx([float(grad[0, 0]), -float(grad[0, 0])])
    assert grad[0, 1] < 0  # steps against it go apart


def test_a_shift_and_a_scaling_of_both_change_no_value():
    x, target = classes(3, 4, 5, 1), classes(3, 2, 5, 2)
    value, grad = KernelMatching(target).evaluate(x)
    shifted = KernelMatching(7 * target + 3).evaluate(7 * x + 3)
    torch.testing.assert_close(shifted, (value, grad / 7))


def test_particles_on_those_of_the_target_stay():
    x = classes(2, 5, 3)
    value, grad = KernelMatching(x.repeat(1, 3, 1)).evaluate(x)
    torch.testing.assert_close(value, torch.zeros_like(value))
    torch.testing.assert_close(grad, torch.zeros_like(grad))


def test_a_class_that_is_one_point_has_no_bandwidth_and_stays():
    x = torch.ones(1, 2, 3)
    value, grad = KernelMatching(x[:, :1]).evaluate(x)
    assert (value.item(), grad.abs().max().item()) == (0, 0)


def test_float32_far_from_the_origin_is_as_exact_as_near_it():
    x, target = classes(2, 6, 40, 1), classes(2, 30, 40, 2)
    exact = KernelMatching(target).evaluate(x)
    near = KernelMatching((target + 100).float()).evaluate((x + 100).float())
    torch.testing.assert_close(near[0].double(), exact[0], rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(near[1].double(), exact[1], rtol=1e-2, atol=1e-4)


def test_classes_and_scales_that_do_not_fit():
    with pytest.raises(ValueError, match="x has 2 classes; expected 3"):
        KernelMatching(classes(3, 2, 5)).evaluate(classes(2, 4, 5))
    with pytest.raises(ValueError, match=r"scales\[1\] is 0"):
        KernelMatching(classes(3, 2, 5), scales=[1.0, 0.0])
