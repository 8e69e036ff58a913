"""What a dataset and its splits are held to, and scikit-learn's digits."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from wowbench.datasets.base import LabelledParticles
from wowbench.datasets.digits import Digits
from wowbench.datasets.mnist import KMNIST, MNIST
from wowbench.datasets.usps import USPS
from wowbench.errors import InputError


def labelled(particles, labels):
    return LabelledParticles(particles, labels, ("a", "b"), dataset="toy", split="train")


def images(*shape):
    return np.zeros(shape, np.uint8)


def points(*values):
    return np.array(values, np.float32)


@pytest.mark.parametrize(
    ("particles", "labels", "message"),
    [
        (
            np.zeros((2, 1, 3, 3)),
            [0, 1],
            r"must be an array, uint8 .* or float32 .*, got float64",
        ),
        (torch.zeros(2, 1, 3, 3).byte(), [0, 1], r"got torch.uint8 of shape \(2, 1, 3, 3\)"),
        (images(2, 3, 3), [0, 1], r"got uint8 of shape \(2, 3, 3\)"),
        (points(1, 2), [0, 1], r"got float32 of shape \(2,\)"),
        (images(2, 1, 3, 3), [0], r"labels must be an int64 array .*\(2,\), got"),
        (images(1, 1, 3, 3), [0.0], r"got float64 of shape \(1,\)"),
        (images(2, 1, 3, 3), [0, 2], r"lie in 0\.\.1, got 0\.\.2"),
        (images(2, 1, 3, 3), [-1, 0], r"lie in 0\.\.1, got -1\.\.0"),
        (images(0, 1, 3, 3), np.zeros(0, np.int64), "there is no particle"),
        (points([0, 0], [0, np.nan]), [0, 1], "particle 1 has the value nan; expected finite"),
        (points([-np.inf, 0], [0, 1]), [0, 1], "particle 0 has the value -inf; expected finite"),
    ],
)
def test_refuses_what_is_no_split(particles, labels, message):
    with pytest.raises(InputError, match=f"^toy, train split: .*{message}") as caught:
        labelled(particles, np.array(labels))
    assert "\n" not in str(caught.value)


def test_a_split_knows_its_size_and_shape():
    part = labelled(images(2, 1, 3, 4), np.array([0, 1]))
    assert len(part) == 2
    assert part.shape == (1, 3, 4)
    assert str(part) == "toy, train split"
    part = labelled(points([1, 2], [3, 4], [5, 6]), np.array([0, 1, 1]))
    assert (len(part), part.shape) == (3, (2,))


def test_an_id_tells_two_uses_of_a_dataset_apart():
    assert (USPS().label, USPS().slug) == ("USPS", "USPS")
    small = USPS(id="USPS-16", image_size=None)
    assert (small.label, small.slug) == ("USPS-16", "USPS-16")
    assert MNIST(bundled=True).label == "MNIST"
    assert MNIST(id="few", bundled=True).slug == "few-bundled"


@pytest.mark.parametrize(
    ("cls", "values", "message"),
    [
        (KMNIST, {"bundled": True}, "the package holds no subset of KMNIST; leave out `bundled`"),
        (MNIST, {"bundled": "perhaps"}, r"bundled: got 'perhaps' \(str\); "),
        (MNIST, {"image_size": 1}, r"image_size: got 1 \(int\); .*greater than or equal to 2"),
        (MNIST, {"image_size": 28.5}, r"image_size: got 28.5 \(float\); "),
        (MNIST, {"image_size": [28, 28]}, r"image_size: got \[28, 28\] \(list\); "),
        (MNIST, {"id": "USPS"}, "id 'USPS' is the name of another dataset"),
        (MNIST, {"sise": 28}, "unknown key 'sise'; "),
    ],
)
def test_refuses_bad_parameters(cls, values, message):
    with pytest.raises(InputError, match=f"^here: {message}"):
        cls.parse(values, "here")


def test_parameters_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        MNIST().bundled = True


def test_digits_are_all_there_with_a_fifth_of_each_class_for_the_test():
    data = load_digits()
    train, test = (Digits().load(split) for split in ("train", "test"))
    counts = np.bincount(data.target)
    assert np.bincount(test.labels).tolist() == [round(count / 5) for count in counts]
    np.testing.assert_array_equal(np.bincount(train.labels) + np.bincount(test.labels), counts)
    theirs = sorted((data.images * 255 / 16 + 0.5).astype(np.uint8).reshape(1797, -1).tolist())
    ours = np.concatenate([train.particles, test.particles]).reshape(1797, -1)
    # Halves are rounded to even here and up there.
    assert np.abs(np.array(sorted(ours.tolist())) - theirs).max() <= 1


def test_digits_can_be_moved_to_the_size_of_mnist():
    dataset = Digits(image_size=28)
    assert dataset.shape == dataset.load("test").shape == MNIST().shape
