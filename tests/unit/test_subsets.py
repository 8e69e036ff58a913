"""Pairs of subsets: their sizes, that they share no particle, and that seeds tell all."""

import numpy as np
import pytest

from wowbench.datasets.base import LabelledParticles
from wowbench.datasets.splits import members_by_class, members_per_class
from wowbench.datasets.subsets import Subsets
from wowbench.errors import InputError

SIZES = (40, 25, 35)


def labelled(sizes=SIZES, name="some"):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    points = np.arange(len(labels), dtype=np.float32)[:, None]
    classes = tuple(map(str, range(len(sizes))))
    return LabelledParticles(points, labels, classes, name, "train")


def subsets(**changes):
    values = {"pairs": 3, "source_seed": 1, "target_seed": 2, **changes}
    return Subsets.parse(values, "subsets")


def joined(classes):
    return np.concatenate(classes).tolist()


def test_a_longer_draw_begins_with_a_shorter_one_and_goes_on_behind_what_it_skips():
    data = labelled()
    for draw in (members_per_class, members_by_class):
        whole = [set(map(int, m)) for m in draw(data, 20, seed=3)]
        first = [set(map(int, m)) for m in draw(data, 8, seed=3)]
        rest = [set(map(int, m)) for m in draw(data, 12, seed=3, skip=8)]
        assert [a | b for a, b in zip(first, rest, strict=True)] == whole
        assert not any(a & b for a, b in zip(first, rest, strict=True))


def test_members_are_of_the_class_under_whose_number_they_stand():
    data = labelled()
    for classes in (members_per_class(data, 5, seed=0), members_by_class(data, 30, seed=0)):
        for label, members in enumerate(classes):
            assert (data.labels[members] == label).all()


def test_both_subsets_of_one_dataset_are_equally_large_and_disjoint():
    data = labelled()
    sizes = set()
    for pair in range(3):
        a, b = subsets(sizes=[10, 50]).members(pair, data, data, disjoint=True)
        one, other = joined(a), joined(b)
        assert len(one) == len(other) == len(set(one + other)) / 2
        assert 10 <= len(one) <= 50
        sizes.add(len(one))
    assert len(sizes) == 3
    a, b = subsets(per_class=12).members(0, data, data, disjoint=True)
    assert [len(x) for x in (*a, *b)] == [12] * 6
    assert not set(joined(a)) & set(joined(b))


def test_the_draw_of_a_dataset_is_the_same_whatever_it_is_compared_with():
    one, other = labelled(), labelled((30, 30), "other")
    drawn = subsets(per_class=6)
    mine, theirs = drawn.members(1, one, other, disjoint=False)
    with_itself, _ = drawn.members(1, one, one, disjoint=True)
    assert joined(mine) == joined(with_itself)
    assert [len(x) for x in theirs] == [6, 6]
    again, _ = drawn.members(2, one, other, disjoint=False)
    assert joined(again) != joined(mine)
    seeded, moved = subsets(per_class=6, target_seed=9).members(1, one, other, disjoint=False)
    assert joined(seeded) == joined(mine)
    assert joined(moved) != joined(theirs)


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ({"per_class": 13}, r"some, train split: class 1 \('1'\) has 25 points, and 26 per class"),
        ({"sizes": [51, 51]}, "some, train split has 100 points, and 102 are needed"),
    ],
)
def test_fewer_particles_than_two_subsets_need_are_refused(size, message):
    data = labelled()
    with pytest.raises(InputError, match=message):
        subsets(**size).members(0, data, data, disjoint=True)


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ({}, "expected either `sizes` or `per_class`"),
        ({"sizes": [1, 2], "per_class": 3}, "expected either `sizes` or `per_class`"),
        ({"sizes": [3, 2]}, r"got \[3, 2\]; expected the smallest size, then the largest"),
    ],
)
def test_a_size_that_says_nothing_is_refused(size, message):
    with pytest.raises(InputError, match=message):
        subsets(**size)
