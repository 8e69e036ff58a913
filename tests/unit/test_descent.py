import re

import pytest
import torch

from wowbench.flows import descend, iterate
from wowbench.functionals import SlicedMMD
from wowbench.geometry import sample_directions
from wowbench.kernels.riesz import Riesz


def normal(*shape, seed=0, dtype=torch.float32):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def half_square(x, generator):
    """1/2 mean |x|^2, of WoW gradient x."""
    return x.square().sum(-1).mean() / 2, x


def mmdsw(target):
    functional = SlicedMMD(target, Riesz())

    def objective(x, generator):
        directions = sample_directions(20, x.shape[-1], generator=generator, dtype=x.dtype)
        return functional.value_and_grad(x, directions)

    return objective


@pytest.mark.parametrize("momentum", [0.0, 0.6])
def test_the_scheme_is_the_papers(momentum):
    x, lr = normal(2, 3, 4, dtype=torch.float64), 0.3
    flow = descend(half_square, x, steps=5, lr=lr, momentum=momentum)
    expected, v, losses = x.clone(), torch.zeros_like(x), []
    for _ in range(5):
        losses.append(expected.square().sum(-1).mean() / 2)
        v = expected + momentum * v
        expected = expected - lr * v
    torch.testing.assert_close(flow.x, expected)
    torch.testing.assert_close(flow.losses, torch.stack(losses))
    assert flow.steps == 5
    assert flow.seconds > 0


def test_the_start_is_not_changed():
    x = normal(2, 3, 4)
    before = x.clone()
    descend(half_square, x, steps=3, lr=0.1, momentum=0.5)
    assert torch.equal(x, before)


def test_the_flow_reaches_its_target():
    target = normal(2, 6, 3, seed=1) + torch.tensor([[[2.0]], [[-2.0]]])
    flow = descend(
        mmdsw(target), normal(2, 6, 3), steps=400, lr=0.1, momentum=0.5, generator=seeded()
    )
    assert flow.losses[-20:].mean() < 0.03 * flow.losses[0]


def test_snapshots_count_the_steps_done():
    x = normal(1, 2, 3)
    flow = descend(half_square, x, steps=6, lr=0.1, snapshots=(0, 1, 4, 6))
    assert list(flow.snapshots) == [0, 1, 4, 6]
    assert torch.equal(flow.snapshots[0], x)
    for steps in (1, 4, 6):
        assert torch.equal(flow.snapshots[steps], descend(half_square, x, steps=steps, lr=0.1).x)


def test_snapshots_keep_what_is_asked_for_of_the_state():
    def step(state, generator):
        for tensor in state.values():
            tensor += 1
        return torch.tensor(0.0)

    state = {"x": torch.zeros(2), "mean": torch.ones(3), "velocity": torch.zeros(2)}
    result = iterate(step, state, steps=5, snapshots=(0, 3), keep=("x", "mean"))
    assert {at: list(kept) for at, kept in result.snapshots.items()} == {
        0: ["x", "mean"],
        3: ["x", "mean"],
    }
    for at, kept in result.snapshots.items():
        assert kept["x"].tolist() == [at] * 2
        assert kept["mean"].tolist() == [1 + at] * 3


def test_batched_flows_are_those_of_each_flow():
    target, x = normal(2, 5, 3, seed=1), normal(2, 2, 4, 3)
    theta = sample_directions(10, 3, generator=seeded())
    functional = SlicedMMD(target, Riesz())
    arguments = {"steps": 10, "lr": 0.1, "momentum": 0.5}
    together = descend(lambda x, _: functional.value_and_grad(x, theta), x, **arguments)
    assert together.losses.shape == (10, 2)
    for b in range(2):
        alone = descend(lambda x, _: functional.value_and_grad(x, theta), x[b], **arguments)
        torch.testing.assert_close(together.x[b], alone.x)
        torch.testing.assert_close(together.losses[:, b], alone.losses)


@pytest.mark.parametrize("check_every", [3, 100])
def test_progress_is_reported_at_the_checks(check_every):
    reports = []
    flow = descend(
        half_square,
        normal(1, 2, 2),
        steps=7,
        lr=0.1,
        check_every=check_every,
        progress=lambda step, loss: reports.append((step, loss)),
    )
    steps = [3, 6, 7] if check_every == 3 else [7]
    assert reports == [(step, flow.losses[step - 1].item()) for step in steps]


def test_the_state_may_be_replaced():
    def step(state, generator):
        state["x"] = state["x"] + torch.randn(2, generator=generator)
        return state["x"].sum()

    state = {"x": torch.zeros(2)}
    result = iterate(step, state, steps=3, generator=seeded(1))
    expected = torch.stack([torch.randn(2, generator=g) for g in [seeded(1)] for _ in range(3)])
    torch.testing.assert_close(state["x"], expected.sum(0))
    torch.testing.assert_close(result.losses, expected.cumsum(0).sum(1))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"lr": 0}, "lr is 0; expected a finite number above 0"),
        ({"lr": float("nan")}, "lr is nan"),
        ({"momentum": 1.0}, "momentum is 1.0; expected a number in [0, 1)"),
        ({"momentum": -0.1}, "momentum is -0.1"),
        ({"steps": 0}, "steps is 0; expected an integer of at least 1"),
        ({"check_every": 0}, "check_every is 0; expected an integer of at least 1"),
        ({"snapshots": (3, 11)}, "snapshots has 11; expected steps from 0 to 10"),
        ({"x": torch.tensor([[[1.0, float("nan")]]])}, "x[0, 0, 1] is nan; expected finite"),
    ],
)
def test_bad_input_is_named(arguments, message):
    given = {"x": normal(1, 2, 2), "steps": 10, "lr": 0.1, **arguments}
    with pytest.raises(ValueError, match=re.escape(message)):
        descend(half_square, given.pop("x"), **given)


def test_only_what_is_in_the_state_is_kept():
    with pytest.raises(ValueError, match="keep has 'y'; expected names among x"):
        iterate(lambda state, _: state["x"].sum(), {"x": torch.ones(2)}, steps=1, keep=("y",))


def test_a_loss_that_changes_its_shape_is_named():
    def step(state, generator):
        state["x"] += 1
        return state["x"][: int(state["x"][0])]

    with pytest.raises(ValueError, match=r"the loss of step 2 has shape \(2,\); expected \(1,\)"):
        iterate(step, {"x": torch.zeros(3)}, steps=3)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_a_captured_step_is_the_step():
    target, x = normal(2, 5, 3, seed=1).cuda(), normal(2, 6, 3).cuda()
    theta = sample_directions(20, 3, generator=torch.Generator("cuda"), device="cuda")
    functional = SlicedMMD(target, Riesz())
    flow = descend(
        lambda x, _: functional.value_and_grad(x, theta), x, steps=20, lr=0.1, momentum=0.9
    )
    expected, v = x.clone(), torch.zeros_like(x)
    for _ in range(20):
        v = functional.value_and_grad(expected, theta)[1] + 0.9 * v
        expected = expected - 0.1 * v
    torch.testing.assert_close(flow.x, expected, rtol=1e-4, atol=1e-4)
