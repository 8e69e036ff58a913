"""Label rules of flowed particles."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from wowbench.geometry.bures import bures_wasserstein_squared
from wowbench.labelling import (
    label_by_bures_program,
    label_by_nearest,
    label_by_wow_coupling,
)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def carried_gaussians(c, n, seed=0):
    factor = normal(c, n, 2, 3, seed=seed + 1)
    return normal(c, n, 2, seed=seed), factor @ factor.mT


def test_coupled_classes_lend_their_index():
    target = 10 * torch.arange(3.0)[:, None, None] + normal(3, 7, 2)
    flowed = target[[2, 0, 1]][:, :5] + 0.1
    labels = label_by_wow_coupling(flowed, target)
    assert labels.dtype == torch.int64
    assert labels.tolist() == [[2] * 5, [0] * 5, [1] * 5]


def test_target_classes_may_differ_in_size():
    target = [normal(3, 2), 10 + normal(1, 2)]
    assert label_by_wow_coupling(
        target[1].expand(2, 4, 2) * torch.tensor([1, 0])[:, None, None], target
    ).tolist() == [[1] * 4, [0] * 4]


def test_flowed_classes_beyond_the_target_share_its_labels():
    target = torch.tensor([[[0.0]], [[10.0]]])
    flowed = torch.tensor([[[9.0]], [[1.0]], [[0.0]], [[11.0]]])
    assert label_by_wow_coupling(flowed, target).tolist() == [[1], [0], [0], [1]]


@pytest.mark.parametrize(
    ("flowed", "target", "message"),
    [
        (torch.zeros(2, 3), torch.zeros(2, 3, 4), "flowed has shape (2, 3); expected (C, n, d)"),
        (
            [torch.zeros(2, 1), torch.zeros(3, 1)],
            torch.zeros(2, 3, 1),
            "flowed has classes of different sizes; expected a tensor (C, n, d)",
        ),
        (torch.zeros(2, 3, 1), torch.zeros(2, 3, 4), "target has dimension 4; expected 1"),
        (torch.full((1, 1, 1), torch.nan), torch.zeros(1, 1, 1), "flowed[0, 0, 0] is nan"),
    ],
)
def test_bad_classes_are_named(flowed, target, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        label_by_wow_coupling(flowed, target)


def test_particles_on_a_target_gaussian_get_its_label():
    target_mean, target_cov = (t[0] for t in carried_gaussians(1, 4))
    order = torch.tensor([[3, 1, 0], [2, 2, 0], [3, 0, 1], [1, 2, 3]])
    labels = label_by_bures_program(target_mean[order], target_cov[order], target_mean, target_cov)
    assert labels.tolist() == order.tolist()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 5), st.booleans())
def test_solves_the_assignment_of_particles_to_places(seed, c, n, squared):
    mean, cov = carried_gaussians(c, n, seed=seed)
    target_mean, target_cov = (t[0] for t in carried_gaussians(1, c, seed=seed + 2))
    labels = label_by_bures_program(mean, cov, target_mean, target_cov, squared=squared).flatten()
    assert labels.bincount(minlength=c).tolist() == [n] * c
    costs = bures_wasserstein_squared(
        target_mean, target_cov, mean.flatten(0, 1), cov.flatten(0, 1)
    ).numpy()
    costs = costs if squared else np.sqrt(costs)
    # Each class offers n places; the best assignment of particles to places is the program's.
    places = np.repeat(costs, n, axis=0)
    least = places[linear_sum_assignment(places)].sum()
    assert costs[labels, np.arange(c * n)].sum() == pytest.approx(least, rel=1e-5)


@pytest.mark.parametrize(("squared", "labels"), [(False, [[1], [0]]), (True, [[0], [1]])])
def test_the_cost_is_the_distance_and_its_square_where_asked_for(squared, labels):
    # Squares: 9 + 10 as numbered, 25 + 0 crosswise; distances: 3 + 3.16 against 5 + 0.
    classes = torch.tensor([[0.0, 0.0], [3.0, 0.0]])
    particles = torch.tensor([[[3.0, 0.0]], [[4.0, 3.0]]])
    unit = torch.eye(2)
    given = label_by_bures_program(
        particles,
        unit.repeat(2, 1, 1, 1),
        classes,
        unit.repeat(2, 1, 1),
        squared=squared,
    )
    assert given.tolist() == labels


def test_more_particles_than_the_target_has_classes_for():
    mean, cov = carried_gaussians(5, 3)
    target_mean, target_cov = (t[0] for t in carried_gaussians(1, 4, seed=5))
    message = "mean has 15 particles; expected a multiple of the 4 classes of target_mean"
    with pytest.raises(ValueError, match=re.escape(message)):
        label_by_bures_program(mean, cov, target_mean, target_cov)
    labels = label_by_bures_program(mean, cov, target_mean[:3], target_cov[:3])
    assert labels.flatten().bincount().tolist() == [5, 5, 5]


def test_a_negative_eigenvalue_is_named():
    mean, cov = carried_gaussians(2, 3)
    cov[1, 2] = torch.diag(torch.tensor([1.0, -0.5]))
    with pytest.raises(ValueError, match=re.escape("cov[1][2] has smallest eigenvalue -0.5")):
        label_by_bures_program(mean, cov, mean[0, :2], cov[0, :2])


@pytest.mark.parametrize(
    ("mean", "cov", "message"),
    [
        (torch.zeros(4, 2), torch.zeros(4, 2, 2), "mean has shape (4, 2); expected (C, n, d)"),
        (torch.zeros(2, 2, 2), torch.zeros(2, 2), "cov has shape (2, 2); expected (2, 2, 2, 2)"),
        (torch.full((2, 2, 2), torch.inf), torch.eye(2).expand(2, 2, 2, 2), "mean[0, 0, 0] is inf"),
    ],
)
def test_bad_gaussians_are_named(mean, cov, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        label_by_bures_program(mean, cov, torch.zeros(2, 2), torch.eye(2).repeat(2, 1, 1))


def test_each_particle_has_the_label_of_its_nearest_neighbour():
    flowed = normal(3, 20, 4)
    target = normal(5, 7, 4, seed=1)
    expected = [
        [min((float((x - y).norm()), c) for c, of in enumerate(target) for y in of)[1] for x in row]
        for row in flowed
    ]
    assert label_by_nearest(flowed, target).tolist() == expected


def test_a_class_has_the_label_of_most_of_its_particles():
    target = torch.tensor([[[0.0], [1.0]], [[10.0], [11.0]], [[20.0], [21.0]]])
    flowed = torch.tensor(
        [[[9.0], [0.0], [12.0]], [[20.5], [0.0], [20.0]], [[0.0], [10.0], [20.0]]]
    )
    assert label_by_nearest(flowed, target).tolist() == [[1, 0, 1], [2, 0, 2], [0, 1, 2]]
    by_vote = label_by_nearest(flowed, target, majority=True)
    assert by_vote.tolist() == [[1] * 3, [2] * 3, [0] * 3]


def test_neighbours_far_from_the_origin_are_told_apart():
    target = torch.tensor([[[1e4, 0.25]], [[1e4, 0.75]]])
    assert label_by_nearest(target.flip(0) + torch.tensor([0.0, 0.01]), target).tolist() == [
        [1],
        [0],
    ]


@pytest.mark.parametrize(
    ("flowed", "message"),
    [
        (torch.zeros(2, 3), "flowed has shape (2, 3); expected (C, n, d)"),
        (torch.zeros(2, 3, 5), "target has dimension 4; expected 5"),
        (torch.full((1, 1, 4), torch.inf), "flowed[0, 0, 0] is inf"),
    ],
)
def test_bad_classes_of_the_nearest_rule_are_named(flowed, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        label_by_nearest(flowed, torch.zeros(2, 3, 4))
