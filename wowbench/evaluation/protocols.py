"""Protocols: how classifiers are trained on distilled images, by name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from wowbench.errors import InputError, closest, shown
from wowbench.operations import SAFE, Operations
from wowbench.parameters import Count, Parameters, Steps

if TYPE_CHECKING:
    from torch import Tensor

    from wowbench.evaluation.training import TrainedClassifiers

DEFAULT_NETWORK = "convnet"
"""Network of all published protocols, ConvNet-3."""


class Protocol(Parameters):
    """Base of all protocols.

    Parameters
    ----------
    name : str
        Name in configs and results.
    epochs : int
        Passes over the images.
    max_steps : int
        Most optimiser steps, which only a set of more than 40 batches reaches: 1,000 passes over
        a whole dataset would be many more.
    network : {"convnet", "mlp", "lenet5", "resnet18"}
        What is trained: see `wowbench.evaluation.networks`. Optimiser and steps are those of
        ConvNet-3, whichever it is.

    Attributes
    ----------
    batch_size : int
        Images a step.
    """

    batch_size: ClassVar[int]

    name: str
    network: Literal["convnet", "mlp", "lenet5", "resnet18"] = DEFAULT_NETWORK
    epochs: Count = 1000
    max_steps: Steps = 40_000

    @property
    def label(self) -> str:
        """Name in results, where each network makes a protocol of its own."""
        return self.name if self.network == DEFAULT_NETWORK else f"{self.name} ({self.network})"

    def train(
        self, images: Tensor, labels: Tensor, n_classes: int, **options: Any
    ) -> TrainedClassifiers:
        """Train one network per seed; see `wowbench.evaluation.training.train_classifiers`."""
        from wowbench.evaluation.training import train_classifiers

        steps = self.epochs * math.ceil(len(images) / self.batch_size)
        return train_classifiers(
            images,
            labels,
            n_classes=n_classes,
            network=self.network,
            steps=min(steps, self.max_steps),
            batch_size=self.batch_size,
            **self._settings(),
            **options,
        )

    def _settings(self) -> dict[str, Any]:
        """Arguments of `train_classifiers` that are a protocol's own: its optimiser, and more."""
        raise NotImplementedError


class Paper(Protocol):
    """The protocol of Bonet et al. (2025), Appendix D.

    AdamW with step size 3e-4 and weight decay 1e-4, batches of 64, no augmentation.

    Parameters
    ----------
    name, network, epochs, max_steps
        As in `Protocol`.
    """

    batch_size: ClassVar[int] = 64

    name: Literal["paper"] = "paper"

    def _settings(self) -> dict[str, Any]:
        from wowbench.evaluation.optimisers import AdamW

        return {"optimiser": AdamW(lr=3e-4, weight_decay=1e-4)}


class DistributionMatching(Protocol):
    """The protocol of Zhao and Bilen, "Dataset condensation with distribution matching" (2023).

    SGD with step size 0.01, momentum 0.9 and weight decay 5e-4, a tenth of that step size from
    half of the steps on, batches of 256. A batch goes through one operation of differentiable
    Siamese augmentation, drawn at random, with a strength for each image.

    Parameters
    ----------
    name, network, epochs, max_steps
        As in `Protocol`.
    augmentation : bool or list of operations
        Operations of which each batch draws one; true is all but "flip", to be added where a
        mirrored image keeps its class.

    Notes
    -----
    The code of Zhao and Bilen takes one epoch more, drops the step size after epoch 502 of 1,001,
    and then starts the momentum from zero.
    """

    batch_size: ClassVar[int] = 256

    name: Literal["dm"] = "dm"
    augmentation: Operations = SAFE

    def _settings(self) -> dict[str, Any]:
        from wowbench.augmentation import Augmentation
        from wowbench.evaluation.optimisers import SGD

        optimiser = SGD(lr=0.01, momentum=0.9, weight_decay=5e-4, halfway=0.1)
        augmentation = Augmentation(self.augmentation) if self.augmentation else None
        return {"optimiser": optimiser, "augmentation": augmentation}


PROTOCOLS: dict[str, type[Protocol]] = {"paper": Paper, "dm": DistributionMatching}


def _read_name(value: Any) -> Any:
    if isinstance(value, str):
        value = {"name": value}
    if isinstance(value, Mapping) and value.get("name") not in tuple(PROTOCOLS):
        name = value.get("name")
        raise InputError(f"name is {shown(name)}, no protocol; {closest(name, PROTOCOLS)}")
    return value


ProtocolEntry = Annotated[
    Annotated[Paper | DistributionMatching, Field(discriminator="name")],
    BeforeValidator(_read_name),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": list(PROTOCOLS)},
                *(
                    {**cls.model_json_schema(), "required": ["name"], "additionalProperties": False}
                    for cls in PROTOCOLS.values()
                ),
            ]
        }
    ),
]
"""A protocol in a config: its name, or a mapping with the key ``name`` and its parameters."""
