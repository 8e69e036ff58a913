"""Sinkhorn divergences of matched classes, and their flow."""

import re

import ot
import pytest
import torch

from wowbench.errors import InputError
from wowbench.functionals.energies import HalfSquaredWoW
from wowbench.functionals.sinkhorn_matched import SinkhornMatched
from wowbench.geometry.sinkhorn import matched_sinkhorn_divergences, sinkhorn_divergence
from wowbench.methods.problem import Problem, RunContext
from wowbench.methods.sinkhorn_matched import SinkhornMatchedFlow
from wowbench.space import Space


def normal(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def barycentric(x, y, blur):
    """Mean of the images of each particle under the entropic plan, by POT."""
    a, b = (torch.full((len(points),), 1 / len(points), dtype=x.dtype) for points in (x, y))
    cost = (x[:, None] - y[None]).square().sum(-1)
    plan = ot.bregman.sinkhorn_log(
        a, b, cost, 2 * blur**2, numItermax=100_000, stopThr=1e-13, warn=False
    )
    return len(x) * plan @ y


@pytest.mark.parametrize(
    ("c", "n", "m", "d"), [(1, 4, 4, 2), (3, 5, 2, 3), (2, 1, 3, 1), (2, 4, 1, 2)]
)
def test_gradient_is_that_of_the_entropic_plans(c, n, m, d):
    """To a hundredth of the distances after many iterations, and the closer the more they are."""
    x, y, blur = normal(c, n, d), normal(c, m, d, seed=1) + 1, 0.7
    pairs = list(zip(x, y, strict=True))
    expected = torch.stack([barycentric(a, a, blur) - barycentric(a, b, blur) for a, b in pairs])
    errors = [
        (SinkhornMatched(y, blur=blur, annealing=a).evaluate(x)[1] - expected).abs().max().item()
        for a in (0.9, 0.99, 0.999)
    ]
    assert errors[2] < 0.03
    assert errors[2] <= errors[1] + 1e-6 <= errors[0] + 2e-6


def test_gradient_is_the_slope_of_the_value():
    x, y = normal(2, 5, 3), normal(2, 4, 3, seed=1)
    functional, step = SinkhornMatched(y, blur=0.5, annealing=0.999), 0.1 * normal(2, 5, 3, seed=2)
    _, grad = functional.evaluate(x)
    ahead, behind = (functional.evaluate(x + t * step)[0] for t in (1e-3, -1e-3))
    slope = (grad * step).sum(-1).mean()
    assert (ahead - behind).item() / 2e-3 == pytest.approx(slope.item(), rel=1e-2)


def test_value_is_half_the_mean_of_single_pairs():
    x, y = normal(3, 5, 2), normal(3, 4, 2, seed=1)
    pairs = sinkhorn_divergence(x, y, blur=0.3).diagonal()
    torch.testing.assert_close(
        matched_sinkhorn_divergences(x, y, blur=0.3), pairs, rtol=1e-3, atol=0
    )
    value, _ = SinkhornMatched(y, blur=0.3).evaluate(x)
    torch.testing.assert_close(value, pairs.mean() / 2, rtol=1e-3, atol=0)


def test_at_a_small_blur_it_is_exact_wow():
    y = 10 * torch.arange(3.0, dtype=torch.float64)[:, None, None] + normal(3, 5, 2, seed=1)
    x = 10 * torch.arange(3.0, dtype=torch.float64)[:, None, None] + normal(3, 5, 2)
    value, grad = SinkhornMatched(y, blur=0.01).evaluate(x)
    expected, displacement = HalfSquaredWoW(y).evaluate(x)
    torch.testing.assert_close(value, expected, rtol=1e-3, atol=0)
    torch.testing.assert_close(grad, displacement, rtol=0, atol=1e-2)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_target_with_its_particles_in_another_order_is_a_minimum(dtype):
    y = normal(3, 4, 5, dtype=dtype)
    value, grad = SinkhornMatched(y).evaluate(y[:, [2, 0, 3, 1]])
    assert value.dtype == grad.dtype == dtype
    assert abs(value.item()) < 1e-5
    assert grad.abs().max() < 1e-3


def test_a_flow_goes_to_the_classes_it_was_matched_with():
    places = torch.tensor([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]])[:, None]
    source = 0.1 * normal(3, 6, 2, dtype=torch.float32) + 0.5 * places[[2, 0, 1]]
    target = 0.1 * normal(3, 3, 2, seed=1, dtype=torch.float32) + places
    method = SinkhornMatchedFlow(steps=60, blur=0.02, annealing=0.99)
    flow = method.run(Problem(source, target, Space((2,))), RunContext(0))
    assert flow.last.labels.view(3, 6).tolist() == [[2] * 6, [0] * 6, [1] * 6]
    assert flow.metrics["held_out_loss"] < 1e-3 * flow.losses[0]
    assert (flow.losses.diff() < 1e-6).all()


def test_unlike_numbers_of_classes_are_refused():
    sizes = {"source_classes": 2, "n": 4, "target_classes": 3, "k": 4, "shape": (2,)}
    message = "method 'sinkhorn_matched': the source has 2 classes and the target 3; expected as"
    with pytest.raises(InputError, match=message):
        SinkhornMatchedFlow().check_sizes(**sizes)


@pytest.mark.parametrize("blur", [0, -1.0, float("inf")])
def test_a_bad_blur_is_named(blur):
    with pytest.raises(ValueError, match=re.escape(f"blur is {blur:g}; expected a finite number")):
        SinkhornMatched(normal(2, 3, 4), blur=blur)
    with pytest.raises(ValueError, match="blur"):
        SinkhornMatchedFlow(blur=blur)


def test_unlike_classes_are_named():
    with pytest.raises(ValueError, match="x has 3 classes; expected 2, as the target"):
        SinkhornMatched(normal(2, 3, 4)).evaluate(normal(3, 3, 4))
