import re

import numpy as np
import ot
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wowbench.geometry import pairs, sample_directions, sliced_wasserstein_squared

SEEDS = st.integers(0, 2**32 - 1)


def normal(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def directions_of(dim, n_directions=7, seed=3):
    generator = torch.Generator().manual_seed(seed)
    return sample_directions(n_directions, dim, generator=generator, dtype=torch.float64)


def simplex(*shape, seed=0):
    return torch.softmax(normal(*shape, seed=seed), -1)


def pot_costs(x, y, directions, p=2, x_weights=None, y_weights=None):
    """SW_p^p by POT, one pair after the other."""
    theta = directions.numpy().T
    x_weights = [None] * len(x) if x_weights is None else [w.numpy() for w in x_weights]
    y_weights = [None] * len(y) if y_weights is None else [w.numpy() for w in y_weights]
    return torch.tensor(
        [
            [
                ot.sliced_wasserstein_distance(a.numpy(), b.numpy(), u, v, projections=theta, p=p)
                ** p
                for b, v in zip(y, y_weights, strict=True)
            ]
            for a, u in zip(x, x_weights, strict=True)
        ],
        dtype=torch.float64,
    )


def assert_same(actual, expected, rtol=1e-9):
    torch.testing.assert_close(actual, expected, rtol=rtol, atol=1e-14)


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("dim", [1, 2, 30])
@pytest.mark.parametrize(("n", "m"), [(5, 5), (6, 4), (4, 6), (7, 1), (1, 7), (1, 1), (3, 8)])
def test_costs_are_pots(p, dim, n, m):
    x, y = normal(3, n, dim), normal(2, m, dim, seed=1) + 0.5
    theta = directions_of(dim)
    assert_same(sliced_wasserstein_squared(x, y, theta, p=p), pot_costs(x, y, theta, p))


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("cells_per_block", [1, 30, 1 << 22])
def test_costs_of_ragged_and_weighted_classes_are_pots(monkeypatch, p, cells_per_block):
    monkeypatch.setattr(pairs, "CELLS_PER_BLOCK", cells_per_block)
    sizes_x, sizes_y = (3, 5, 1), (4, 6)
    x = [normal(n, 4, seed=n) for n in sizes_x]
    y = [normal(n, 4, seed=n) for n in sizes_y]
    a, b = [simplex(n, seed=n) for n in sizes_x], [simplex(n, seed=n) for n in sizes_y]
    theta = directions_of(4)
    for weights in ({}, {"x_weights": a}, {"y_weights": b}, {"x_weights": a, "y_weights": b}):
        actual = sliced_wasserstein_squared(x, y, theta, p=p, **weights)
        assert_same(actual, pot_costs(x, y, theta, p, **weights))


@pytest.mark.parametrize("p", [1, 2])
def test_weights_of_stacked_classes(p):
    x, y, a, b = normal(3, 5, 2), normal(2, 4, 2, seed=1), simplex(3, 5), simplex(2, 4)
    theta = directions_of(2)
    actual = sliced_wasserstein_squared(x, y, theta, p=p, x_weights=a, y_weights=b)
    assert_same(actual, pot_costs(x, y, theta, p, a, b))


def test_integer_weights_stand_for_repeated_particles():
    x, y, theta = normal(1, 3, 2), normal(1, 4, 2, seed=1), directions_of(2)
    repeats = torch.tensor([3, 1, 2])
    weights = (repeats / repeats.sum(dtype=torch.float64))[None]
    repeated = x[0].repeat_interleave(repeats, dim=0)[None]
    assert_same(
        sliced_wasserstein_squared(x, y, theta, x_weights=weights),
        sliced_wasserstein_squared(repeated, y, theta),
    )


def transcribed_linear(x, y, directions, levels, p):
    """The authors' approximation, one pair and one direction after the other."""
    probabilities = np.linspace(0, 1, 100)
    costs = np.zeros((len(x), len(y)))
    for c, a in enumerate(x):
        for e, b in enumerate(y):
            for theta, u in zip(directions, levels, strict=True):
                a_percentiles = np.percentile(a @ theta, probabilities * 100)
                b_percentiles = np.percentile(b @ theta, probabilities * 100)
                gaps = np.interp(u, probabilities, a_percentiles) - np.interp(
                    u, probabilities, b_percentiles
                )
                costs[c, e] += np.mean(np.abs(gaps) ** p) / len(directions)
    return torch.from_numpy(costs)


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("ragged", [False, True])
def test_linear_quantiles_are_the_transcription(p, ragged):
    x, y, theta = normal(3, 7, 4), normal(2, 120, 4, seed=1), directions_of(4)
    if ragged:
        x, y = [x[0], x[1, :5], x[2, :1]], [y[0], y[1, :50]]
    levels = torch.rand(7, 100, generator=torch.Generator().manual_seed(8), dtype=torch.float64)
    expected = transcribed_linear(
        [a.numpy() for a in x], [b.numpy() for b in y], theta.numpy(), levels.numpy(), p
    )
    actual = sliced_wasserstein_squared(
        x, y, theta, p=p, quantiles="linear", generator=torch.Generator().manual_seed(8)
    )
    assert_same(actual, expected)


def test_linear_quantiles_keep_apart_what_coincides():
    """A class exactly on few atoms has a positive distance to them: the minimiser changes."""
    y = normal(1, 5, 3)
    x, theta = y.repeat_interleave(4, dim=1), directions_of(3)
    generator = torch.Generator().manual_seed(0)
    linear = sliced_wasserstein_squared(x, y, theta, quantiles="linear", generator=generator)
    assert sliced_wasserstein_squared(x, y, theta).item() == 0
    assert linear.item() > 1e-3


@pytest.mark.parametrize("p", [1, 2])
def test_costs_to_itself_are_exactly_zero(p):
    x = normal(4, 6, 5, dtype=torch.float32)
    costs = sliced_wasserstein_squared(x, x.flip(1), directions_of(5).float(), p=p)
    assert (costs.diagonal() == 0).all()
    assert (costs + torch.eye(4) > 0).all()


def test_small_distances_far_from_the_origin_keep_their_precision():
    x, theta = normal(1, 50, 8, dtype=torch.float32) + 30, directions_of(8).float()
    y = x + 1e-3
    expected = pot_costs(x.double(), y.double(), theta.double())
    torch.testing.assert_close(
        sliced_wasserstein_squared(x, y, theta).double(), expected, rtol=1e-2, atol=0
    )


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("m", [200, 60])
def test_single_precision_is_close_to_double(p, m):
    x, y, theta = normal(3, 200, 40), normal(4, m, 40, seed=1), directions_of(40, 30)
    single = sliced_wasserstein_squared(x.float(), y.float(), theta.float(), p=p)
    assert single.dtype == torch.float32
    assert_same(single.double(), sliced_wasserstein_squared(x, y, theta, p=p), rtol=1e-5)


@settings(deadline=None, max_examples=25)
@given(SEEDS, st.sampled_from([1, 2]), st.integers(1, 6), st.integers(1, 6), st.integers(1, 4))
def test_invariances(seed, p, n, m, dim):
    x, y = normal(2, n, dim, seed=seed), normal(3, m, dim, seed=seed + 1)
    theta = directions_of(dim, seed=seed)
    costs = sliced_wasserstein_squared(x, y, theta, p=p)
    shuffled = x[:, torch.randperm(n, generator=torch.Generator().manual_seed(seed))]
    shift = normal(dim, seed=seed + 2)
    rotation = torch.linalg.qr(normal(dim, dim, seed=seed + 3)).Q
    for a, b, t in (
        (shuffled, y, theta),
        (x + shift, y + shift, theta),
        (x @ rotation.T, y @ rotation.T, theta @ rotation.T),
    ):
        torch.testing.assert_close(
            sliced_wasserstein_squared(a, b, t, p=p), costs, rtol=1e-9, atol=1e-12
        )
    torch.testing.assert_close(
        sliced_wasserstein_squared(y, x, theta, p=p), costs.T, rtol=1e-12, atol=1e-14
    )
    torch.testing.assert_close(
        sliced_wasserstein_squared(2 * x, 2 * y, theta, p=p), 2**p * costs, rtol=1e-12, atol=1e-14
    )


@settings(deadline=None, max_examples=25)
@given(SEEDS, st.sampled_from([1, 2]))
def test_triangle_inequality(seed, p):
    x, theta = normal(3, 5, 2, seed=seed), directions_of(2, seed=seed)
    distances = sliced_wasserstein_squared(x, x, theta, p=p) ** (1 / p)
    assert distances[0, 2] <= distances[0, 1] + distances[1, 2] + 1e-12


def test_translation_costs_its_projected_length():
    x, theta, shift = normal(1, 5, 3), directions_of(3), normal(3, seed=5)
    cost = sliced_wasserstein_squared(x, x + shift, theta)
    torch.testing.assert_close(cost, (theta @ shift).square().mean().reshape(1, 1))


@pytest.mark.parametrize("p", [1, 2])
def test_costs_are_differentiable(p):
    x, y, theta = normal(2, 4, 3).requires_grad_(), normal(2, 6, 3, seed=1), directions_of(3)
    assert torch.autograd.gradcheck(lambda z: sliced_wasserstein_squared(z, y, theta, p=p), x)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
@pytest.mark.parametrize("p", [1, 2])
def test_the_gpu_agrees_with_the_cpu(p):
    x, y, theta = normal(3, 20, 9).float(), normal(4, 15, 9, seed=1).float(), directions_of(9)
    theta = theta.float()
    on_gpu = sliced_wasserstein_squared(x.cuda(), y.cuda(), theta.cuda(), p=p).cpu()
    torch.testing.assert_close(on_gpu, sliced_wasserstein_squared(x, y, theta, p=p))


X, THETA = normal(2, 3, 4), directions_of(4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": X[0]}, "x has shape (3, 4); expected (C, n, d)"),
        ({"y": X[:, :0]}, "y has shape (2, 0, 4)"),
        ({"y": X[..., :2]}, "y has dimension 2; expected 4"),
        ({"y": X.float()}, "y has dtype torch.float32; expected torch.float64"),
        ({"y": X.log()}, "y["),
        ({"y": []}, "y is an empty list"),
        ({"directions": THETA[:, :3]}, "directions has dimension 3; expected 4"),
        ({"directions": THETA[0]}, "directions has shape (4,); expected (L, d)"),
        ({"directions": THETA[:0]}, "directions has shape (0, 4); expected (L, d)"),
        ({"directions": THETA.float()}, "directions has dtype torch.float32"),
        ({"directions": None}, "directions is of type NoneType; expected a tensor (L, d)"),
        ({"quantiles": "linera"}, "quantiles is 'linera'; did you mean 'linear'?"),
        ({"quantiles": "linear"}, "generator is None; expected a torch.Generator"),
        ({"p": 3}, "p is 3; expected 1 or 2"),
        ({"x_weights": torch.zeros(2, 3, dtype=torch.float64)}, "x_weights[0][0] is 0; expected"),
        ({"y_weights": simplex(3, 2)}, "y_weights has shape (3, 2); expected (2, 3)"),
        (
            {"x_weights": simplex(2, 3), "quantiles": "linear"},
            "quantiles='linear' is given with particle weights; expected quantiles='exact'",
        ),
    ],
)
def test_bad_input_is_named(arguments, message):
    given = {"x": X, "y": X, "directions": THETA, **arguments}
    with pytest.raises(ValueError, match=re.escape(message)):
        sliced_wasserstein_squared(given.pop("x"), given.pop("y"), given.pop("directions"), **given)
