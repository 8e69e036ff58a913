"""Draws by class: without replacement, nested, and the same everywhere."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wowbench.datasets.base import LabelledParticles
from wowbench.datasets.splits import draw_per_class, permutation
from wowbench.errors import InputError

SIZES = (7, 5, 9)


def numbered(sizes=SIZES, **more) -> LabelledParticles:
    """Images whose first pixel is their class and whose second is their number in it."""
    labels = np.repeat(np.arange(len(sizes)), sizes)
    numbers = np.concatenate([np.arange(size) for size in sizes])
    images = np.stack([labels, numbers], axis=1).astype(np.uint8).reshape(-1, 1, 1, 2)
    order = np.random.default_rng(0).permutation(len(labels))
    names = tuple(f"class-{label}" for label in range(len(sizes)))
    return LabelledParticles(
        images[order], labels[order], names, dataset="toy", split="train", **more
    )


seeds = st.integers(0, 2**63 - 1)


@given(seed=seeds, n=st.integers(1, min(SIZES)))
def test_draws_different_images_of_each_class(seed, n):
    drawn = draw_per_class(numbered(), n, seed=seed)
    assert drawn.dtype == np.uint8
    assert drawn.shape == (3, n, 1, 1, 2)
    for label, images in enumerate(drawn):
        assert (images[..., 0] == label).all()
        assert len(np.unique(images[..., 1])) == n


@given(seed=seeds, n=st.integers(1, min(SIZES)))
def test_a_smaller_draw_begins_a_larger_one(seed, n):
    largest = draw_per_class(numbered(), min(SIZES), seed=seed)
    assert np.array_equal(draw_per_class(numbered(), n, seed=seed), largest[:, :n])


@given(seed=seeds, size=st.integers(1, 50), label=st.integers(0, 20))
def test_is_a_permutation(seed, size, label):
    assert sorted(permutation(size, seed=seed, label=label)) == list(range(size))


def test_is_the_same_in_every_version_of_numpy():
    # The raw outputs of PCG64 are fixed, so that this order is, too.
    assert permutation(10, seed=2025, label=3).tolist() == [3, 6, 8, 9, 2, 7, 0, 5, 1, 4]


def test_seeds_and_classes_give_different_orders():
    orders = {
        tuple(permutation(20, seed=seed, label=label)) for seed in range(20) for label in range(20)
    }
    assert len(orders) == 400


def test_every_image_is_as_likely():
    firsts = [int(permutation(8, seed=seed, label=0)[0]) for seed in range(4000)]
    # Chi-squared with 7 degrees of freedom is above 24.3 once in a thousand.
    counts = np.bincount(firsts, minlength=8)
    assert ((counts - 500) ** 2 / 500).sum() < 24.3


def test_names_the_class_that_has_too_few():
    with pytest.raises(InputError) as error:
        draw_per_class(numbered(bundled=True), 6, seed=0)
    assert str(error.value) == (
        "toy (bundled subset), train split: class 1 ('class-1') has 5 images, "
        "and 6 per class are needed"
    )


@pytest.mark.parametrize(
    ("n", "seed", "message"),
    [
        (0, 0, "n_per_class must be at least 1, got 0"),
        (-3, 0, "n_per_class must be at least 1, got -3"),
        (1, -1, "seed must be at least 0, got -1"),
    ],
)
def test_refuses_numbers_out_of_range(n, seed, message):
    with pytest.raises(InputError, match=message):
        draw_per_class(numbered(), n, seed=seed)


def test_points_are_drawn_as_they_are():
    points = np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32)
    labels = np.array([0, 1, 0, 1, 0, 1])
    part = LabelledParticles(points, labels, ("a", "b"), dataset="plane", split="train")
    drawn = draw_per_class(part, 3, seed=5)
    assert drawn.dtype == np.float32
    for label, of_class in enumerate(drawn):
        assert {tuple(p) for p in of_class} == {tuple(p) for p in points[labels == label]}
    with pytest.raises(InputError, match=r"class 0 \('a'\) has 3 points, and 4 per class are nee"):
        draw_per_class(part, 4, seed=5)
