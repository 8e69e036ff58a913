"""Classifiers that are trained once, on what is known of the target, and read by evaluations."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from wowbench.evaluation.sizes import MINIMUM_SIZE
from wowbench.origin import Origin
from wowbench.parameters import Count, Decay, Parameters, Steps, StepSize
from wowbench.tensorfile import read_tensors, write_tensors

if TYPE_CHECKING:
    from torch import Tensor, nn

    from wowbench.evaluation.training import TrainedClassifiers


class ClassifierTraining(Parameters):
    """How a classifier is trained by AdamW (Bonet et al. 2025, Appendix D, domain adaptation).

    Parameters
    ----------
    network : {"adaptation_cnn", "convnet", "lenet5"}
        Architecture.
    steps, batch_size : int
        Optimiser steps, and samples per step.
    lr, weight_decay : float
        Of AdamW.
    """

    network: Literal["adaptation_cnn", "convnet", "lenet5"] = "adaptation_cnn"
    steps: Steps = 5000
    batch_size: Count = 64
    lr: StepSize = 3e-4
    weight_decay: Decay = 1e-4

    @property
    def minimum_size(self) -> int:
        """Smallest height and width of images that the network takes."""
        return MINIMUM_SIZE[self.network]

    def train(
        self, particles: Tensor, labels: Tensor, n_classes: int, *, seed: int, device: str
    ) -> TrainedClassifiers:
        """Train one network; see `wowbench.evaluation.training.train_classifiers`."""
        from wowbench.evaluation.optimisers import AdamW
        from wowbench.evaluation.training import train_classifiers

        return train_classifiers(
            particles,
            labels,
            n_classes=n_classes,
            network=self.network,
            seeds=[seed],
            steps=self.steps,
            batch_size=self.batch_size,
            optimiser=AdamW(lr=self.lr, weight_decay=self.weight_decay),
            device=device,
        )


@dataclass(frozen=True)
class Classifier:
    """A trained classifier, as it is read from a file.

    Attributes
    ----------
    network : torch.nn.Module
        Maps images ``(N, channels, height, width)`` to logits ``(N, classes)``, on the CPU.
    image_shape : tuple of int
        Shape of one image.
    digest : str
        SHA-256 of its file's contents.
    """

    network: nn.Module
    image_shape: tuple[int, ...]
    digest: str = ""


def write_classifier(path: Path, network: nn.Module, name: str, n_classes: int, spec: dict) -> str:
    """Write a network of that name, and what is needed to build it again; return the digest."""
    contents = {
        "network": name,
        "image_shape": list(network.image_shape),
        "n_classes": n_classes,
    }
    return write_tensors(path, network.state_dict(), contents, Origin("train", spec))


def read_classifier(path: Path, spec: dict | None = None) -> Classifier:
    """Read what `write_classifier` wrote.

    Raises
    ------
    InputError
        If there is no such file, or it was altered, or made by a job with another spec than
        `spec`, where that is given.
    """
    from wowbench.evaluation.networks import build_network

    file = read_tensors(path, "train", None if spec is None else Origin("train", spec))
    shape = tuple(file.contents["image_shape"])
    network = build_network(file.contents["network"], shape, file.contents["n_classes"])
    network.load_state_dict(file.tensors)
    return Classifier(network.eval(), shape, file.digest)
