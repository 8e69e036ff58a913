"""Methods of distillation: what they decrease or choose, and what they leave."""

from dataclasses import replace
from itertools import combinations

import pytest
import torch

from wowbench.errors import InputError
from wowbench.methods.problem import Problem, RunContext
from wowbench.parameters import FromRegistry
from wowbench.registry import METHODS
from wowbench.space import Space

BUILD = FromRegistry(METHODS).build
CLASSES, SHAPE = 3, (1, 8, 8)


@pytest.fixture
def problem():
    generator = torch.Generator().manual_seed(0)
    source, target = (torch.randn(CLASSES, n, *SHAPE, generator=generator) for n in (2, 9))
    return Problem(source, target, Space(tuple(source.shape[2:])), "by_number", 9)


def test_dm_steps_along_the_plain_gradient_of_the_sum_over_classes(problem):
    outcome = BUILD({"name": "dm", "steps": 1, "scheme": {"lr": 0.3}}).run(problem, RunContext(0))
    x = problem.source.clone().requires_grad_()
    loss = (x.mean(1) - problem.target.mean(1)).square().sum()
    (grad,) = torch.autograd.grad(loss, x)
    torch.testing.assert_close(outcome.last.particles, (x - 0.3 * grad).detach().flatten(0, 1))
    torch.testing.assert_close(outcome.losses[0], loss.detach())


@pytest.mark.parametrize("name", ["m3d", "ncfm"])
@pytest.mark.parametrize("scenario", [{}, {"augmentation": True, "embedding": True}])
def test_neighbours_of_dm_bring_classes_closer_and_keep_them(problem, name, scenario):
    centres = torch.randn(CLASSES, 1, *SHAPE, generator=torch.Generator().manual_seed(5))
    moved = replace(problem, target=problem.target + 2 * centres)
    lr = {"m3d": 1.0, "ncfm": 0.1}[name]
    start, end = (
        BUILD({"name": name, "steps": steps, "scheme": {"lr": step_size}, **scenario}).run(
            moved, RunContext(0)
        )
        for steps, step_size in ((1, 1e-9), (100, lr))
    )
    assert end.last.labels.tolist() == [0, 0, 1, 1, 2, 2]
    # On the same draws of batches, augmentations and networks, so that little is much.
    share = 0.5 if not scenario else 0.97
    assert end.metrics["held_out_loss"] < share * start.metrics["held_out_loss"]


def test_one_step_of_m3d_is_along_the_plain_gradient_of_the_sum_over_classes(problem):
    from wowbench.functionals.kernel_matching import KernelMatching

    outcome = BUILD({"name": "m3d", "steps": 1, "scheme": {"lr": 0.3}}).run(problem, RunContext(0))
    x, y = problem.source.flatten(2), problem.target.flatten(2)
    steps = [KernelMatching(y[c : c + 1]).evaluate(x[c : c + 1])[1] / 2 for c in range(CLASSES)]
    expected = x - 0.3 * torch.cat(steps)
    torch.testing.assert_close(outcome.last.particles.flatten(1), expected.flatten(0, 1))


def test_ncfm_has_the_numbers_of_its_authors_configurations():
    method = BUILD("ncfm")
    assert (method.n_frequencies, method.amplitude, method.phase) == (4096, 0.5, 0.5)
    assert (method.scheme.name, method.scheme.lr) == ("adamw", 0.01)
    assert method.scheme.weight_decay == 5e-4


@pytest.mark.parametrize("name", ["dm", "mmdsw"])
def test_standardised_images_are_not_clipped_and_stand_alone(problem, name):
    outcome = BUILD({"name": name, "steps": 2}).run(problem, RunContext(0))
    assert outcome.last.particles.min() < 0
    assert len(outcome.last.particles) == 6


def test_dm_keeps_classes_where_mmdsw_couples_them_anew(problem):
    # Classes far apart, and a source in which each starts beside the next one.
    centres = 10 * torch.arange(CLASSES).reshape(-1, 1, 1, 1, 1)
    target, source = problem.target + centres, problem.source + centres.roll(-1, 0)
    moved = Problem(source, target, Space(tuple(source.shape[2:])), "by_number", 9)
    context = RunContext(0, snapshots=(0,))
    kept = BUILD({"name": "dm", "steps": 1, "scheme": {"lr": 1e-3}}).run(moved, context)
    coupled = BUILD({"name": "mmdsw", "steps": 1, "scheme": {"lr": 1e-3}}).run(moved, context)
    assert kept.last.labels.tolist() == kept.frames[0].labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert coupled.last.labels.tolist() == coupled.frames[0].labels.tolist() == [1, 1, 2, 2, 0, 0]


@pytest.mark.parametrize("scenario", [{}, {"augmentation": True, "embedding": True}])
def test_a_snapshot_is_what_a_shorter_flow_leaves(problem, scenario):
    method = {"name": "mmdsw", "n_directions": 5, **scenario}
    long = BUILD(method | {"steps": 5}).run(problem, RunContext(1, snapshots=(0, 3, 8)))
    short = BUILD(method | {"steps": 3}).run(problem, RunContext(1))
    assert list(long.frames) == [0, 3, 5]
    torch.testing.assert_close(long.frames[3].particles, short.last.particles)
    assert torch.equal(long.frames[3].labels, short.last.labels)
    torch.testing.assert_close(long.frames[0].particles, problem.source.flatten(0, 1))


def test_linear_quantiles_draw_their_levels_from_the_flow(problem):
    outcome = BUILD({"name": "mmdsw", "quantiles": "linear", "steps": 2}).run(
        problem, RunContext(0)
    )
    assert outcome.losses.isfinite().all()


def test_an_embedding_that_cannot_take_the_images_is_named():
    problem = Problem(
        torch.rand(2, 1, 1, 5, 5), torch.rand(2, 3, 1, 5, 5), Space((1, 5, 5)), "by_number"
    )
    with pytest.raises(
        InputError, match=r"images of 5 x 5 pixels, and the embedding of 'dm' needs at least 8 x 8"
    ):
        BUILD({"name": "dm", "embedding": True}).run(problem, RunContext(0))


def test_herding_brings_the_mean_as_close_as_it_can_at_each_choice(problem):
    images = problem.target.flatten(2)
    chosen = BUILD("herding").run(problem, RunContext(0)).last.particles.reshape(CLASSES, 2, -1)
    for of_class, candidates in zip(chosen, images, strict=True):
        mean = candidates.mean(0)
        first = min(candidates, key=lambda x, m=mean: float((x - m).norm()))
        rest = [x for x in candidates if not torch.equal(x, first)]
        second = min(rest, key=lambda x, m=mean, f=first: float(((f + x) / 2 - m).norm()))
        assert torch.equal(of_class, torch.stack([first, second]))


def test_kmeans_chooses_the_image_nearest_to_each_group():
    # Two groups of three a class, around 0 and 10, with the middle one nearest to their mean.
    levels = torch.tensor([0.0, 1.1, 2.0, 10.0, 11.1, 12.0])[torch.tensor([3, 0, 4, 1, 5, 2])]
    target = levels[None, :, None, None, None] + torch.zeros(2, 6, *SHAPE)
    problem = Problem(target[:, :2], target, Space(tuple(target.shape[2:])), "by_number")
    images = BUILD("kmeans").run(problem, RunContext(3)).last.particles[:, 0, 0, 0]
    assert images.reshape(2, 2).sort().values.tolist() == torch.tensor([[1.1, 11.1]] * 2).tolist()


@pytest.mark.parametrize("name", ["herding", "kmeans"])
def test_no_image_is_chosen_twice(problem, name):
    problem = Problem(
        problem.target[:, :7], problem.target, Space(tuple(problem.target.shape[2:])), "by_number"
    )
    chosen = BUILD(name).run(problem, RunContext(0)).last.particles.reshape(CLASSES, 7, -1)
    assert all(not torch.equal(a, b) for images in chosen for a, b in combinations(images, 2))
    assert all((x == problem.target.flatten(2)).all(-1).any() for x in chosen.flatten(0, 1))


@pytest.mark.parametrize("name", ["herding", "kmeans"])
def test_more_images_than_there_are_cannot_be_chosen(problem, name):
    problem = Problem(
        problem.target, problem.source, Space(tuple(problem.target.shape[2:])), "by_number"
    )
    with pytest.raises(InputError, match="9 images per class are to be chosen; expected at most 2"):
        BUILD(name).run(problem, RunContext(0))


def test_baselines_return_the_start_and_the_whole(problem):
    start, whole = (BUILD(n).run(problem, RunContext(0)).last for n in ("random", "full_data"))
    assert torch.equal(start.particles, problem.source.flatten(0, 1))
    assert torch.equal(whole.particles, problem.target.flatten(0, 1))
    assert whole.labels.bincount().tolist() == [9] * CLASSES


@pytest.mark.parametrize("name", ["mmdsw", "dm", "dm_authors", "m3d", "ncfm"])
def test_the_network_of_an_embedding_leaves_the_global_random_state_alone(problem, name):
    torch.manual_seed(11)
    before = torch.get_rng_state()
    BUILD({"name": name, "steps": 2, "embedding": True}).run(problem, RunContext(0))
    assert torch.equal(torch.get_rng_state(), before)
