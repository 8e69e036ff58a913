"""Protocols: what of their parameters reaches the training."""

from itertools import combinations

import pytest
import torch

from wowbench.evaluation.protocols import DistributionMatching, Paper
from wowbench.operations import OPERATIONS
from wowbench.parameters import FromRegistry
from wowbench.registry import METHODS

BUILD = FromRegistry(METHODS).build
CLASSES = 3


def test_augmentation_by_default_turns_no_digit_around():
    chosen = BUILD({"name": "dm", "augmentation": True}).augmentation
    assert set(OPERATIONS) - set(chosen) == {"flip"}
    assert BUILD({"name": "dm", "augmentation": False}).augmentation == ()
    assert DistributionMatching().augmentation == chosen
    assert DistributionMatching(augmentation=True).augmentation == chosen


def test_operations_of_configs_are_those_of_the_augmentations():
    from wowbench import augmentation

    assert tuple(augmentation.OPERATIONS) == OPERATIONS


@pytest.mark.parametrize("name", ["paper", "dm"])
def test_parameters_of_a_protocol_reach_the_training(name):
    from wowbench.augmentation import Augmentation
    from wowbench.evaluation.optimisers import SGD, AdamW
    from wowbench.evaluation.training import train_classifiers

    generator = torch.Generator().manual_seed(0)
    images, labels = torch.randn(260, 1, 8, 8, generator=generator), torch.arange(260) % CLASSES
    protocol, settings = {
        "paper": (Paper, {"batch_size": 64, "optimiser": AdamW(lr=3e-4, weight_decay=1e-4)}),
        "dm": (
            DistributionMatching,
            {
                "batch_size": 256,
                "optimiser": SGD(lr=0.01, momentum=0.9, weight_decay=5e-4, halfway=0.1),
                "augmentation": Augmentation(["color", "crop", "cutout", "scale", "rotate"]),
            },
        ),
    }[name]
    for parameters, steps in (
        ({"epochs": 1}, {"paper": 5, "dm": 2}),
        ({"max_steps": 3}, {}),
        ({"max_steps": 3, "network": "mlp"}, {}),
    ):
        given = protocol(**parameters).train(images, labels, CLASSES, seeds=[4])
        expected = train_classifiers(
            images,
            labels,
            n_classes=CLASSES,
            seeds=[4],
            network=parameters.get("network", "convnet"),
            steps=steps.get(name, 3),
            **settings,
        )
        assert given.losses.equal(expected.losses)


def test_a_protocol_may_flip_or_do_without_augmentation():
    images = torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    losses = [
        DistributionMatching(epochs=4, augmentation=chosen)
        .train(images, torch.arange(6) % CLASSES, CLASSES, seeds=[4])
        .losses
        for chosen in (False, ["flip"], True)
    ]
    assert not any(torch.allclose(a, b) for a, b in combinations(losses, 2))
