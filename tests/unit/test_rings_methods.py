"""Methods with known answers: geodesic, exact flow, energies, and class weights that move."""

import pytest
import torch

from wowbench.errors import InputError
from wowbench.geometry import wow_distance
from wowbench.labelling import label_by_wow_coupling
from wowbench.methods.energies import InteractionEnergy, PotentialEnergy
from wowbench.methods.exact_wow import ExactWoW
from wowbench.methods.mmdsw import MMDSW
from wowbench.methods.mmdsw_weighted import WeightedMMDSW
from wowbench.methods.problem import Problem, RunContext
from wowbench.methods.wow_geodesic import WoWGeodesic
from wowbench.space import Space


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def problem(source, target):
    return Problem(source, target, Space((source.shape[-1],)))


def spots(classes, n=20, seed=0):
    """Classes that start in one spot."""
    return 0.01 * normal(classes, n, 2, seed=seed) + torch.tensor([-0.3, 0.0])


def circles(classes=3, n=20):
    angles = 2 * torch.pi * torch.arange(n, dtype=torch.float64) / n
    ring = 0.3 * torch.stack([angles.cos(), angles.sin()], -1)
    return ring - 0.75 * torch.arange(classes)[:, None, None] * torch.tensor([1.0, 0.0])


def classes_of(frame, classes):
    return frame.particles.reshape(classes, -1, 2)


SIZES = [((3, 5, 2), (3, 5, 2)), ((3, 6, 2), (3, 2, 2)), ((4, 5, 2), (2, 5, 2))]


@pytest.mark.parametrize(("source", "target"), SIZES)
def test_geodesic_has_constant_speed_and_ends_at_the_target(source, target):
    x, y = normal(*source), 5 + normal(*target, seed=1)
    whole = wow_distance(x, y)
    flow = WoWGeodesic(steps=8).run(problem(x, y), RunContext(0, snapshots=(0, 2, 6)))
    for step, frame in flow.frames.items():
        moved, left = classes_of(frame, len(x)), 1 - step / 8
        torch.testing.assert_close(wow_distance(moved, y), left * whole, atol=1e-12, rtol=1e-9)
        torch.testing.assert_close(
            wow_distance(x, moved), (1 - left) * whole, atol=1e-12, rtol=1e-9
        )
    left = 1 - torch.arange(8) / 8
    torch.testing.assert_close(flow.losses, (left.double() * whole) ** 2 / 2)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"n": 5, "k": 2}, "the source has 5 particles per class; expected a multiple of 2"),
        ({"n": 2, "k": 4}, "the source has 2 particles per class; expected a multiple of 4"),
        ({"target_classes": 2}, "the source has 3 classes; expected a multiple of 2"),
    ],
)
def test_geodesic_refuses_plans_that_would_split(sizes, message):
    sizes = {"source_classes": 3, "n": 4, "target_classes": 3, "k": 4, "shape": (2,)} | sizes
    with pytest.raises(InputError, match=f"method 'wow_geodesic' moves whole.*{message}"):
        WoWGeodesic().check_sizes(**sizes)


def test_exact_flow_shortens_the_distance_by_one_factor_at_each_step():
    x, y = normal(3, 5, 2), normal(3, 5, 2, seed=1)
    method = ExactWoW(steps=10, scheme={"lr": 0.2})
    flow = method.run(problem(x, y), RunContext(0, snapshots=(0, 4)))
    whole = wow_distance(x, y)
    for step, frame in flow.frames.items():
        torch.testing.assert_close(wow_distance(classes_of(frame, 3), y), 0.8**step * whole)
    torch.testing.assert_close(flow.losses, (0.8 ** torch.arange(10).double() * whole) ** 2 / 2)


def test_potential_spreads_each_class_over_the_whole_target():
    x, y = spots(3), circles()
    moved = classes_of(PotentialEnergy(steps=200).run(problem(x, y), RunContext(0)).last, 3)
    mixture = y.reshape(1, -1, 2)
    for of_class in moved:
        left = wow_distance(of_class[None], mixture)
        assert left < 0.2 * wow_distance(of_class.mean(0)[None, None], mixture)
    # All particles are where the target's are, and each class is far from each ring.
    assert wow_distance(moved.reshape(1, -1, 2), mixture) < 0.1
    assert wow_distance(moved, y) > 0.5


def test_interaction_drives_whole_classes_apart():
    x = spots(3)
    method = InteractionEnergy(steps=50, kernel={"name": "gaussian", "h": 0.02})
    flow = method.run(problem(x, circles()), RunContext(0))
    moved = classes_of(flow.last, 3)
    shift = moved.mean(1) - x.mean(1)
    torch.testing.assert_close(moved, x + shift[:, None])
    torch.testing.assert_close(shift.mean(0), torch.zeros(2).double(), atol=1e-12, rtol=0)
    between = torch.pdist(moved.mean(1))
    assert between.min() > 0.2
    assert (flow.losses.diff() <= 0).all()


def test_weights_go_where_equal_ones_cannot_match():
    """Five classes onto three rings: a third of the mass on each."""
    x, y = spots(5), circles()
    steps = {"steps": 150, "n_directions": 20}
    weighted = WeightedMMDSW(**steps).run(problem(x, y), RunContext(1, snapshots=(0, 75)))
    equal = MMDSW(**steps, scheme={"lr": 0.1, "momentum": 0}).run(problem(x, y), RunContext(1))
    assert weighted.frames[0].weights.tolist() == pytest.approx(5 * [0.2])
    for frame in weighted.frames.values():
        assert (frame.weights >= 0).all()
        assert frame.weights.sum().item() == pytest.approx(1)
    assert equal.last.weights is None
    last = weighted.last
    labels = last.labels.reshape(5, -1)[:, 0]
    shares = torch.zeros(3).double().index_add_(0, labels, last.weights)
    assert shares.tolist() == pytest.approx(3 * [1 / 3], abs=0.05)
    assert weighted.losses[-10:].mean() < 0.5 * equal.losses[-10:].mean()


def test_classes_are_coupled_by_their_weights():
    target = torch.tensor([[[0.0]], [[1.0]]])
    flowed = torch.tensor([0.0, 0.9, 1.0, 1.1])[:, None, None]
    assert label_by_wow_coupling(flowed, target).flatten().tolist() == [0, 0, 1, 1]
    for weights in ([0.5, 0.2, 0.2, 0.1], [0.5, 0.0, 0.5, 0.0]):
        labels = label_by_wow_coupling(flowed, target, weights=torch.tensor(weights))
        mass = torch.zeros(2).index_add_(0, labels.flatten(), torch.tensor(weights))
        assert mass.tolist() == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize("scenario", [{"embedding": True}, {"augmentation": ["scale"]}])
def test_exact_flow_moves_images_by_their_features_and_augmented(scenario):
    generator = torch.Generator().manual_seed(0)
    source, target = (torch.rand(3, n, 1, 8, 8, generator=generator) for n in (4, 2))
    method = ExactWoW(steps=3, scheme={"lr": 0.01}, **scenario)
    posed = Problem(source, target, Space((1, 8, 8), bounds=(0.0, 1.0)))
    one, other = (method.run(posed, RunContext(seed)) for seed in (0, 1))
    assert not torch.equal(one.last.particles, other.last.particles)
    assert (one.losses > 0).all()
