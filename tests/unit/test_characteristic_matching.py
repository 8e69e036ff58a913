"""Differences of characteristic functions against a transcription, autograd and invariances."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import normalize

from wowbench.functionals.characteristic_matching import CharacteristicMatching


def classes(c, n, d, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(c, n, d, generator=generator, dtype=torch.float64)


def transcription(x, y, frequencies, amplitude, phase):
    """Difference of one class in complex numbers, by amplitudes and phases as they are defined."""
    phi, psi = (torch.exp(1j * (normalize(z, dim=1) @ frequencies.T)).mean(0) for z in (x, y))
    by_amplitude = (phi.abs() - psi.abs()) ** 2
    by_phase = 2 * phi.abs() * psi.abs() * (1 - torch.cos(phi.angle() - psi.angle()))
    return (amplitude * by_amplitude + phase * by_phase).sqrt().mean()


WEIGHTS = st.sampled_from([(0.5, 0.5), (0.9, 0.1), (0.1, 0.9), (1.0, 0.0), (0.0, 1.0)])


@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 4), st.integers(2, 4), WEIGHTS)
def test_value_and_gradient_are_those_of_a_transcription(c, n, m, d, weights):
    if 1 in weights and n == m == 1:  # single points have no difference of amplitudes
        return
    target, x = classes(c, m, d, 1), classes(c, n, d, 2).requires_grad_()
    frequencies = classes(1, 7, d, 3)[0]
    pairs = zip(x, target, strict=True)
    value = sum(transcription(*pair, frequencies, *weights) for pair in pairs) / c
    (expected,) = torch.autograd.grad(value, x)
    matching = CharacteristicMatching(target, amplitude=weights[0], phase=weights[1])
    found, grad = matching.evaluate(x.detach(), frequencies)
    torch.testing.assert_close(found, value.detach())
    torch.testing.assert_close(grad, n * c * expected, rtol=1e-5, atol=1e-7)


def test_lengths_of_particles_do_not_count_and_gradients_are_tangent():
    x, target, frequencies = classes(2, 4, 5, 1), classes(2, 6, 5, 2), classes(1, 9, 5, 3)[0]
    value, grad = CharacteristicMatching(target).evaluate(x, frequencies)
    scaled = CharacteristicMatching(3 * target).evaluate(4 * x, frequencies)
    torch.testing.assert_close(scaled, (value, grad / 4))
    torch.testing.assert_close((grad * x).sum(2), x.new_zeros(2, 4))


def test_amplitudes_alone_see_no_mirror_image():
    # The characteristic functions of x and -x are conjugate.
    x, frequencies = classes(2, 4, 5, 1), classes(1, 9, 5, 3)[0]
    amplitudes = CharacteristicMatching(-x, amplitude=1.0, phase=0.0)
    assert amplitudes.evaluate(x, frequencies)[0].item() == pytest.approx(0, abs=1e-12)
    assert CharacteristicMatching(-x).evaluate(x, frequencies)[0] > 0.1


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_particles_on_those_of_the_target_stay(dtype):
    x, frequencies = classes(2, 4, 5).to(dtype), classes(1, 9, 5, 3)[0].to(dtype)
    value, grad = CharacteristicMatching(x.clone()).evaluate(x, frequencies)
    assert (value.item(), grad.abs().max().item()) == (0, 0)


def test_a_particle_at_the_origin_has_no_direction_to_go():
    x, target, frequencies = classes(1, 3, 4, 1), classes(1, 5, 4, 2), classes(1, 9, 4, 3)[0]
    x[0, 1] = 0
    value, grad = CharacteristicMatching(target).evaluate(x, frequencies)
    assert value.isfinite()
    assert grad.isfinite().all()
    assert grad[0, 1].abs().max() == 0
    assert grad[0, 0].abs().max() > 0


def test_frequencies_are_gaussian_and_new_at_each_step():
    x, target = classes(2, 4, 5, 1), classes(2, 6, 5, 2)
    matching = CharacteristicMatching(target, n_frequencies=1000)
    generator = torch.Generator().manual_seed(0)
    values = [matching.value_and_grad(matching.start(x=x), generator)[0] for _ in range(20)]
    given = torch.Generator().manual_seed(0)
    frequencies = torch.randn(1000, 5, dtype=torch.float64, generator=given)
    torch.testing.assert_close(values[0], matching.evaluate(x, frequencies)[0])
    assert len({value.item() for value in values}) == 20
    # Of other ones the value is within four errors of their mean.
    other = torch.randn(10**5, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(9))
    mean, error = torch.stack(values).mean(), torch.stack(values).std() / 20**0.5
    assert abs(matching.evaluate(x, other)[0] - mean) < 4 * error


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_frequencies": 0}, "n_frequencies is 0; expected an integer of at least 1"),
        ({"amplitude": -1.0}, "amplitude is -1; expected a number of at least 0"),
        ({"phase": float("nan")}, "phase is nan; expected a number of at least 0"),
    ],
)
def test_numbers_that_cannot_be_used(options, message):
    with pytest.raises(ValueError, match=message):
        CharacteristicMatching(classes(3, 2, 5), **options)


def test_classes_that_do_not_fit():
    with pytest.raises(ValueError, match="x has 2 classes; expected 3"):
        CharacteristicMatching(classes(3, 2, 5)).evaluate(classes(2, 4, 5), classes(1, 9, 5)[0])
