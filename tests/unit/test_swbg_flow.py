"""SWBG as a functional of samples that carry Gaussians, against a plain transcription; its flow."""

import re

import numpy as np
import ot
import pytest
import scipy.linalg
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wowbench.distances.swbg import SlicedBusemannGaussian
from wowbench.errors import InputError
from wowbench.functionals.swbg import SlicedBusemannGaussians
from wowbench.methods.problem import Problem, RunContext
from wowbench.methods.swbg import SWBGFlow
from wowbench.space import Space

DIRECTIONS = 4


def normal(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def gaussians(*shape, dim=2, seed=0):
    root = normal(*shape, dim, dim, seed=seed)
    return normal(*shape, dim, seed=seed + 1), root @ root.mT + 0.2 * torch.eye(dim).double()


def problem(c=2, n=3, k=3, m=2, d=4, dim=2):
    """Samples with Gaussians, and the functional of a target."""
    target_mean, target_cov = gaussians(k, dim=dim, seed=5)
    target = normal(k, m, d, seed=4) + 0.5
    distance = SlicedBusemannGaussian(n_directions=DIRECTIONS, dim=dim)
    functional = SlicedBusemannGaussians(target, target_mean, target_cov, distance)
    return (normal(c, n, d), *gaussians(c, n, dim=dim, seed=1)), functional


def number(mean, cov, m1, spread):
    """The Busemann function as its authors write it, from N(0, I) to N(m1, (I + S)^2)."""
    mean, cov, m1, spread = (np.asarray(a) for a in (mean, cov, m1, spread))
    identity = np.eye(len(mean))
    end = (identity + spread) @ (identity + spread)
    transport = scipy.linalg.sqrtm(end)  # From the identity.
    root = scipy.linalg.sqrtm(cov)
    last = scipy.linalg.sqrtm(root @ (identity - 2 * transport + end) @ root)
    return -m1 @ mean + np.trace(transport - identity) - np.trace(last).real


def transcription(x, mean, cov, functional, drawn):
    """F direction by direction and sample by sample, by POT."""
    _, m, d = functional.target.shape
    y = functional.target.reshape(-1, d)
    of_target = [part.repeat_interleave(m, 0) for part in (functional.mean, functional.cov)]
    values = []
    for line, theta in enumerate(drawn.theta):
        ray = drawn.mean[line], drawn.spread[line]
        places = []
        for points, means, covs in ((x.reshape(-1, d), mean, cov), (y, *of_target)):
            means, covs = (
                means.reshape(len(points), -1),
                covs.reshape(len(points), *covs.shape[-2:]),
            )
            labels = np.array([number(*pair, *ray) for pair in zip(means, covs, strict=True)])
            first, second = drawn.psi[line].tolist()
            places.append(first * (points @ theta).numpy() + second * labels)
        values.append(ot.wasserstein_1d(*(z[:, None] for z in places), p=2).item())
    return np.mean(values)


@settings(max_examples=20, deadline=None)
@given(*(st.integers(1, largest) for largest in (3, 4, 3, 4)), st.integers(1, 3))
def test_the_value_is_that_of_a_transcription(c, n, k, m, dim):
    parts, functional = problem(c, n, k, m, dim=dim)
    x = parts[0]
    drawn = functional.draw(DIRECTIONS, x, seeded(2))
    value, *_ = functional.evaluate(x, drawn, *parts[1:])
    expected = transcription(*parts, functional, drawn)
    assert value.item() == pytest.approx(expected, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize("sizes", [{}, {"n": 1}, {"m": 1, "n": 4}, {"n": 5, "k": 1, "m": 7}])
def test_gradients_are_slopes_of_the_transcription(sizes, dim):
    parts, functional = problem(dim=dim, **sizes)
    drawn = functional.draw(DIRECTIONS, parts[0], seeded(2))
    _, *grads = functional.evaluate(parts[0], drawn, *parts[1:])
    n_samples = parts[0].shape[:2].numel()
    for place, (part, grad) in enumerate(zip(parts, grads, strict=True)):
        assert grad.shape == part.shape
        step = normal(*part.shape, seed=9)
        if part.dim() == 4:
            step = step + step.mT
        ahead, behind = (
            transcription(
                *(p + t * step if i == place else p for i, p in enumerate(parts)), functional, drawn
            )
            for t in (1e-5, -1e-5)
        )
        slope = (grad * step).sum().item() / n_samples
        assert (ahead - behind) / 2e-5 == pytest.approx(slope, rel=1e-4, abs=1e-7)


def test_gradient_at_covariances_is_the_transport_map_in_closed_form():
    """One sample on each side: the slope is ``-psi_2 (z - z') S (S C S)^(-1/2) S``."""
    (x, mean, cov), functional = problem(c=1, n=1, k=1, m=1, dim=3)
    drawn = functional.draw(DIRECTIONS, x, seeded(2))
    _, _, _, grad = functional.evaluate(x, drawn, mean, cov)
    expected = np.zeros((3, 3))
    for line in range(DIRECTIONS):
        m1, spread = drawn.mean[line].numpy(), drawn.spread[line].numpy()
        first, second = drawn.psi[line].tolist()
        ends = [
            (x, mean[0, 0], cov[0, 0]),
            (functional.target, functional.mean[0], functional.cov[0]),
        ]
        z, goal = (
            first * (points[0, 0] @ drawn.theta[line]).item() + second * number(m, s, m1, spread)
            for points, m, s in ends
        )
        middle = scipy.linalg.sqrtm(spread @ cov[0, 0].numpy() @ spread).real
        map_to = spread @ np.linalg.inv(middle) @ spread
        expected -= 2 * (z - goal) * second * map_to / 2 / DIRECTIONS
    np.testing.assert_allclose(grad[0, 0].numpy(), expected, rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_target_with_its_gaussians_is_a_minimum(dtype):
    _, functional = problem(m=4)
    y, mean, cov = (t.to(dtype) for t in (functional.target, functional.mean, functional.cov))
    functional = SlicedBusemannGaussians(y, mean, cov, functional.distance)
    order = [2, 0, 1]
    x = y[order][:, [3, 1, 0, 2]]
    carried = [part[order][:, None].expand(-1, 4, *part.shape[1:]) for part in (mean, cov)]
    value, *grads = functional.evaluate(x, functional.draw(DIRECTIONS, x, seeded(0)), *carried)
    tolerance = {torch.float32: 1e-5, torch.float64: 1e-13}[dtype]
    assert value.dtype == dtype
    assert value.item() < tolerance**2
    assert max(grad.abs().max() for grad in grads) < tolerance


def test_blocks_of_directions_change_nothing(monkeypatch):
    parts, functional = problem()
    drawn = functional.draw(DIRECTIONS, parts[0], seeded(2))
    whole = functional.evaluate(parts[0], drawn, *parts[1:])
    monkeypatch.setattr("wowbench.functionals.swbg.PROJECTIONS_PER_BLOCK", 36)
    torch.testing.assert_close(functional.evaluate(parts[0], drawn, *parts[1:]), whole)


@pytest.mark.parametrize("dim", [2, 3])
def test_a_flow_leads_classes_to_classes(dim):
    places = torch.tensor([[-1.0, 0.0, 0.0], [1.0, 0.5, 0.0], [0.0, -1.0, 0.3]])
    spot = 0.1 * normal(3, 12, 3, seed=0, dtype=torch.float32) + 0.2 * places[[1, 2, 0]][:, None]
    target = 0.05 * normal(3, 6, 3, seed=1, dtype=torch.float32) + places[:, None]
    scheme = {"lr": 0.2, "momentum": 0.5}
    method = SWBGFlow(steps=300, n_directions=20, dim=dim, scheme=scheme)
    flow = method.run(Problem(spot, target, Space((3,))), RunContext(0))
    assert flow.metrics["held_out_loss"] < 0.1 * flow.losses[0]
    labels = flow.last.labels
    assert labels.bincount().tolist() == [12, 12, 12]
    moved = flow.last.particles.view(-1, 3)
    nearest = torch.cdist(moved, places).argmin(1)
    assert (nearest == labels).float().mean() > 0.8


@pytest.mark.parametrize("dim", [2, 3])
def test_covariances_that_diverged_have_no_value(dim):
    (x, mean, cov), functional = problem(dim=dim)
    cov[0, 1, 0, 0] = torch.inf
    found = functional.evaluate(x, functional.draw(DIRECTIONS, x, seeded(0)), mean, cov)
    assert all(part.isnan().all() for part in found)


def test_what_does_not_fit_is_named():
    (x, mean, cov), functional = problem()
    singular = cov.clone()
    singular[1, 2] = torch.diag(torch.tensor([1.0, 0.0]))
    with pytest.raises(
        ValueError, match=re.escape("cov[1][2] has smallest eigenvalue 0; expected")
    ):
        functional.start(x=x, mean=mean, cov=singular)
    drawn = functional.draw(DIRECTIONS, x, seeded(0))
    with pytest.raises(ValueError, match=re.escape("mean has shape (2, 2)")):
        functional.evaluate(x, drawn, mean[:, 0], cov)
    with pytest.raises(ValueError, match="mean has dimension 3; expected 2, that of target_mean"):
        functional.evaluate(x, drawn, *gaussians(2, 3, dim=3))
    sizes = {"source_classes": 3, "target_classes": 3, "k": 2}
    with pytest.raises(InputError, match="particles have 2 features; expected 3 at least"):
        SWBGFlow(dim=3).check_sizes(shape=(2,), n=10, **sizes)
    with pytest.raises(InputError, match="covariance of 3 images of a class in 3 dimensions"):
        SWBGFlow(dim=3).check_sizes(shape=(5,), n=3, **sizes)
    SWBGFlow(dim=3).check_sizes(shape=(5,), n=1, **sizes)
    SWBGFlow(dim=3).check_sizes(shape=(5,), n=4, **sizes)
