import numpy as np
import ot
import pytest
import torch

from wowbench.geometry.quantiles import (
    interpolation_matrix,
    merge_uniform,
    merge_weighted,
    percentile_matrix,
    resample_quantiles,
)

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("n", "m"), [(1, 1), (1, 7), (7, 1), (6, 4), (4, 6), (5, 3), (12, 12), (3, 12), (12, 3)]
)
def test_resampling_is_the_monotone_coupling(n, m):
    atoms = np.sort(np.random.default_rng(0).normal(size=m))
    plan = ot.emd_1d(np.arange(n, dtype=float), np.arange(m, dtype=float))
    resampled = resample_quantiles(torch.from_numpy(atoms), n)
    np.testing.assert_allclose(resampled, n * plan @ atoms, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("n", "m"), [(1, 1), (1, 5), (6, 4), (5, 3), (8, 8)])
def test_uniform_cells_are_the_support_of_the_coupling(n, m):
    widths, i, j = merge_uniform(n, m, CPU)
    plan = np.zeros((n, m))
    np.add.at(plan, (i.numpy(), j.numpy()), widths.numpy())
    np.testing.assert_allclose(
        plan, ot.emd_1d(np.arange(n, dtype=float), np.arange(m, dtype=float)), atol=1e-15
    )
    assert len(widths) == n + m - np.gcd(n, m)


def test_weighted_cells_are_the_support_of_the_coupling():
    rng = np.random.default_rng(1)
    a, b = rng.dirichlet(np.ones(6), size=2), rng.dirichlet(np.ones(4), size=2)
    widths, i, j = (t.numpy() for t in merge_weighted(torch.from_numpy(a), torch.from_numpy(b)))
    for row in range(2):
        plan = np.zeros((6, 4))
        np.add.at(plan, (i[row], j[row]), widths[row])
        expected = ot.emd_1d(np.arange(6, dtype=float), np.arange(4, dtype=float), a[row], b[row])
        np.testing.assert_allclose(plan, expected, atol=1e-12)


def test_uniform_weights_are_a_case_of_weights():
    weights = torch.full((1, 6), 1 / 6, dtype=torch.float64)
    widths, i, j = merge_weighted(weights, torch.full((1, 4), 1 / 4, dtype=torch.float64))
    plan = torch.zeros(6, 4, dtype=torch.float64)
    plan.index_put_((i[0], j[0]), widths[0], accumulate=True)
    np.testing.assert_allclose(
        plan, ot.emd_1d(np.arange(6, dtype=float), np.arange(4, dtype=float)), atol=1e-12
    )


@pytest.mark.parametrize("n", [1, 2, 5, 99, 100, 101, 250])
def test_percentiles_are_numpys(n):
    atoms = np.sort(np.random.default_rng(0).normal(size=n))
    percentiles = percentile_matrix(n, torch.float64, CPU) @ torch.from_numpy(atoms)
    np.testing.assert_allclose(
        percentiles, np.percentile(atoms, np.linspace(0, 100, 100)), rtol=1e-11, atol=1e-12
    )


def test_interpolation_is_numpys():
    rng = np.random.default_rng(0)
    percentiles, levels = np.sort(rng.normal(size=100)), rng.uniform(size=40)
    interpolated = interpolation_matrix(torch.from_numpy(levels)) @ torch.from_numpy(percentiles)
    expected = np.interp(levels, np.linspace(0, 1, 100), percentiles)
    np.testing.assert_allclose(interpolated, expected, rtol=1e-11, atol=1e-12)
