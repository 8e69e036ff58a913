import re
from typing import ClassVar

import pytest
import torch

from wowbench.errors import InputError
from wowbench.flows import descend, iterate
from wowbench.functionals import ParticleFunctional, SlicedMMD
from wowbench.geometry import sample_directions
from wowbench.kernels.riesz import Riesz
from wowbench.schemes.momentum import Momentum


def normal(*shape, seed=0, dtype=torch.float32):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


class HalfSquare(ParticleFunctional):
    """1/2 mean |x|^2, of WoW gradient x."""

    def evaluate(self, x):
        return x.square().sum(-1).mean() / 2, x


class AlongFixed(ParticleFunctional):
    """The sliced MMD along the same directions at each step."""

    def __init__(self, target, theta):
        self.mmd, self.theta = SlicedMMD(target, Riesz()), theta

    def evaluate(self, x):
        return self.mmd.evaluate(x, self.theta)


def mmdsw(target):
    return SlicedMMD(target, Riesz(), n_directions=20)


@pytest.mark.parametrize("momentum", [0.0, 0.6])
def test_the_scheme_is_the_papers(momentum):
    x, lr = normal(2, 3, 4, dtype=torch.float64), 0.3
    flow = descend(HalfSquare(), x, Momentum(lr=lr, momentum=momentum), steps=5)
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
    descend(HalfSquare(), x, Momentum(lr=0.1, momentum=0.5), steps=3)
    assert torch.equal(x, before)


def test_the_flow_reaches_its_target():
    target = normal(2, 6, 3, seed=1) + torch.tensor([[[2.0]], [[-2.0]]])
    scheme = Momentum(lr=0.1, momentum=0.5)
    flow = descend(mmdsw(target), normal(2, 6, 3), scheme, steps=400, generator=seeded())
    assert flow.losses[-20:].mean() < 0.03 * flow.losses[0]


def test_snapshots_count_the_steps_done():
    x = normal(1, 2, 3)
    scheme = Momentum(lr=0.1, momentum=0.5)
    flow = descend(HalfSquare(), x, scheme, steps=6, snapshots=(0, 1, 4, 6))
    assert list(flow.snapshots) == [0, 1, 4, 6]
    assert torch.equal(flow.snapshots[0]["x"], x)
    for steps in (1, 4, 6):
        shorter = descend(HalfSquare(), x, scheme, steps=steps)
        assert torch.equal(flow.snapshots[steps]["x"], shorter.x)


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
    functional, scheme = AlongFixed(target, theta), Momentum(lr=0.1, momentum=0.5)
    together = descend(functional, x, scheme, steps=10)
    assert together.losses.shape == (10, 2)
    for b in range(2):
        alone = descend(functional, x[b], scheme, steps=10)
        torch.testing.assert_close(together.x[b], alone.x)
        torch.testing.assert_close(together.losses[:, b], alone.losses)


@pytest.mark.parametrize("check_every", [3, 100])
def test_progress_is_reported_at_the_checks(check_every):
    reports = []
    flow = descend(
        HalfSquare(),
        normal(1, 2, 2),
        Momentum(lr=0.1),
        steps=7,
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
        ({"steps": 0}, "steps is 0; expected an integer of at least 1"),
        ({"check_every": 0}, "check_every is 0; expected an integer of at least 1"),
        ({"snapshots": (3, 11)}, "snapshots has 11; expected steps from 0 to 10"),
        ({"start": torch.tensor([[[1.0, float("nan")]]])}, "x[0, 0, 1] is nan; expected finite"),
        ({"start": {"y": torch.ones(1, 1, 1)}}, "the parts given are y; expected x"),
        ({"start": {}}, "the parts given are none; expected x"),
    ],
)
def test_bad_input_is_named(arguments, message):
    given = {"start": normal(1, 2, 2), "scheme": Momentum(lr=0.1), "steps": 10, **arguments}
    with pytest.raises(ValueError, match=re.escape(message)):
        descend(HalfSquare(), **given)


def test_a_geometry_that_no_scheme_knows_is_named():
    class Curved(HalfSquare):
        parts: ClassVar = {"x": "bure"}

    with pytest.raises(InputError, match="geometry of the part 'x' is 'bure'; did you mean 'bures"):
        descend(Curved(), normal(1, 2, 2), Momentum(), steps=1)


def test_only_what_is_in_the_state_is_kept():
    with pytest.raises(ValueError, match="keep has 'y'; expected names among x"):
        iterate(lambda state, _: state["x"].sum(), {"x": torch.ones(2)}, steps=1, keep=("y",))


def test_a_loss_that_changes_its_shape_is_named():
    def step(state, generator):
        state["x"] += 1
        return state["x"][: int(state["x"][0])]

    with pytest.raises(ValueError, match=r"the loss of step 2 has shape \(2,\); expected \(1,\)"):
        iterate(step, {"x": torch.zeros(3)}, steps=3)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_a_captured_step_is_the_step():
    target, x = normal(2, 5, 3, seed=1).cuda(), normal(2, 6, 3).cuda()
    theta = sample_directions(20, 3, generator=torch.Generator("cuda"), device="cuda")
    functional = AlongFixed(target, theta)
    functional.capturable = True
    flow = descend(functional, x, Momentum(lr=0.1, momentum=0.9), steps=20)
    expected, v = x.clone(), torch.zeros_like(x)
    for _ in range(20):
        v = functional.evaluate(expected)[1] + 0.9 * v
        expected = expected - 0.1 * v
    torch.testing.assert_close(flow.x, expected, rtol=1e-4, atol=1e-4)
