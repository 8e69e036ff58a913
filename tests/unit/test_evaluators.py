"""Evaluators of trajectories, on outcomes whose scores are known."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from wowbench.datasets.base import LabelledParticles
from wowbench.errors import InputError
from wowbench.evaluation.classifier import Classifier
from wowbench.evaluation.protocols import Paper
from wowbench.evaluators.base import Evidence
from wowbench.evaluators.distilled import Distilled
from wowbench.evaluators.frozen_classifier import FrozenClassifier
from wowbench.evaluators.whole_classes import WholeClasses
from wowbench.evaluators.wow_distance import WoWDistance
from wowbench.jobs.drawn import Drawn
from wowbench.methods.trajectory import Frame, Trajectory
from wowbench.space import Chart

HALF = Chart(torch.tensor([0.5]), torch.tensor([0.25]))


def rows_of(evaluator, evidence, seeds=()):
    """Values by metric and step; all training seeds in a list where there are seeds."""
    found = {}
    for row in evaluator.score(evidence, list(seeds), "cpu"):
        assert row["metric"] in evaluator.metrics
        key = (row["metric"], row["step"]) if "step" in row else row["metric"]
        found.setdefault(key, []).append(row["value"])
    return found if seeds else {key: value for key, (value,) in found.items()}


class Brighter(nn.Module):
    """Says which of two pixels is brighter, where one of them is above `level`; else class 2."""

    image_shape = (1, 1, 2)

    def __init__(self, level):
        super().__init__()
        self.level = nn.Parameter(torch.tensor(float(level)))

    def forward(self, images):
        pixels = images.flatten(1)
        return torch.cat([pixels, self.level.expand(len(pixels), 1)], 1)


def pixels(*pairs):
    return torch.tensor(pairs).float().reshape(-1, 1, 1, 2)


LEFT, RIGHT, DARK = (0.9, 0.6), (0.6, 0.9), (0.1, 0.2)
"""Pixels of the classes 0, 1 and 2, where the level is 0.5."""


def images_evidence(frames, chart=None, **others):
    """Evidence with frames (pixels, labels) and a test split of three images, one of each class."""
    stored = (255 * pixels(LEFT, RIGHT, DARK)).byte()
    test = LabelledParticles(stored.numpy(), np.array([0, 1, 1]), ("a", "b", "c"), "mine", "test")
    drawn = Drawn(stored[:, None], stored[:, None], ("a", "b", "c"), chart)
    frames = {step: Frame(pixels(*p), torch.tensor(labels)) for step, (p, labels) in frames.items()}
    return Evidence(drawn, Trajectory(frames, torch.empty(0)), test, **others)


@pytest.mark.parametrize(("chart", "level"), [(None, 0.5), (HALF, 0.0)])
def test_a_frozen_classifier_is_tested_on_every_frame_in_coordinates(chart, level):
    frames = {
        0: ((LEFT, LEFT, RIGHT, DARK), [0, 1, 0, 1]),  # 1 of 4 is as labelled
        5: ((LEFT, RIGHT, RIGHT, DARK), [0, 1, 1, 0]),  # 3 of 4
        9: ((LEFT, RIGHT), [0, 0]),  # 1 of 2
    }
    network = Brighter(level)
    found = rows_of(
        FrozenClassifier(),
        images_evidence(frames, chart, classifier=Classifier(network, (1, 1, 2))),
    )
    assert found == {
        "accuracy": 0.5,
        ("accuracy_at_step", 0): 0.25,
        ("accuracy_at_step", 5): 0.75,
        ("accuracy_at_step", 9): 0.5,
        "test_accuracy": pytest.approx(2 / 3),
    }


def test_a_classifier_of_another_shape_is_refused():
    classifier = Classifier(Brighter(0.5), (1, 2, 2))
    evidence = images_evidence({0: ((LEFT,), [0])}, classifier=classifier)
    message = r"takes images of shape \(1, 2, 2\); expected \(1, 1, 2\), that of the particles"
    with pytest.raises(InputError, match=message):
        FrozenClassifier().score(evidence, [], "cpu")


@pytest.mark.parametrize(("chart", "level"), [(None, 0.5), (HALF, 0.0)])
def test_distilled_images_train_alone_and_in_coordinates(monkeypatch, chart, level):
    given = []

    def train(protocol, images, labels, n_classes, seeds, device):
        given.append((images, labels.tolist(), n_classes, seeds))
        # The second network takes nothing for dark: it is right on one test image less.
        return SimpleNamespace(networks=(Brighter(level), Brighter(-99.0)))

    monkeypatch.setattr(Paper, "train", train)
    frames = {0: ((LEFT, DARK), [0, 2]), 4: ((RIGHT, DARK), [1, 2])}
    evidence = images_evidence(frames, chart)
    evidence.test.labels[:] = [0, 1, 2]
    found = rows_of(Distilled(training=Paper()), evidence, seeds=[3, 4])
    values = [1.0, pytest.approx(2 / 3)]
    assert found == {
        "accuracy": values,
        ("accuracy_at_step", 0): values,
        ("accuracy_at_step", 4): values,
    }
    mean, std = (0.5, 0.25) if chart else (0, 1)
    for (images, *others), (moved, labels) in zip(given, frames.values(), strict=True):
        torch.testing.assert_close(images, (pixels(*moved) - mean) / std)
        assert others == [labels, 3, [3, 4]]


def test_one_frame_has_no_accuracies_at_steps(monkeypatch):
    trained = SimpleNamespace(networks=(Brighter(0.5),))
    monkeypatch.setattr(Paper, "train", lambda *args, **options: trained)
    evidence = images_evidence({4: ((LEFT,), [0])})
    assert rows_of(Distilled(training=Paper()), evidence, seeds=[3]).keys() == {"accuracy"}


def points_evidence(frames, target, source_classes=2, chart=None):
    """Evidence with frames of points (C, n, d), weighted or not, and a target (C', k, d)."""
    target = torch.as_tensor(target, dtype=torch.float32)
    source = torch.zeros(source_classes, 1, target.shape[-1])
    kept = {}
    for step, (points, *weights) in frames.items():
        particles = torch.as_tensor(points, dtype=torch.float32).flatten(0, 1)
        kept[step] = Frame(particles, torch.zeros(len(particles), dtype=torch.int64), *weights)
    drawn = Drawn(source, target, tuple("abc"[: len(target)]), chart)
    return Evidence(drawn, Trajectory(kept, torch.empty(0)))


def clouds(*centres, n=4):
    """Classes of n points each around centres far apart."""
    noise = torch.randn(len(centres), n, 2, generator=torch.Generator().manual_seed(0))
    return 0.1 * noise + torch.tensor(centres)[:, None]


def test_translated_classes_are_as_far_as_they_are_translated():
    target = clouds((0.0, 0.0), (50.0, 0.0))
    # Each by (3, 4); then one class by 6 and the other by 8; then in another order.
    frames = {
        0: (target + torch.tensor([3.0, 4.0]),),
        10: (target + torch.tensor([[[0.0, 6.0]], [[8.0, 0.0]]]),),
        20: (target.flip(0).flip(1),),
    }
    found = rows_of(WoWDistance(), points_evidence(frames, target))
    expected = {0: 5.0, 10: math.sqrt((36 + 64) / 2), 20: 0.0}
    assert found.pop("wow_distance") == pytest.approx(0, abs=1e-6)
    assert found == {
        ("wow_distance_at_step", step): pytest.approx(value, rel=1e-5, abs=1e-6)
        for step, value in expected.items()
    }


def test_the_distance_is_taken_in_coordinates():
    chart = Chart(torch.zeros(2), torch.tensor([0.5, 4.0]))
    target = clouds((0.0, 0.0), (50.0, 0.0))
    frames = {1: (target + torch.tensor([3.0, 32.0]),)}
    found = rows_of(WoWDistance(), points_evidence(frames, target, chart=chart))
    assert found["wow_distance"] == pytest.approx(math.hypot(6, 8), rel=1e-5)


def test_one_class_goes_to_all_of_the_targets():
    target = [[[0.0]], [[10.0]]]
    frames = {1: ([[[4.0], [4.0]]],)}
    found = rows_of(WoWDistance(), points_evidence(frames, target, source_classes=1))
    assert found["wow_distance"] == pytest.approx(math.sqrt((16 + 36) / 2))


@pytest.mark.parametrize(
    ("weights", "squared"),
    [
        # The mass above 1/2 of a class has to go the way of 10 to the other.
        ((0.5, 0.5), 0),
        ((0.75, 0.25), 0.25 * 100),
        ((1.0, 0.0), 0.5 * 100),
        ((0.0, 1.0), 0.5 * 100),
    ],
)
def test_classes_have_the_weights_of_their_frame(weights, squared):
    classes = [[[0.0], [0.0]], [[10.0], [10.0]]]
    frames = {0: (classes,), 3: (classes, torch.tensor(weights))}
    found = rows_of(WoWDistance(), points_evidence(frames, classes))
    assert found["wow_distance"] == pytest.approx(math.sqrt(squared), abs=1e-9)
    assert found["wow_distance_at_step", 0] == pytest.approx(0, abs=1e-9)


def test_weights_that_add_up_to_one_in_single_precision_alone_will_do():
    target = clouds((0.0, 0.0), (50.0, 0.0), (0.0, 50.0))
    frames = {1: (target + torch.tensor([3.0, 4.0]), torch.full((3,), 1 / 3))}
    found = rows_of(WoWDistance(), points_evidence(frames, target, source_classes=3))
    assert found["wow_distance"] == pytest.approx(5, rel=1e-5)


@pytest.mark.parametrize("chart", [None, Chart(torch.zeros(1), torch.tensor([3.0]))])
def test_classes_that_stay_together_are_counted(chart):
    target = [[[0.0], [1.0]], [[10.0], [11.0]]]
    moved = [
        [[0.2], [0.9], [4.0], [5.4]],  # all to the class at 0
        [[9.0], [12.0], [6.0], [2.0]],  # three of four to the class at 10
        [[5.4], [5.6], [0.0], [11.0]],  # two to each
    ]
    frames = {0: ([[[0.0]] * 4] * 3,), 9: (moved,)}
    evidence = points_evidence(frames, target, source_classes=3, chart=chart)
    assert rows_of(WholeClasses(), evidence) == {
        "whole_classes": 1.0,
        "purity": pytest.approx((1 + 3 / 4 + 2 / 4) / 3),
    }
