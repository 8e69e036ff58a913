"""Few-shot evaluation: what classifiers are trained on, and for how many steps."""

import math

import numpy as np
import pytest
import torch

from wowbench.datasets.base import LabelledParticles
from wowbench.evaluation import training
from wowbench.evaluators.base import Evidence
from wowbench.evaluators.few_shot import FewShot, Training
from wowbench.jobs.drawn import Drawn
from wowbench.methods.trajectory import Frame, Trajectory
from wowbench.space import Chart

SOURCE_CLASSES, N, CLASSES, K, SHAPE = 3, 5, 2, 2, (1, 28, 28)
EPOCHS, BATCH, SEEDS = 3, 4, [7, 8]


def stored(*shape, seed):
    return np.random.default_rng(seed).integers(0, 256, (*shape, *SHAPE), dtype=np.uint8)


def evidence(moved, chart=None):
    """Evidence of a flow that left `moved` particles, for the classes 1, 0, 1, 0, ..."""
    drawn = Drawn(
        torch.from_numpy(stored(SOURCE_CLASSES, N, seed=0)),
        torch.from_numpy(stored(CLASSES, K, seed=1)),
        ("a", "b"),
        chart,
    )
    generator = torch.Generator().manual_seed(0)
    particles = torch.rand(moved, *SHAPE, generator=generator)
    frame = Frame(particles, (torch.arange(moved) + 1) % CLASSES)
    test = LabelledParticles(stored(6, seed=2), np.arange(6) % CLASSES, ("a", "b"), "mine", "test")
    return Evidence(drawn, Trajectory({0: frame}, torch.empty(0)), test)


def score(evidence, budget="own"):
    settings = Training(epochs=EPOCHS, batch_size=BATCH)
    return FewShot(training=settings, budget=budget).score(evidence, SEEDS, "cpu")


ALONE, WITH_SOURCE = CLASSES * K, CLASSES * K + SOURCE_CLASSES * N


@pytest.mark.parametrize(
    ("moved", "budget", "samples"),
    [
        (0, "own", ALONE),
        (0, "matched", WITH_SOURCE),
        (SOURCE_CLASSES * N, "own", WITH_SOURCE),
        (SOURCE_CLASSES * N, "matched", WITH_SOURCE),
    ],
)
def test_a_matched_training_takes_as_many_steps_as_one_with_the_source(
    monkeypatch, moved, budget, samples
):
    steps, step = [], torch.optim.AdamW.step
    counting = lambda optimiser, *args: steps.append(len(steps)) or step(optimiser, *args)  # noqa: E731
    monkeypatch.setattr(torch.optim.AdamW, "step", counting)
    rows = score(evidence(moved), budget)
    assert len(steps) == len(SEEDS) * EPOCHS * math.ceil(samples / BATCH)
    assert [(row["metric"], row["training_seed"]) for row in rows] == [
        ("accuracy", 0),
        ("accuracy", 1),
    ]
    assert all(row["value"] * 6 == pytest.approx(round(row["value"] * 6)) for row in rows)


def test_the_budgets_differ_here():
    assert math.ceil(ALONE / BATCH) != math.ceil(WITH_SOURCE / BATCH)


@pytest.mark.parametrize("standardised", [False, True])
def test_it_is_trained_on_target_and_flowed_images_in_coordinates(monkeypatch, standardised):
    mean, std = (0.4, 0.2) if standardised else (0, 1)
    chart = Chart(torch.tensor([mean]), torch.tensor([std])) if standardised else None
    given, train = {}, training.train_classifiers

    def seeing(images, labels, **options):
        given.update(options, images=images, labels=labels)
        return train(images, labels, **options)

    monkeypatch.setattr(training, "train_classifiers", seeing)
    known = evidence(4, chart)
    score(known)
    target = known.drawn.target.numpy().reshape(-1, *SHAPE) / 255
    flowed = known.trajectory.last.particles.numpy()
    expected = (np.concatenate([target, flowed]) - mean) / std
    np.testing.assert_allclose(given["images"], expected, rtol=1e-5, atol=1e-6)
    assert given["labels"].tolist() == [0, 0, 1, 1, 1, 0, 1, 0]
    assert (given["n_classes"], given["seeds"]) == (CLASSES, SEEDS)


def test_it_is_tested_in_the_coordinates_that_it_is_trained_in():
    chart = Chart(torch.tensor([0.4]), torch.tensor([0.2]))
    images, labels = evidence(4, chart).test_set()
    np.testing.assert_allclose(images, (stored(6, seed=2) / 255 - 0.4) / 0.2, rtol=1e-5, atol=1e-6)
    assert labels.tolist() == [0, 1, 0, 1, 0, 1]
