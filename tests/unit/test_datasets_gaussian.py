"""Gaussian noise: its distribution, its streams, and parameters that do not go together."""

from statistics import NormalDist

import numpy as np
import pytest
from scipy.stats import kstest

from wowbench.datasets.gaussian import Gaussian
from wowbench.errors import InputError


def blocks(split="train", **parameters):
    """Particles by block, (C, n, *shape)."""
    dataset = Gaussian(**parameters)
    part = dataset.load(split)
    assert part.particles.dtype == np.float32
    return np.stack([part.particles[part.labels == c] for c in range(len(part.classes))])


def test_its_numbers_are_normal_and_independent():
    drawn = blocks(dimensions=[2, 3], n_blocks=2, per_class=2000).reshape(2, 2000, 6)
    # 24,000 numbers: the test statistic passes this level once in a thousand seeds.
    assert kstest(drawn.ravel(), "norm").pvalue > 1e-3
    columns = np.concatenate(drawn, axis=1).T
    assert np.abs(np.corrcoef(columns) - np.eye(12)).max() < 5 / 2000**0.5


def test_it_starts_the_rings_at_a_point_of_the_plane():
    drawn = blocks(mean=[-0.3, 0], std=0.01)
    assert drawn.shape == (3, 80, 2)
    # 240 particles: five standard errors.
    np.testing.assert_allclose(drawn.mean((0, 1)), [-0.3, 0], atol=5 * 0.01 / 240**0.5)
    np.testing.assert_allclose(drawn.std((0, 1)), 0.01, rtol=5 / 480**0.5)


def test_one_mean_is_that_of_all_numbers_and_several_are_the_channels():
    plain = blocks(dimensions=[3, 4, 5], n_blocks=1, per_class=10)
    moved = blocks(dimensions=[3, 4, 5], n_blocks=1, per_class=10, mean=2, std=0.5)
    np.testing.assert_allclose(moved, 2 + 0.5 * plain, rtol=1e-6, atol=1e-6)
    each = blocks(dimensions=[3, 4, 5], n_blocks=1, per_class=10, mean=[1, 2, 3])
    means = np.array([1, 2, 3]).reshape(3, 1, 1)
    np.testing.assert_allclose(each, means + plain, rtol=1e-6, atol=1e-6)


def test_its_numbers_are_quantiles_of_raw_outputs_that_numpy_keeps():
    bits = np.random.PCG64(np.random.SeedSequence(7, spawn_key=(1, 2)))
    quantile = NormalDist().inv_cdf
    expected = [quantile(((int(raw) >> 12) + 0.5) / 2**52) for raw in bits.random_raw(8)]
    drawn = blocks("test", dimensions=[4], per_class=2, seed=7)[2]
    np.testing.assert_allclose(drawn.ravel(), expected, rtol=1e-6)


def test_the_largest_and_the_smallest_output_give_finite_numbers(monkeypatch):
    for raw in (0, 2**64 - 1):
        outputs = type("Bits", (), {"random_raw": lambda self, n, raw=raw: np.full(n, raw, "u8")})
        monkeypatch.setattr(np.random, "PCG64", lambda seed, outputs=outputs: outputs())
        assert np.isfinite(blocks(per_class=1)).all()


def test_splits_blocks_and_seeds_have_streams_of_their_own():
    drawn = [blocks(split, seed=seed) for split in ("train", "test") for seed in (0, 1)]
    points = np.concatenate(drawn).reshape(-1, 2)
    assert len(np.unique(points, axis=0)) == len(points) == 4 * 3 * 80


def test_fewer_particles_are_the_beginning_of_more():
    few, many = blocks(per_class=5, n_blocks=2), blocks(per_class=9, n_blocks=3)
    assert np.array_equal(few, many[:2, :5])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"mean": [1, 2, 3]}, "mean has 3 numbers; expected one, or 2, the first of `dimensions`"),
        ({"dimensions": []}, r"dimensions: got \[\] \(list\)"),
        ({"dimensions": [2, 0]}, r"dimensions\[1\]: got 0"),
        ({"std": 0}, "std: got 0 .*greater than or equal to 1e-06"),
        ({"mean": float("inf")}, r"mean\[0\]: got inf"),
        ({"mean": [0, "x"]}, r"mean\[1\]: got 'x' \(str\)"),
        ({"mean": []}, r"mean: got \[\] \(list\)"),
        (
            {"dimensions": [3, 4096, 4096], "per_class": 1000},
            r"a split would have 150,994,944,000 numbers; expected at most 200,000,000",
        ),
    ],
)
def test_refuses_parameters_that_do_not_go_together(values, message):
    with pytest.raises(InputError, match=f"^gaussian: {message}") as caught:
        Gaussian.parse(values, "gaussian")
    assert "\n" not in str(caught.value)
