import re

import ot
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wowbench.functionals import SlicedMMD
from wowbench.geometry import pairs, sample_directions, wasserstein_squared, wow_geodesic
from wowbench.geometry.precision import product
from wowbench.kernels.gaussian import Gaussian
from wowbench.kernels.imq import InverseMultiquadric
from wowbench.kernels.laplace import Laplace
from wowbench.kernels.riesz import Riesz

KERNELS = [Riesz(r=1.0), Riesz(r=0.5), Gaussian(h=0.3), Laplace(h=0.4), InverseMultiquadric(h=0.2)]
SEEDS = st.integers(0, 2**32 - 1)
SAMPLE_LEVELS = "wowbench.functionals.sliced_mmd.sample_levels"


def normal(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def directions_of(dim, n_directions=7, seed=3):
    generator = torch.Generator().manual_seed(seed)
    return sample_directions(n_directions, dim, generator=generator, dtype=torch.float64)


def simplex(*shape, seed=0):
    return torch.softmax(normal(*shape, seed=seed), -1)


def autograd_reference(x, y, directions, kernel, w=None, v=None, a=None, b=None):
    """F and the WoW gradient, from POT's distances on the line and automatic differentiation."""
    x = [points.clone().requires_grad_() for points in x]
    w = torch.full((len(x),), 1 / len(x), dtype=torch.float64) if w is None else w
    v = torch.full((len(y),), 1 / len(y), dtype=torch.float64) if v is None else v
    a = [None] * len(x) if a is None else a
    b = [None] * len(y) if b is None else b

    def pair(left, left_masses, right, right_masses):
        return ot.wasserstein_1d(
            left @ directions.T, right @ directions.T, left_masses, right_masses, p=kernel.p
        ).mean()

    def kernels(lefts, left_masses, rights, right_masses):
        costs = [
            # On the diagonal the cost is 0, and so is its derivative.
            [
                left.sum() * 0 if left is right else pair(left, left_mass, right, right_mass)
                for right, right_mass in zip(rights, right_masses, strict=True)
            ]
            for left, left_mass in zip(lefts, left_masses, strict=True)
        ]
        costs = torch.stack([torch.stack(row) for row in costs])
        positive = costs > 1e-13
        # The kernel at cost 0 is a constant of zero slope.
        return torch.where(
            positive,
            kernel.value(torch.where(positive, costs, 1.0)),
            kernel.value(torch.zeros_like(costs)),
        )

    value = (
        (w @ kernels(x, a, x, a) @ w) / 2
        - w @ kernels(x, a, y, b) @ v
        + (v @ kernels(y, b, y, b) @ v) / 2
    )
    grads = torch.autograd.grad(value, x)
    masses = [1 / len(p) if m is None else m[:, None] for p, m in zip(x, a, strict=True)]
    return value.detach(), [g / (s * m) for g, s, m in zip(grads, w, masses, strict=True)]


def assert_same(actual, expected, rtol=1e-9):
    (value, grad), (expected_value, expected_grad) = actual, expected
    torch.testing.assert_close(value, expected_value, rtol=rtol, atol=1e-14)
    scale = max(g.abs().max() for g in expected_grad).item()
    for g, e in zip(grad, expected_grad, strict=True):
        torch.testing.assert_close(g, e, rtol=0, atol=rtol * scale)


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
@pytest.mark.parametrize("dim", [1, 3])
@pytest.mark.parametrize(("n", "m"), [(5, 5), (6, 4), (4, 6), (6, 1), (1, 4), (1, 1), (6, 3)])
def test_value_and_gradient_are_those_of_autograd(kernel, dim, n, m):
    x, y, theta = normal(3, n, dim), normal(2, m, dim, seed=1) + 0.5, directions_of(dim)
    actual = SlicedMMD(y, kernel).evaluate(x, theta)
    assert_same(actual, autograd_reference(x, y, theta, kernel))


@pytest.mark.parametrize("kernel", [Riesz(r=1.0), Laplace(h=0.4)], ids=str)
def test_images_of_many_pixels(kernel):
    x, y, theta = normal(2, 4, 3072), normal(2, 3, 3072, seed=1), directions_of(3072)
    assert_same(SlicedMMD(y, kernel).evaluate(x, theta), autograd_reference(x, y, theta, kernel))


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
def test_weights_and_ragged_classes(kernel):
    sizes_x, sizes_y, theta = (3, 5, 1), (4, 6), directions_of(4)
    x = [normal(n, 4, seed=n) for n in sizes_x]
    y = [normal(n, 4, seed=n + 10) for n in sizes_y]
    w, v = simplex(3), simplex(2)
    a, b = [simplex(n, seed=n) for n in sizes_x], [simplex(n, seed=n) for n in sizes_y]
    for masses_x, masses_y in ((None, None), (a, None), (None, b), (a, b)):
        functional = SlicedMMD(y, kernel, class_weights=v, particle_weights=masses_y)
        actual = functional.evaluate(x, theta, class_weights=w, particle_weights=masses_x)
        assert_same(actual, autograd_reference(x, y, theta, kernel, w, v, masses_x, masses_y))


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
def test_a_stacked_source_to_a_ragged_target(kernel):
    x, y, theta = normal(3, 4, 2), [normal(5, 2, seed=1), normal(4, 2, seed=2)], directions_of(2)
    assert_same(SlicedMMD(y, kernel).evaluate(x, theta), autograd_reference(x, y, theta, kernel))


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
@pytest.mark.parametrize("quantiles", ["exact", "linear"])
def test_the_gradient_is_the_slope_along_any_perturbation(kernel, quantiles):
    """F(P_t) = F(P) + t <grad F, h> + o(t), with the inner product mean over all particles."""
    x, y, theta = normal(3, 6, 4), normal(2, 5, 4, seed=1), directions_of(4)
    functional, h = SlicedMMD(y, kernel, quantiles=quantiles), normal(3, 6, 4, seed=2)

    def evaluate(t):
        generator = torch.Generator().manual_seed(0)
        return functional.evaluate(x + t * h, theta, generator=generator)

    t = 1e-6
    slope = (evaluate(t)[0] - evaluate(-t)[0]) / (2 * t)
    expected = (evaluate(0)[1] * h).sum(-1).mean()
    torch.testing.assert_close(slope, expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("kernel", [Riesz(r=1.0), Gaussian(h=0.5)], ids=str)
def test_the_gradient_is_that_of_the_wow_geometry(kernel):
    """Along a WoW geodesic to Q', F changes by <grad F, optimal displacement> to first order."""
    x, y, theta = normal(3, 6, 4), normal(2, 6, 4, seed=1), directions_of(4)
    other = x.flip(0) + 0.3 * normal(3, 6, 4, seed=2)
    functional = SlicedMMD(y, kernel)
    value, grad = functional.evaluate(x, theta)
    t = 1e-5
    nearby = wow_geodesic(x, other, t)
    # The displacement is optimal: its mean square is WW^2, and WW^2 is t^2 that to `other`.
    displacement = nearby - x
    inner = wasserstein_squared(x, other)
    matching = min(
        sum(inner[c, e] for c, e in enumerate(order)) / 3
        for order in ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))
    )
    torch.testing.assert_close(displacement.square().sum(-1).mean(), t**2 * matching)
    change = functional.evaluate(nearby, theta)[0] - value
    torch.testing.assert_close(change, (grad * displacement).sum(-1).mean(), rtol=1e-3, atol=1e-12)


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
def test_the_minimum_is_the_target(kernel):
    y, theta = normal(3, 6, 4), directions_of(4)
    value, grad = SlicedMMD(y, kernel).evaluate(y.flip(0, 1), theta)
    assert abs(value) < 1e-12
    assert grad.abs().max() < 1e-9


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_identical_classes_and_ties_have_the_gradient_of_distinct_ones(kernel, dtype):
    y, theta = normal(2, 4, 3, dtype=dtype), directions_of(3).to(dtype)
    one = normal(1, 4, 3, seed=1, dtype=dtype)
    one[:, 1] = one[:, 0]
    functional = SlicedMMD(y, kernel)
    value, grad = functional.evaluate(torch.cat([one, one]), theta)
    expected_value, expected_grad = functional.evaluate(one, theta)
    torch.testing.assert_close(value, expected_value)
    torch.testing.assert_close(grad, torch.cat([expected_grad, expected_grad]))


@settings(deadline=None, max_examples=20)
@given(SEEDS, st.sampled_from(KERNELS), st.integers(1, 5), st.integers(1, 5), st.integers(1, 4))
def test_equivariances(seed, kernel, n, m, dim):
    x, y = normal(3, n, dim, seed=seed), normal(2, m, dim, seed=seed + 1)
    theta = directions_of(dim, seed=seed)
    value, grad = SlicedMMD(y, kernel).evaluate(x, theta)
    generator = torch.Generator().manual_seed(seed)
    particles, classes = torch.randperm(n, generator=generator), torch.tensor([2, 0, 1])
    shift, rotation = normal(dim, seed=seed + 2), torch.linalg.qr(normal(dim, dim)).Q
    for a, b, t, expected in (
        (x[:, particles], y, theta, grad[:, particles]),
        (x[classes], y.flip(0), theta, grad[classes]),
        (x + shift, y + shift, theta, grad),
        (x @ rotation.T, y @ rotation.T, theta @ rotation.T, grad @ rotation.T),
    ):
        new_value, new_grad = SlicedMMD(b, kernel).evaluate(a, t)
        torch.testing.assert_close(new_value, value, rtol=1e-8, atol=1e-10)
        torch.testing.assert_close(new_grad, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
@pytest.mark.parametrize("quantiles", ["exact", "linear"])
def test_single_precision_is_close_to_double(monkeypatch, kernel, quantiles):
    x, y, theta = normal(3, 50, 40), normal(3, 20, 40, seed=1), directions_of(40, 30)
    levels = torch.rand(30, 100, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    monkeypatch.setattr(SAMPLE_LEVELS, lambda like, _: levels.to(like.dtype))
    results = [
        SlicedMMD(y.to(dtype), kernel, quantiles=quantiles).evaluate(x.to(dtype), theta.to(dtype))
        for dtype in (torch.float32, torch.float64)
    ]
    (value, grad), (expected_value, expected_grad) = results
    assert value.dtype == grad.dtype == torch.float32
    torch.testing.assert_close(value.double(), expected_value, rtol=1e-4, atol=1e-5)
    assert (grad - expected_grad).norm() < 1e-4 * expected_grad.norm()


@pytest.mark.parametrize("kernel", [Riesz(r=1.0), Laplace(h=0.4)], ids=str)
@pytest.mark.parametrize("quantiles", ["exact", "linear"])
@pytest.mark.parametrize("shared_target", [True, False])
@pytest.mark.parametrize("shared_directions", [True, False])
def test_flows_in_a_batch_are_independent(
    monkeypatch, kernel, quantiles, shared_target, shared_directions
):
    x, y = normal(2, 3, 4, 5), normal(2, 2, 6, 5, seed=1)
    theta = torch.stack([directions_of(5), directions_of(5, seed=4)])
    levels = torch.rand(2, 7, 100, generator=torch.Generator().manual_seed(0)).double()
    if shared_target:
        y = y[:1].expand(2, -1, -1, -1)
    if shared_directions:
        theta, levels = theta[:1].expand(2, -1, -1), levels[:1].expand(2, -1, -1)

    def evaluate(x, y, theta, levels):
        monkeypatch.setattr(SAMPLE_LEVELS, lambda *_: levels)
        return SlicedMMD(y, kernel, quantiles=quantiles).evaluate(x, theta)

    values, grads = evaluate(
        x,
        y[0] if shared_target else y,
        theta[0] if shared_directions else theta,
        levels[0] if shared_directions else levels,
    )
    for b, (value, grad) in enumerate(zip(values, grads, strict=True)):
        assert_same((value, grad), evaluate(x[b], y[b], theta[b], levels[b]))


def test_weights_of_particles_in_a_batch():
    x, y, a = normal(2, 3, 4, 2), normal(2, 5, 2, seed=1), simplex(2, 3, 4)
    functional, theta = SlicedMMD(y, Riesz()), directions_of(2)
    value, grad = functional.evaluate(x, theta, particle_weights=a)
    for b in range(2):
        expected = functional.evaluate(x[b], theta, particle_weights=a[b])
        assert_same((value[b], grad[b]), expected)


@pytest.mark.parametrize(
    ("quantiles", "center"), [("exact", False), ("linear", False), ("exact", True)]
)
@pytest.mark.parametrize("ragged", [False, True])
def test_rounding_is_far_below_the_noise_between_directions(quantiles, center, ragged):
    x, y = normal(3, 20, 64).float(), normal(3, 20, 64, seed=1).float() + 1
    x, y = (list(part) if ragged else part for part in (x, y))

    def gradient(precision=None, seed=3):
        mmd = SlicedMMD(y, Riesz(), quantiles=quantiles, center=center, precision=precision)
        theta = directions_of(64, seed=seed).float()
        generator = torch.Generator().manual_seed(0)
        return torch.cat([*mmd.evaluate(x, theta, generator=generator)[1]])

    exact, rounded, other = gradient(), gradient("bf16"), gradient(seed=4)
    assert rounded.dtype == torch.float32
    assert 0 < (rounded - exact).norm() < (other - exact).norm() / 10


def test_a_held_out_value_is_not_rounded():
    x, y = normal(3, 20, 64).float(), normal(3, 20, 64, seed=1).float()
    exact, rounded = SlicedMMD(y, Riesz()), SlicedMMD(y, Riesz(), precision="bf16")
    assert rounded.held_out({"x": x}) == exact.held_out({"x": x})
    assert rounded.precision == "bf16"


@pytest.mark.parametrize(
    ("precision", "message"),
    [
        ("tf32", "precision is 'tf32' and the device is 'cpu', which has no TF32"),
        ("bf8", "precision is 'bf8'; expected one of bf16, tf32"),
    ],
)
def test_a_precision_that_the_device_has_not_is_named(precision, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        SlicedMMD(normal(2, 3, 4), Riesz(), precision=precision)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
@pytest.mark.parametrize(("precision", "bits"), [("tf32", 10), ("bf16", 7)])
def test_products_on_a_gpu_are_rounded_as_asked_for(precision, bits):
    a, b = normal(200, 300).float().cuda(), normal(300, 100, seed=1).float().cuda()
    before = torch.get_float32_matmul_precision()
    found, exact = product(a, b, precision), a.double() @ b.double()
    assert torch.get_float32_matmul_precision() == before
    error = (found - exact).norm() / exact.norm()
    assert 2.0 ** -(bits + 3) < error < 2.0**-bits


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("m", [6, 9])
def test_cells_summed_in_order_as_on_a_gpu_give_the_same_gradient(monkeypatch, m, weighted):
    x, y, theta = normal(3, 6, 4), normal(2, m, 4, seed=1), directions_of(4)
    weights = {"particle_weights": simplex(3, 6)} if weighted else {}
    target = SlicedMMD(
        y, Laplace(h=0.7), **({"particle_weights": simplex(2, m)} if weighted else {})
    )
    expected = target.evaluate(x, theta, **weights)
    sums = []

    def add(slope, index, pull):
        sums.append(pairs.sum_cells(index, pull, slope.shape[-1]))
        slope += sums[-1]

    monkeypatch.setattr(pairs, "_add_cells", add)
    assert_same(target.evaluate(x, theta, **weights), expected)
    assert len(sums) == 6  # of three classes, with themselves and with the target


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
@pytest.mark.parametrize("weighted", [False, True])
def test_a_gpu_repeats_its_bits(weighted):
    x, y = normal(3, 500, 9).float().cuda(), normal(4, 300, 9, seed=1).float().cuda()
    weights = {"particle_weights": simplex(3, 500).float().cuda()} if weighted else {}
    theta, functional = directions_of(9, 100).float().cuda(), SlicedMMD(y, Laplace(h=0.7))
    first, second = (functional.evaluate(x, theta, **weights)[1] for _ in range(2))
    assert first.equal(second)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
@pytest.mark.parametrize("kernel", KERNELS, ids=str)
@pytest.mark.parametrize("m", [20, 5])
def test_the_gpu_agrees_with_the_cpu(kernel, m):
    x, y = normal(3, 20, 9).float(), normal(4, m, 9, seed=1).float()
    theta = directions_of(9).float()
    value, grad = SlicedMMD(y, kernel).evaluate(x, theta)
    on_gpu = SlicedMMD(y.cuda(), kernel).evaluate(x.cuda(), theta.cuda())
    torch.testing.assert_close(on_gpu[0].cpu(), value, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(on_gpu[1].cpu(), grad, rtol=1e-4, atol=1e-4)


X, Y, THETA = normal(2, 3, 4), normal(3, 2, 4), directions_of(4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"target": Y[0]}, "target has shape (2, 4); expected (C, n, d) or (B, C, n, d)"),
        ({"target": Y / 0}, "target[0, 0, 0] is"),
        ({"class_weights": simplex(2)}, "class_weights has shape (2,); expected (3,)"),
        ({"class_weights": torch.eye(3)[0].double()}, "class_weights[1] is 0; expected positive"),
        ({"particle_weights": simplex(3, 5)}, "particle_weights has shape (3, 5)"),
        ({"quantiles": "exakt"}, "quantiles is 'exakt'; did you mean 'exact'?"),
        (
            {"quantiles": "linear", "particle_weights": simplex(3, 2)},
            "quantiles='linear' is given with particle weights",
        ),
    ],
)
def test_bad_targets_are_named(arguments, message):
    given = {"target": Y, "kernel": Riesz(), **arguments}
    with pytest.raises(ValueError, match=re.escape(message)):
        SlicedMMD(given.pop("target"), given.pop("kernel"), **given)


@pytest.mark.parametrize(
    ("target", "arguments", "message"),
    [
        (Y, {"x": X[0]}, "x has shape (3, 4); expected (C, n, d) or (B, C, n, d)"),
        (Y, {"x": X[..., :3]}, "x has dimension 3; expected 4"),
        (Y, {"x": X.float()}, "x has dtype torch.float32; expected torch.float64"),
        (Y, {"directions": THETA[:, :2]}, "directions has dimension 2; expected 4"),
        (Y, {"directions": THETA[None]}, "directions has shape (1, 7, 4); expected (L, d)"),
        (
            Y,
            {"x": X.expand(2, 2, 3, 4), "directions": THETA.expand(3, 7, 4)},
            "directions has shape (3, 7, 4); expected (2, L, d)",
        ),
        (Y, {"class_weights": simplex(3)}, "class_weights has shape (3,); expected (2,)"),
        (Y, {"particle_weights": -simplex(2, 3)}, "particle_weights[0][0] is -"),
        (
            Y.expand(2, 3, 2, 4),
            {"x": X},
            "x has shape (2, 3, 4); expected (2, C, n, d), one flow for each of the targets",
        ),
    ],
)
def test_bad_particles_are_named(target, arguments, message):
    given = {"x": X, "directions": THETA, **arguments}
    with pytest.raises(ValueError, match=re.escape(message)):
        SlicedMMD(target, Riesz()).evaluate(given.pop("x"), given.pop("directions"), **given)


def test_linear_quantiles_need_a_generator():
    with pytest.raises(ValueError, match=re.escape("generator is None; expected a torch.Gen")):
        SlicedMMD(Y, Riesz(), quantiles="linear").evaluate(X, THETA)


@pytest.mark.parametrize("kernel", KERNELS, ids=repr)
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_value_is_not_finite_where_a_particle_is_not(kernel, bad, dtype):
    x = normal(3, 4, 5, dtype=dtype)
    x[1, 2, 3] = bad
    functional = SlicedMMD(normal(3, 4, 5, seed=1, dtype=dtype), kernel)
    value, _ = functional.evaluate(x, directions_of(5).to(dtype))
    assert not value.isfinite()
