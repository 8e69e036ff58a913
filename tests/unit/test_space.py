"""Units: what is stored, natural values, coordinates, and the way from one to another."""

import doctest

import numpy as np
import pytest
import torch

from wowbench import space
from wowbench.space import Chart, Space

IMAGES = np.random.default_rng(0).integers(0, 256, (7, 3, 5, 4), dtype=np.uint8)
POINTS = np.random.default_rng(1).normal(3, 2, (50, 2)).astype(np.float32)


@pytest.mark.parametrize(
    ("stored", "natural", "axes"),
    [(IMAGES, IMAGES / 255, (0, 2, 3)), (POINTS, POINTS.astype(np.float64), 0)],
)
def test_a_chart_has_the_moments_of_each_channel(stored, natural, axes):
    chart = Chart.of(stored)
    assert chart.mean.dtype == chart.std.dtype == np.float32
    np.testing.assert_allclose(chart.mean, natural.mean(axes), rtol=1e-6)
    np.testing.assert_allclose(chart.std, natural.std(axes), rtol=1e-6)
    standard = Space(stored.shape[1:], chart).enter(stored)
    np.testing.assert_allclose(standard.mean(axes), 0, atol=1e-5)
    np.testing.assert_allclose(standard.numpy().std(axes), 1, rtol=1e-5)


def test_a_chart_counts_more_images_than_it_looks_at_at_once(monkeypatch):
    whole = Chart.of(IMAGES)
    monkeypatch.setattr(space, "_AT_ONCE", 2)
    parts = Chart.of(IMAGES)
    assert (parts.mean == whole.mean).all()
    assert (parts.std == whole.std).all()


@pytest.mark.parametrize("constant", [IMAGES * 0 + 9, POINTS * 0 + 9, POINTS * 0 + 1e-30])
def test_a_constant_channel_has_standard_deviation_one(constant):
    constant = constant.astype(np.uint8 if constant.ndim == 4 else np.float32)
    assert (Chart.of(constant).std == 1).all()


@pytest.mark.parametrize("stored", [IMAGES, POINTS])
@pytest.mark.parametrize("as_tensor", [np.asarray, torch.from_numpy])
def test_coordinates_lead_back_to_natural_values_whatever_stands_before_the_shape(
    stored, as_tensor
):
    whole = Space(stored.shape[1:], Chart.of(stored))
    by_class = stored[:6].reshape(2, 3, *stored.shape[1:])
    coordinates = whole.enter(as_tensor(by_class))
    assert coordinates.shape == by_class.shape
    assert torch.equal(coordinates.flatten(0, 1), whole.enter(as_tensor(stored))[:6])
    back = whole.leave(coordinates)
    torch.testing.assert_close(back, whole.natural(by_class))
    torch.testing.assert_close(whole.standardise(back), coordinates)


def test_without_a_chart_coordinates_are_natural_values():
    levels = torch.tensor([0, 51, 255], dtype=torch.uint8).reshape(1, 1, 1, 3)
    plain = Space((1, 1, 3))
    assert plain.enter(levels).dtype == torch.float32
    assert plain.enter(levels).flatten().tolist() == pytest.approx([0, 0.2, 1])
    points = torch.from_numpy(POINTS)
    assert torch.equal(Space((2,)).enter(points), points)
    assert torch.equal(Space((2,)).leave(points), points)


def test_refuses_to_guess_the_units_of_another_dtype():
    for other in (torch.zeros(1, 2, dtype=torch.float64), torch.zeros(1, 2, dtype=torch.int64)):
        with pytest.raises(ValueError, match=f"must be uint8 or float32, got {other.dtype}"):
            Space((2,)).natural(other)


def test_particles_are_clipped_to_bounds_where_there_are_any():
    particles = torch.tensor([[-0.5, 0.25], [1.5, 1.0]])
    assert Space((2,), bounds=(0, 1)).project(particles).tolist() == [[0, 0.25], [1, 1]]
    assert torch.equal(Space((2,)).project(particles), particles)


@pytest.mark.parametrize("bounds", [(1, 0), (0, 0), (0, float("inf")), (float("nan"), 1)])
def test_refuses_bounds_that_are_none(bounds):
    with pytest.raises(ValueError, match="expected two numbers, the lower first"):
        Space((2,), bounds=bounds)


def test_refuses_bounds_beside_a_chart():
    with pytest.raises(ValueError, match=r"bounds \(0, 1\) are in natural units; expected no ch"):
        Space((2,), Chart.of(POINTS), bounds=(0, 1))


def test_its_example_prints_what_it_says():
    found = doctest.testmod(space)
    assert found.attempted > 0
    assert found.failed == 0
