"""Flows that end on the mean of their last points."""

import pytest
import torch

from wowbench.errors import InputError
from wowbench.flows import Checkpoint, descend
from wowbench.functionals import Functional, ParticleFunctional, SlicedMMD
from wowbench.kernels.riesz import Riesz
from wowbench.methods.mmdsw import MMDSW
from wowbench.methods.problem import Problem, RunContext
from wowbench.parameters import FromRegistry
from wowbench.registry import METHODS
from wowbench.schemes.adamw import AdamW
from wowbench.schemes.momentum import Momentum
from wowbench.schemes.polyak import Polyak
from wowbench.space import Space
from wowbench.state import BURES, EUCLIDEAN

EVERY = [
    Momentum(lr=0.1, average=0.3),
    Momentum(lr=0.3, momentum=0, decay="cosine", average=0.3),
    AdamW(lr=0.1, average=0.3),
    Polyak(average=0.3),
]


def normal(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def seeded(seed=7):
    return torch.Generator().manual_seed(seed)


class Quadratic(ParticleFunctional):
    """a/2 mean |x|^2, of WoW gradient a x."""

    def __init__(self, curvature=1.0):
        self.curvature = curvature

    def evaluate(self, x):
        return self.curvature * x.square().sum(-1).mean() / 2, self.curvature * x


class Disturbed(Quadratic):
    """The same with standard normal noise on its gradient."""

    def value_and_grad(self, state, generator):
        value, grads = super().value_and_grad(state, generator)
        noise = torch.randn(grads["x"].shape, generator=generator, dtype=torch.float64)
        return value, {"x": grads["x"] + noise}


class Trace(Functional):
    """c tr S, of Euclidean gradient c I, for covariances S."""

    parts = {"cov": BURES}  # noqa: RUF012
    held_out_draws = 1

    def value_and_grad(self, state, generator):
        cov = state["cov"]
        grad = 0.7 * torch.eye(cov.shape[-1], dtype=cov.dtype).expand_as(cov)
        return 0.7 * cov.diagonal(dim1=-2, dim2=-1).sum(), {"cov": grad}


def test_without_noise_the_mean_is_that_of_a_geometric_series():
    x, rate = normal(2, 3, 4), 0.8
    flow = descend(Quadratic(), x, Momentum(lr=0.2, momentum=0, average=0.25), steps=20)
    # The points after steps 16 to 20.
    mean = (rate**16 - rate**21) / (1 - rate) / 5
    torch.testing.assert_close(flow.x, mean * x)


def test_noise_cancels_as_theory_says():
    # x <- (1 - lr a) x - lr xi has the variance lr^2 / (1 - (1 - lr a)^2) at rest; for a sum of T
    # points and r = 1 - lr a it is that times T + 2 sum_s (T - s) r^s, the correlation at lag s
    # being r^s.
    curvature, lr, asked = 2.0, 0.1, 100
    rate = 1 - lr * curvature
    single = lr**2 / (1 - rate**2)
    lags = sum((asked - s) * rate**s for s in range(1, asked))
    expected = single * (asked + 2 * lags) / asked**2
    x = torch.zeros(1, 4000, 5, dtype=torch.float64)
    ends = {
        average: descend(
            Disturbed(curvature),
            x,
            Momentum(lr=lr, momentum=0, average=average),
            steps=200,
            generator=seeded(),
        )
        for average in (0.0, asked / 200)
    }
    assert ends[0.0].x.var().item() == pytest.approx(single, rel=0.05)
    assert ends[0.5].x.var().item() == pytest.approx(expected, rel=0.05)
    assert expected < single / 10
    assert ends[0.5].held_out < ends[0.0].held_out / 10


@pytest.mark.parametrize("scheme", EVERY, ids=repr)
def test_every_scheme_ends_on_the_mean_of_its_points(scheme):
    x = normal(2, 3, 4)
    every = range(11)
    flow = descend(Disturbed(), x, scheme, steps=10, generator=seeded(), snapshots=every)
    plain = type(scheme)(**(scheme.model_dump() | {"average": 0.0}))
    points = descend(Disturbed(), x, plain, steps=10, generator=seeded(), snapshots=every).snapshots
    expected = torch.stack([points[at]["x"] for at in (8, 9, 10)]).mean(0)
    torch.testing.assert_close(flow.x, expected)
    # A flow shows its points on the way, and at the end where it ends.
    assert all(torch.equal(flow.snapshots[at]["x"], points[at]["x"]) for at in range(10))
    assert torch.equal(flow.snapshots[10]["x"], flow.x)


def test_the_held_out_loss_is_that_of_the_mean():
    flow = descend(Quadratic(3.0), normal(2, 3, 4), Momentum(lr=0.1, average=0.5), steps=10)
    assert flow.held_out == Quadratic(3.0).evaluate(flow.x)[0]


@pytest.mark.parametrize(("average", "counted"), [(0.001, 1), (0.14, 1), (0.16, 2), (0.99, 10)])
def test_shares_are_of_whole_steps(average, counted):
    x, rate = normal(2, 3, 4), 0.8
    flow = descend(Quadratic(), x, Momentum(lr=0.2, momentum=0, average=average), steps=10)
    mean = sum(rate**k for k in range(11 - counted, 11)) / counted
    torch.testing.assert_close(flow.x, mean * x)


def test_covariances_end_on_their_mean():
    root, lr = normal(2, 3, 2, 2), 0.2
    cov = root @ root.mT
    scheme = Momentum(lr=lr, average=0.5)
    flow = descend(Trace(), {"cov": cov}, scheme, steps=4, snapshots=(3, 4))
    rate = (1 - 2 * lr * 0.7) ** 2
    torch.testing.assert_close(flow.state["cov"], (rate**3 + rate**4) / 2 * cov)
    torch.testing.assert_close(flow.snapshots[3]["cov"], rate**3 * cov)


def test_flows_in_a_batch_end_on_their_own_means():
    x, y = normal(2, 2, 3, 4).float(), normal(2, 3, 4, seed=1).float()
    mmd = SlicedMMD(y, Riesz(), n_directions=10)
    scheme = Momentum(lr=0.1, average=0.5)
    both = descend(mmd, x, scheme, steps=6, generator=seeded())
    for b in range(2):
        one = descend(mmd, x[b], scheme, steps=6, generator=seeded())
        torch.testing.assert_close(both.x[b], one.x)


def test_a_flow_that_stops_before_its_last_steps_ends_on_its_last_point():
    x, rate = normal(2, 3, 4), 0.8
    scheme = Momentum(lr=0.2, momentum=0, average=0.25)
    flow = descend(Quadratic(), x, scheme, steps=400, until=1e-3, snapshots=(400,))
    assert len(flow.losses) == 20
    torch.testing.assert_close(flow.x, rate**20 * x)
    assert torch.equal(flow.snapshots[400]["x"], flow.x)


def test_a_flow_that_stops_in_its_last_steps_ends_on_the_mean_so_far():
    x, rate = normal(2, 3, 4), 0.8
    scheme = Momentum(lr=0.2, momentum=0, average=0.25)
    # From step 18 on: at step 20 the mean of three points is below the goal, the last one too.
    flow = descend(Quadratic(), x, scheme, steps=23, until=1e-3, snapshots=(22,))
    assert len(flow.losses) == 20
    expected = sum(rate**k for k in (18, 19, 20)) / 3 * x
    torch.testing.assert_close(flow.x, expected)
    assert torch.equal(flow.snapshots[22]["x"], flow.x)
    assert flow.held_out <= 1e-3 * flow.losses[0]


def test_a_flow_is_not_there_before_its_mean_is():
    x, rate = normal(2, 3, 4), 0.8
    scheme = Momentum(lr=0.2, momentum=0, average=0.99)
    flow = descend(Quadratic(), x, scheme, steps=40, until=1e-3)
    # The point is there at step 20, the mean of all points never.
    assert len(flow.losses) == 40
    torch.testing.assert_close(flow.x, sum(rate**k for k in range(1, 41)) / 40 * x)


class Interrupted(BaseException):
    pass


@pytest.mark.parametrize("after", [3, 8, 12])
def test_an_interrupted_flow_ends_on_the_same_bits(tmp_path, after):
    def flow(checkpoint=None, progress=None):
        return descend(
            Disturbed(),
            normal(2, 3, 4),
            Momentum(lr=0.1, average=0.5),
            steps=12,
            generator=seeded(),
            snapshots=(8, 12),
            checkpoint=checkpoint,
            progress=progress,
            check_every=1,
        )

    def interrupt(done, _):
        if done == after:
            raise Interrupted

    checkpoint = Checkpoint(tmp_path / "flow", "print", every_seconds=0)
    with pytest.raises(Interrupted):
        flow(checkpoint, interrupt)
    whole, resumed, again = flow(), flow(checkpoint), flow(checkpoint)
    for other in (resumed, again):
        assert torch.equal(other.x, whole.x)
        assert torch.equal(other.held_out, whole.held_out)
        for at in (8, 12):
            assert torch.equal(other.snapshots[at]["x"], whole.snapshots[at]["x"])


def test_without_an_average_nothing_is_remembered():
    flow = descend(Quadratic(), normal(2, 3, 4), Momentum(momentum=0), steps=3)
    assert set(flow.state) == {"x"}


def test_an_average_can_be_captured():
    assert Momentum(average=0.5).capturable({"x": EUCLIDEAN})
    assert AdamW(average=0.5).capturable({"x": EUCLIDEAN})


def test_the_last_frame_of_a_method_is_the_mean():
    points = torch.rand(2, 2, 6, 1, 2, 3, generator=seeded())
    problem = Problem(points[0], points[1], Space((1, 2, 3)))
    context = RunContext(seed=1, snapshots=tuple(range(9)))
    last = MMDSW(steps=8, n_directions=20, scheme=Momentum(lr=0.1, average=0.5))
    plain = MMDSW(steps=8, n_directions=20, scheme=Momentum(lr=0.1))
    found, expected = (method.run(problem, context).frames for method in (last, plain))
    mean = torch.stack([expected[at].particles for at in (5, 6, 7, 8)]).mean(0)
    torch.testing.assert_close(found[8].particles, mean)
    assert torch.equal(found[7].particles, expected[7].particles)


@pytest.mark.parametrize("bad", [1, -0.1])
def test_a_share_that_is_none_is_named(bad):
    with pytest.raises(InputError, match=f"average: got {bad}"):
        FromRegistry(METHODS).build({"name": "mmdsw", "scheme": {"average": bad}})
