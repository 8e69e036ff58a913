import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wowbench.flows import descend
from wowbench.functionals import product_mmd
from wowbench.functionals.product_mmd import ProductMMD
from wowbench.functionals.wrappers import Noisy
from wowbench.schemes.momentum import Momentum

BANDWIDTHS = (2.0, 3.0, 5.0)


def random_gaussians(*shape, dim=2, generator):
    mean = torch.randn(*shape, dim, generator=generator, dtype=torch.float64)
    root = torch.randn(*shape, dim, dim, generator=generator, dtype=torch.float64)
    return mean, root @ root.mT + 0.1 * torch.eye(dim, dtype=torch.float64)


def problem(c=2, n=4, d=5, c_target=3, m=2, dim=2, seed=0):
    """Source (x, mean, cov) and target (y, mean, cov), float64."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(c, n, d, generator=generator, dtype=torch.float64)
    y = torch.rand(c_target, m, d, generator=generator, dtype=torch.float64)
    return (
        (x, *random_gaussians(c, n, dim=dim, generator=generator)),
        (y, *random_gaussians(c_target, dim=dim, generator=generator)),
    )


def named(source):
    return dict(zip(("x", "mean", "cov"), source, strict=True))


def naive_value(source, target, bandwidths):
    """Half the squared MMD by tensors of all differences."""
    y, target_mean, target_cov = target
    m = y.shape[1]
    source = [part.flatten(0, 1).flatten(1) for part in source]
    target = [
        y.flatten(0, 1),
        target_mean.repeat_interleave(m, 0),
        target_cov.flatten(1).repeat_interleave(m, 0),
    ]

    def mean_kernel(a, b):
        kernel = 1
        for one, other, h in zip(a, b, bandwidths, strict=True):
            difference = one[:, None] - other[None]
            kernel = kernel * torch.exp(-difference.square().sum(-1) / (2 * h))
        return kernel.mean()

    cross = mean_kernel(source, target)
    return (mean_kernel(source, source) + mean_kernel(target, target)) / 2 - cross


@pytest.mark.parametrize("rows", [3, 512])
@pytest.mark.parametrize("sizes", [{}, {"m": 1}, {"n": 1, "c": 4}, {"dim": 3}, {"c": 1, "n": 9}])
def test_value_and_gradients_of_a_naive_transcription(sizes, rows, monkeypatch):
    monkeypatch.setattr(product_mmd, "ROWS", rows)
    source, target = problem(**sizes)
    found = ProductMMD(*target, bandwidths=BANDWIDTHS).evaluate(*source)
    leaves = [part.clone().requires_grad_() for part in source]
    value = naive_value(leaves, target, BANDWIDTHS)
    torch.testing.assert_close(found.value, value.detach(), rtol=1e-12, atol=1e-14)
    n = leaves[0].shape[:2].numel()
    grads = torch.autograd.grad(value, leaves)
    for part, grad in zip((found.x, found.mean, found.cov), grads, strict=True):
        assert part.shape == grad.shape
        assert (part - n * grad).norm() <= 1e-9 * (n * grad).norm()


def test_published_bandwidths_are_the_default():
    source, target = problem()
    value = naive_value(source, target, (100.0, 50.0, 1000.0))
    torch.testing.assert_close(ProductMMD(*target).evaluate(*source).value, value)


def test_a_target_is_at_no_distance_from_itself():
    _, (y, mean, cov) = problem()
    carried = mean[:, None].repeat(1, 2, 1), cov[:, None].repeat(1, 2, 1, 1)
    found = ProductMMD(y, mean, cov, bandwidths=BANDWIDTHS).evaluate(y, *carried)
    assert abs(found.value) < 1e-15
    assert max(part.abs().max() for part in (found.x, found.mean, found.cov)) < 1e-14


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_invariances(seed):
    source, (y, target_mean, target_cov) = problem(seed=seed)
    x, mean, cov = source
    found = ProductMMD(y, target_mean, target_cov, bandwidths=BANDWIDTHS).evaluate(*source)

    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(4, generator=generator)
    shuffled = ProductMMD(y, target_mean, target_cov, bandwidths=BANDWIDTHS).evaluate(
        *(part[:, order] for part in source)
    )
    torch.testing.assert_close(shuffled.value, found.value)
    torch.testing.assert_close(shuffled.x, found.x[:, order])

    turn, turn_label = (
        torch.linalg.qr(torch.randn(k, k, generator=generator).double())[0] for k in (5, 2)
    )
    shift, shift_label = torch.randn(5, generator=generator), torch.randn(2, generator=generator)
    moved = ProductMMD(
        y @ turn + shift,
        target_mean @ turn_label + shift_label,
        turn_label.mT @ target_cov @ turn_label,
        bandwidths=BANDWIDTHS,
    ).evaluate(x @ turn + shift, mean @ turn_label + shift_label, turn_label.mT @ cov @ turn_label)
    torch.testing.assert_close(moved.value, found.value)
    torch.testing.assert_close(moved.x, found.x @ turn)
    torch.testing.assert_close(moved.cov, turn_label.mT @ found.cov @ turn_label)


def test_single_precision():
    source, target = problem(d=200)
    exact = ProductMMD(*target).evaluate(*source)
    single = ProductMMD(*(part.float() for part in target)).evaluate(
        *(part.float() for part in source)
    )
    for name in ("x", "mean", "cov"):
        mine, other = getattr(single, name).double(), getattr(exact, name)
        assert (mine - other).norm() <= 1e-4 * other.norm()
    assert abs(single.value - exact.value) < 1e-6


def test_gradient_is_taken_at_noisy_points():
    source, target = problem()
    functional = ProductMMD(*target, bandwidths=BANDWIDTHS)
    seen = []
    evaluate = functional.evaluate
    functional.evaluate = lambda *points: seen.append(points) or evaluate(*points)
    noisy = Noisy(functional, 0.2)
    states = [noisy.start(**named(source)) for _ in range(2)]
    found = [noisy.value_and_grad(state, torch.Generator().manual_seed(1)) for state in states]
    noise = [(points - clean) / 0.2 for points, clean in zip(seen[0], source, strict=True)]
    assert noise[2].equal(noise[2].mT)
    # Of 40 standard normals, the mean square has standard deviation 0.22.
    assert 0.3 < noise[0].square().mean() < 1.9
    assert all(a.equal(b) for a, b in zip(*seen, strict=True))
    assert found[0][0] == found[1][0] == evaluate(*seen[0]).value
    assert all(states[0][part].equal(value) for part, value in named(source).items())


def test_no_noise_changes_nothing():
    source, target = problem()
    functional = ProductMMD(*target, bandwidths=BANDWIDTHS)
    value, grads = Noisy(functional, 0.0).value_and_grad(named(source), None)
    expected = functional.evaluate(*source)
    assert value == expected.value
    assert all(grads[part].equal(getattr(expected, part)) for part in functional.parts)


def test_flow_decreases_the_value_and_keeps_covariances_positive():
    source, target = problem(n=8, m=4)
    flow = descend(
        Noisy(ProductMMD(*target, bandwidths=BANDWIDTHS), 0.01),
        named(source),
        Momentum(lr=0.5),
        steps=300,
        generator=torch.Generator().manual_seed(0),
    )
    cov = flow.state["cov"]
    assert flow.losses[-20:].mean() < 0.2 * flow.losses[0]
    assert cov.equal(cov.mT)
    assert torch.linalg.eigvalsh(cov).min() > -1e-12


def test_covariance_that_is_not_positive_is_named():
    (x, mean, cov), (y, target_mean, target_cov) = problem()
    cov[1, 2] = torch.diag(torch.tensor([1.0, -0.5]))
    with pytest.raises(ValueError, match=r"cov\[1\]\[2\] has smallest eigenvalue -0.5"):
        ProductMMD(y, target_mean, target_cov).start(x=x, mean=mean, cov=cov)
    target_cov[2] = torch.diag(torch.tensor([1.0, -0.5]))
    with pytest.raises(ValueError, match=r"target_cov\[2\] has smallest eigenvalue -0.5"):
        ProductMMD(y, target_mean, target_cov)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": lambda x: x[0]}, r"x has shape \(4, 5\)"),
        ({"x": lambda x: x[..., :4]}, "x has dimension 4; expected 5, that of target"),
        ({"mean": lambda m: m[:, :2]}, r"mean has shape \(2, 2, 2\); expected \(2, 4, d\)"),
        ({"cov": lambda c: c[..., 0]}, r"cov has shape \(2, 4, 2\); expected \(2, 4, 2, 2\)"),
    ],
)
def test_bad_source_is_named(change, message):
    source, target = problem()
    arguments = dict(zip(("x", "mean", "cov"), source, strict=True))
    for name, wrong in change.items():
        arguments[name] = wrong(arguments[name])
    with pytest.raises(ValueError, match=message):
        ProductMMD(*target).evaluate(**arguments)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": torch.zeros(3, 5)}, r"target has shape \(3, 5\); expected \(C, n, d\)"),
        ({"target_mean": torch.zeros(2, 2)}, r"target_mean has shape \(2, 2\); expected \(3, d\)"),
        ({"target_cov": torch.zeros(3, 3, 3)}, r"target_cov has shape \(3, 3, 3\)"),
        ({"bandwidths": (1.0, 2.0)}, "bandwidths has 2 entries; expected 3"),
        ({"bandwidths": (1.0, -2.0, 1.0)}, r"bandwidths\[1\] is -2; expected a finite number"),
    ],
)
def test_bad_target_is_named(change, message):
    _, target = problem()
    names = ("target", "target_mean", "target_cov")
    with pytest.raises(ValueError, match=message):
        ProductMMD(**{**dict(zip(names, target, strict=True)), **change})


@pytest.mark.parametrize("noise", [-0.1, float("inf"), float("nan")])
def test_bad_noise_is_named(noise):
    _, target = problem()
    with pytest.raises(ValueError, match=f"noise is {noise}; expected a number of at least 0"):
        Noisy(ProductMMD(*target), noise)
