"""Flows that stop once their held-out loss is low, and that loss itself."""

import pytest
import torch

from wowbench.flows import Checkpoint, descend
from wowbench.flows.loop import STOP_EVERY
from wowbench.functionals import ParticleFunctional, SlicedMMD
from wowbench.functionals.wrappers import Noisy
from wowbench.geometry import AffineHull, sample_directions
from wowbench.kernels.riesz import Riesz
from wowbench.methods.problem import Problem, RunContext
from wowbench.methods.trajectory_check import check_trajectory
from wowbench.parameters import FromRegistry
from wowbench.registry import METHODS
from wowbench.schemes.momentum import Momentum
from wowbench.schemes.polyak import Polyak
from wowbench.space import Space

STEPS = 400


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


class HalfSquare(ParticleFunctional):
    """1/2 mean |x|^2, of WoW gradient x."""

    def evaluate(self, x):
        return x.square().sum(-1).mean() / 2, x


def run(functional, x, scheme=None, *, until, **options):
    scheme = scheme or Momentum(lr=0.1, momentum=0)
    options = {"steps": STEPS, "generator": seeded(), **options}
    return descend(functional, x, scheme, until=until, **options)


def test_a_flow_stops_at_the_first_question_after_it_is_there():
    # Values are 0.81^k of the first one: below 1e-3 from k = 33 on.
    flow = run(HalfSquare(), normal(2, 3, 4), until=1e-3)
    assert len(flow.losses) == 40
    assert 33 <= 40 < 33 + STOP_EVERY
    assert flow.held_out <= 1e-3 * flow.losses[0]


def test_a_tolerance_that_is_never_met_takes_all_steps():
    flow = run(HalfSquare(), normal(2, 3, 4), until=1e-30, steps=55)
    assert len(flow.losses) == 55
    assert torch.equal(
        flow.x, descend(HalfSquare(), normal(2, 3, 4), Momentum(lr=0.1, momentum=0), steps=55).x
    )


def test_a_flow_that_stopped_stays_where_it_is():
    flow = run(HalfSquare(), normal(2, 3, 4), until=1e-3, snapshots=(0, 39, 41, STEPS))
    assert not torch.equal(flow.snapshots[39]["x"], flow.x)
    for later in (41, STEPS):
        assert torch.equal(flow.snapshots[later]["x"], flow.x)


def test_all_of_several_flows_must_be_there():
    class HalfSquares(HalfSquare):
        def evaluate(self, x):
            return x.square().sum(-1).mean((-2, -1)) / 2, torch.tensor([1.0, 0.5])[
                :, None, None, None
            ] * x

    flow = run(HalfSquares(), normal(2, 2, 3, 4), until=1e-3)
    # The second one falls by 0.95^2 at a step: 68 of them.
    assert len(flow.losses) == 70


def test_a_stopped_flow_that_is_run_again_takes_no_step(tmp_path):
    reports = []
    x = normal(2, 3, 4)
    first = run(HalfSquare(), x, until=1e-3, checkpoint=Checkpoint(tmp_path / "flow", "", 0))
    again = run(
        HalfSquare(),
        x,
        until=1e-3,
        checkpoint=Checkpoint(tmp_path / "flow", "", 0),
        progress=lambda done, _: reports.append(done),
        snapshots=(),
    )
    assert reports == []
    assert torch.equal(again.x, first.x)
    assert torch.equal(again.losses, first.losses)


def test_an_interrupted_flow_stops_where_it_would_have(tmp_path):
    class InterruptedError(Exception):
        pass

    def interrupt(done, loss):
        if done == 15:
            raise InterruptedError

    mmd, x = SlicedMMD(normal(2, 4, 3, seed=1), Riesz(), n_directions=20), normal(2, 4, 3)
    options = {"scheme": Polyak(decay="linear"), "until": 1e-3, "snapshots": (30,)}
    expected = run(mmd, x, **options)
    checkpoint = Checkpoint(tmp_path / "flow", "", 0)
    with pytest.raises(InterruptedError):
        run(mmd, x, checkpoint=checkpoint, progress=interrupt, check_every=1, **options)
    resumed = run(mmd, x, checkpoint=Checkpoint(tmp_path / "flow", "", 0), **options)
    assert 15 < len(expected.losses) < STEPS
    assert torch.equal(resumed.losses, expected.losses)
    assert torch.equal(resumed.x, expected.x)


def test_the_held_out_loss_is_the_loss_along_directions_of_its_own():
    x, y = normal(2, 5, 6), normal(3, 4, 6, seed=1)
    mmd = SlicedMMD(y, Riesz())
    theta = sample_directions(50_000, 6, generator=seeded())
    expected = mmd.evaluate(x, theta)[0]
    found = mmd.held_out({"x": x})
    torch.testing.assert_close(found, expected, rtol=0.02, atol=0)
    assert torch.equal(found, mmd.held_out({"x": x}))


def test_that_of_linear_quantiles_has_levels_of_its_own():
    x, y = normal(2, 5, 6), normal(3, 4, 6, seed=1)
    mmd = SlicedMMD(y, Riesz(), quantiles="linear")
    theta = sample_directions(1_000, 6, generator=seeded())
    expected = mmd.evaluate(x, theta, generator=seeded(1))[0]
    torch.testing.assert_close(mmd.held_out({"x": x}), expected, rtol=0.1, atol=0)


def test_other_functionals_average_some_values():
    x = torch.zeros(4, 500, 3)
    # E |noise|^2 / 2 = 3/2, from which a mean of 4 x 6,000 squares differs by 1 % or so.
    noisy = Noisy(HalfSquare(), 1.0)
    state = {"x": x}
    assert noisy.held_out(state).item() == pytest.approx(1.5, abs=0.05)
    assert torch.equal(state["x"], torch.zeros(4, 500, 3))
    assert HalfSquare().held_out({"x": x + 2}).item() == 6


def problem(k=5, n=20, classes=3, shape=(1, 8, 8)):
    source = torch.rand(classes, n, *shape, generator=seeded(1))
    target = torch.rand(classes, k, *shape, generator=seeded(2))
    return Problem(source, target, Space(shape, bounds=(0.0, 1.0)))


def sprint(**values):
    return FromRegistry(METHODS).build({"name": "mmdsw_sprint", **values})


@pytest.mark.parametrize("k", [1, 2, 5])
def test_a_sprint_ends_on_the_target(k):
    method, given = sprint(), problem(k)
    context = RunContext(seed=0, snapshots=(0, 3, 900))
    trajectory = method.run(given, context)
    check_trajectory(method, trajectory, given, context)
    assert len(trajectory.losses) < method.steps
    assert trajectory.metrics["held_out_loss"] <= 1.1e-4 * trajectory.losses[0]
    # Every particle is at an image of the target, and every image has its share of them.
    moved = trajectory.last.particles.flatten(1)
    distances = torch.cdist(moved, given.target.flatten(0, 1).flatten(1))
    assert distances.min(1).values.max() < 0.05
    assert distances.argmin(1).bincount().tolist() == [20 // k] * (3 * k)
    assert trajectory.frames[900].particles.equal(trajectory.last.particles)


def test_a_sprint_starts_from_the_nearest_points_of_the_hull():
    given = problem()
    trajectory = sprint(steps=1).run(given, RunContext(seed=0, snapshots=(0,)))
    hull = AffineHull.of(given.target.flatten(0, 1).flatten(1))
    nearest = hull.leave(hull.enter(given.source.flatten(0, 1).flatten(1)))
    start = trajectory.frames[0].particles.flatten(1)
    torch.testing.assert_close(start, nearest.clamp(0, 1), rtol=0, atol=1e-5)


def test_a_sprint_on_images_that_cannot_be_shared_out_takes_its_steps_and_ends_at_rest():
    given = problem(k=3)
    trajectory = sprint(steps=300).run(given, RunContext(seed=0, snapshots=(290,)))
    assert len(trajectory.losses) == 300
    last = trajectory.losses[-20:]
    assert last.max() < 1.2 * last.min()
    assert last.mean() < 0.2 * trajectory.losses[0]


def test_the_parameters_of_a_sprint_are_mmdsws():
    method = sprint(hull=False, n_directions=30, directions="orthogonal", until=0.5)
    trajectory = method.run(problem(), RunContext(seed=0))
    assert trajectory.metrics["held_out_loss"] <= 0.5 * trajectory.losses[0] * 1.2


@pytest.mark.parametrize(("until", "said"), [(1e-9, True), (0.9, False)])
def test_a_flow_that_does_not_get_there_says_so(until, said, caplog):
    source, target = normal(2, 4, 1, 3, 3).sigmoid(), normal(2, 2, 1, 3, 3, seed=1).sigmoid()
    problem = Problem(source, target, Space((1, 3, 3), bounds=(0.0, 1.0)))
    method = sprint(steps=30, until=until)
    outcome = method.run(problem, RunContext(seed=0))
    lines = [record.getMessage() for record in caplog.records]
    assert any("mmdsw_sprint: not converged after 30 steps" in line for line in lines) == said
    if said:
        (line,) = lines
        assert f"held-out loss is {outcome.metrics['held_out_loss']:.3g}, and" in line
