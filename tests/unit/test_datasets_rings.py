"""Rings of the plane."""

import numpy as np
import pytest

from wowbench.datasets.rings import Rings
from wowbench.errors import InputError


def test_they_are_those_of_figure_1():
    part = Rings().load("train")
    assert part.particles.dtype == np.float32
    assert np.bincount(part.labels).tolist() == [80, 80, 80]
    for c, centre in enumerate([(0, 0), (-0.75, 0), (-1.5, 0)]):
        x, y = (part.particles[part.labels == c] - np.float32(centre)).T
        np.testing.assert_allclose(np.hypot(x, y), 0.3, rtol=1e-6)
        turns = np.arctan2(y, x) / (2 * np.pi) % 1
        np.testing.assert_allclose(turns, np.arange(80) / 80, atol=1e-6)


def test_the_first_point_of_a_ring_is_right_of_its_centre():
    part = Rings(n_rings=2, per_class=4, radius=2, spacing=5).load("train")
    expected = [[2, 0], [0, 2], [-2, 0], [0, -2], [7, 0], [5, 2], [3, 0], [5, -2]]
    np.testing.assert_allclose(part.particles, expected, atol=1e-6)
    assert part.classes == ("ring 0", "ring 1")


def test_the_test_split_has_the_same_points():
    train, test = (Rings().load(split) for split in ("train", "test"))
    assert Rings.has_one_split
    assert np.array_equal(train.particles, test.particles)
    assert np.array_equal(train.labels, test.labels)
    assert str(test) == "rings, test split"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"radius": 0}, "radius: got 0 .*greater than 0"),
        ({"radius": float("nan")}, "radius: got nan"),
        ({"spacing": 1e7}, "spacing: got 10000000.0 .*less than or equal to 1e"),
        ({"n_rings": 0}, "n_rings: got 0"),
        ({"per_class": True}, "per_class: got True; expected a number, not true or false"),
    ],
)
def test_refuses_what_is_no_ring(values, message):
    with pytest.raises(InputError, match=f"^rings: {message}"):
        Rings.parse(values, "rings")
