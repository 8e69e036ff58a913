"""Functionals of embedded images against autograd through the whole, and their batches."""

import math

import pytest
import torch
from torch import nn

from wowbench.augmentation import Augmentation
from wowbench.errors import InputError
from wowbench.evaluation.networks import build_network
from wowbench.functionals.base import ParticleFunctional
from wowbench.functionals.distribution_matching import DistributionMatching
from wowbench.functionals.embedded import Embedded, RandomFeatures
from wowbench.functionals.sliced_mmd import SlicedMMD
from wowbench.geometry import sample_directions, sliced_wasserstein_squared
from wowbench.kernels.riesz import Riesz

CLASSES, N, SIZE, SHAPE = 3, 4, 9, (2, 8, 8)
AUGMENTATION = Augmentation(["color", "crop", "cutout", "flip", "scale", "rotate"])


def images(*shape, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(shape, generator=generator, dtype=torch.float64)


@pytest.fixture
def target():
    return images(CLASSES, SIZE, *SHAPE, seed=1)


@pytest.fixture
def x():
    return images(CLASSES, N, math.prod(SHAPE), seed=2)


def network():
    return nn.Sequential(nn.Conv2d(2, 6, 3), nn.GroupNorm(6, 6), nn.Softplus()).double()


def mmdsw(target):
    return SlicedMMD(target, Riesz(), n_directions=20)


def evaluate(functional, x, generator):
    """Value, and gradient at the one part."""
    value, grads = functional.value_and_grad(functional.start(x=x), generator)
    assert grads.keys() == {"x"}
    return value, grads["x"]


def seeded(seed=5):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("augmentation", [None, AUGMENTATION])
@pytest.mark.parametrize("embedding", [False, True])
def test_the_gradient_is_that_of_autograd_through_everything(x, target, augmentation, embedding):
    features = RandomFeatures(network()) if embedding else None
    embedded = Embedded(mmdsw, target, augmentation=augmentation, features=features)
    value, grad = evaluate(embedded, x, seeded())

    generator = seeded()
    orders = [torch.randperm(SIZE, generator=generator) for _ in range(CLASSES)]
    net = network() if embedding else nn.Identity()
    RandomFeatures(net).redraw(generator)
    augment = augmentation.draw(generator, x) if augmentation else nn.Identity()
    y = torch.stack([t[order] for t, order in zip(target, orders, strict=True)])
    x = x.clone().requires_grad_()
    fx, fy = (net(augment(t.reshape(-1, *SHAPE))).flatten(1) for t in (x, y))
    fx, fy = fx.unflatten(0, (CLASSES, N)), fy.unflatten(0, (CLASSES, SIZE))
    theta = sample_directions(20, fx.shape[-1], generator=generator, dtype=fx.dtype)
    # The diagonal costs are 0, where a square root has no derivative.
    off = ~torch.eye(CLASSES, dtype=torch.bool)
    pairs = [(fx, fx, off), (fx, fy, off | True), (fy, fy, off)]
    xx, xy, yy = (
        sliced_wasserstein_squared(a, b, theta)[mask].sqrt().sum() / CLASSES**2
        for a, b, mask in pairs
    )
    expected = xy - xx / 2 - yy / 2
    (slope,) = torch.autograd.grad(expected, x)
    torch.testing.assert_close(value, expected.detach(), rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(grad, CLASSES * N * slope, rtol=1e-5, atol=1e-8)


def test_the_gradient_is_that_of_finite_differences(x, target):
    embedded = Embedded(
        DistributionMatching, target, augmentation=AUGMENTATION, features=RandomFeatures(network())
    )
    _, grad = evaluate(embedded, x, seeded())
    direction, step = images(*x.shape, seed=3), 1e-5
    above, below = (
        evaluate(embedded, x + sign * step * direction, seeded())[0] for sign in (1, -1)
    )
    slope = (grad * direction).sum() / (CLASSES * N)
    torch.testing.assert_close((above - below) / (2 * step), slope, rtol=1e-6, atol=1e-9)


def capture(batches):
    """Functional that keeps the batch of each step."""

    class Capturing(ParticleFunctional):
        def __init__(self, target):
            self.target = target

        def evaluate(self, x):
            batches.append(self.target.clone())
            return x.sum(), torch.zeros_like(x)

    return Capturing


def test_a_batch_has_images_of_its_class_once_each(x):
    # The image i of class c has the constant value 100 c + i.
    values = 100.0 * torch.arange(CLASSES)[:, None] + torch.arange(SIZE)
    target = values[..., None, None, None].double().expand(CLASSES, SIZE, *SHAPE)
    batches = []
    embedded = Embedded(capture(batches), target.contiguous(), batch_size=5)
    generator = seeded()
    for _ in range(30):
        evaluate(embedded, x, generator)
    drawn = torch.stack(batches)[..., 0].long()
    assert drawn.shape == (30, CLASSES, 5)
    assert ((drawn // 100) == torch.arange(CLASSES)[:, None]).all()
    assert all(len(row.unique()) == 5 for row in drawn.flatten(0, 1))
    assert len(drawn.unique()) == CLASSES * SIZE
    assert not torch.equal(drawn[0], drawn[1])


def test_chunks_of_the_target_do_not_show(x, monkeypatch):
    target = images(CLASSES, SIZE, *SHAPE, seed=1)
    results = []
    for chunk in (4, 1000):
        monkeypatch.setattr("wowbench.functionals.embedded.CHUNK", chunk)
        embedded = Embedded(
            mmdsw, target, augmentation=AUGMENTATION, features=RandomFeatures(network())
        )
        results.append(evaluate(embedded, x, seeded()))
    torch.testing.assert_close(results[0], results[1])


def test_bfloat16_rounds_features_of_the_target_alone(x, target):
    batches, seen = [], []

    class Watching(RandomFeatures):
        def __call__(self, images):
            features = super().__call__(images)
            if images.requires_grad:
                seen.append(features)
            return features

    for bfloat16 in (False, True):
        features = Watching(network().float(), bfloat16=bfloat16)
        embedded = Embedded(capture(batches), target.float(), features=features)
        evaluate(embedded, x.float(), seeded())
    exact, rounded = batches
    error = (rounded - exact).norm() / exact.norm()
    # Roundings of relative size 2^-9 at most, a few of them in a row.
    assert 0 < error < 4 * 2**-9
    assert torch.equal(*seen)


def test_every_step_has_an_embedding_of_its_own(x, target):
    batches = []
    embedded = Embedded(capture(batches), target[:, :1], features=RandomFeatures(network()))
    generator = seeded()
    evaluate(embedded, x, generator)
    evaluate(embedded, x, generator)
    assert not torch.allclose(batches[0], batches[1])


def test_redrawn_convolutions_are_distributed_as_torch_initialises_them():
    net = build_network("convnet", (3, 16, 16), 10).features
    layers = [layer for layer in net if isinstance(layer, nn.Conv2d)]
    initial = [layer.weight.clone() for layer in layers]
    RandomFeatures(net).redraw(seeded())
    for layer, before in zip(layers, initial, strict=True):
        after = layer.weight
        assert not torch.equal(after, before)
        # Both uniform: same extremes, variance bound^2 / 3 = 1 / (3 inputs).
        torch.testing.assert_close(after.abs().max(), before.abs().max(), rtol=2e-2, atol=0)
        expected = torch.tensor(1 / (3 * before[0].numel()))
        torch.testing.assert_close(after.var(), expected, rtol=5e-2, atol=0)
        assert layer.bias.abs().max() <= before[0].numel() ** -0.5


def test_the_embedding_ignores_the_global_random_state(x, target):
    results = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        embedded = Embedded(
            DistributionMatching,
            target,
            augmentation=AUGMENTATION,
            features=RandomFeatures(network()),
        )
        results.append(evaluate(embedded, x, seeded())[1])
    assert torch.equal(*results)


@pytest.mark.parametrize("batch_size", [0, SIZE + 1])
def test_a_batch_that_a_class_cannot_give(target, batch_size):
    with pytest.raises(InputError, match=f"batch_size is {batch_size}; expected 1 to {SIZE}"):
        Embedded(DistributionMatching, target, batch_size=batch_size)
