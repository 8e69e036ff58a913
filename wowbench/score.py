"""Scores of images that somebody made for a dataset, without a flow."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import Field, field_validator

from wowbench.datasets.base import DatasetEntry
from wowbench.errors import InputError
from wowbench.evaluation.protocols import Paper, Protocol, ProtocolEntry
from wowbench.evaluation.sizes import MINIMUM_SIZE, check_image_size
from wowbench.files import write_text
from wowbench.image_sets import LabelledImages, read_image_set
from wowbench.names import unique
from wowbench.parameters import Parameters, Repeats, Seed
from wowbench.seeding import derive_seed
from wowbench.space import Chart, Space


class ScoreSpec(Parameters):
    """What images are scored by.

    Parameters
    ----------
    dataset : dataset
        What they stand for: classifiers are tested on its test split, and read what is standardised
        by its training split.
    protocols : list of protocols
        Ways to train the classifiers, as of the task `distillation`.
    trainings : int
        Number of trainings by each.
    seed : int
        Root of their seeds, which depend on nothing else: all images are scored by the same ones.
    """

    dataset: DatasetEntry
    protocols: list[ProtocolEntry] = Field([Paper()], min_length=1)
    trainings: Repeats = 5
    seed: Seed = 0

    @field_validator("protocols")
    @classmethod
    def _check_protocols(cls, protocols: list[Protocol]) -> list[Protocol]:
        unique("protocols", [protocol.label for protocol in protocols])
        return protocols

    def seeds(self) -> list[int]:
        """Seeds of the trainings, the same for each protocol."""
        return [derive_seed(self.seed, "score", i) for i in range(self.trainings)]


@dataclass(frozen=True)
class Scores:
    """Test accuracies of classifiers trained on images alone.

    Attributes
    ----------
    spec : ScoreSpec
        What they were scored by.
    accuracies : dict of str to list of float
        In [0, 1], one a training, by the protocol's label.
    inputs : dict of str to str
        SHA-256 of ``images`` and ``test``.
    images_per_class : list of int
        Numbers of images, in the order of the classes.
    seconds : float
        Wall time.
    device : str
        Torch device.
    """

    spec: ScoreSpec
    accuracies: dict[str, list[float]]
    inputs: dict[str, str]
    images_per_class: list[int]
    seconds: float
    device: str

    def table(self) -> str:
        """Accuracies in percent as a table in Markdown: mean and standard deviation."""
        from pandas import DataFrame

        rows = []
        for label, values in self.accuracies.items():
            percent = 100 * np.array(values)
            spread = f" ± {percent.std(ddof=1):.1f}" if len(values) > 1 else ""
            rows.append(
                {
                    "dataset": self.spec.dataset.label,
                    "images": sum(self.images_per_class),
                    "protocol": label,
                    "accuracy (%)": f"{percent.mean():.1f}{spread}",
                    "lowest to highest": f"{percent.min():.1f} to {percent.max():.1f}",
                    "trainings": len(values),
                }
            )
        return DataFrame(rows).to_markdown(index=False, disable_numparse=True)

    def write(self, path: Path) -> None:
        """Write all of it as JSON, in the terms of the records of jobs."""
        from wowbench.provenance import provenance

        record = {
            "job": "score",
            "spec": {**self.spec.model_dump(mode="json"), "seeds": self.spec.seeds()},
            "images_per_class": self.images_per_class,
            "measurements": [
                {"metric": "accuracy", "value": value, "training_seed": i, "protocol": label}
                for label, values in self.accuracies.items()
                for i, value in enumerate(values)
            ],
            "inputs": self.inputs,
            "seconds": self.seconds,
            "provenance": provenance(self.device),
        }
        write_text(path, json.dumps(record, indent=1, allow_nan=False) + "\n")


def score_images(folder: Path, spec: ScoreSpec, data_root: Path | None, device: str) -> Scores:
    """Train classifiers on images alone, and test them, as the task `distillation` does.

    Parameters
    ----------
    folder : Path
        Class folders of images, or what ``wowbench export`` wrote: see
        `wowbench.image_sets.read_image_set`.
    spec : ScoreSpec
        What they are scored by.
    data_root : Path or None
        Folder of the dataset's files.
    device : str
        Torch device.

    Returns
    -------
    Scores

    Raises
    ------
    InputError
        In one line, for images that do not go with the dataset or are too small for a network, and
        for a training that diverges.
    """
    import torch

    from wowbench.evaluation.accuracy import accuracy

    start = time.perf_counter()
    train, test = (spec.dataset.load(split, data_root) for split in ("train", "test"))
    for network in {protocol.network for protocol in spec.protocols}:
        least = MINIMUM_SIZE[network]
        check_image_size(f"dataset {train.dataset}", train.shape, least, f"network {network!r}")
    given = read_image_set(folder, train)
    space = Space(train.shape, Chart.of(train.particles))
    images, test_images = (space.enter(stored) for stored in (given.images, test.particles))
    labels, test_labels = (torch.from_numpy(stored) for stored in (given.labels, test.labels))
    accuracies = {}
    for protocol in spec.protocols:
        options = {"n_classes": len(train.classes), "seeds": spec.seeds(), "device": device}
        try:
            trained = protocol.train(images, labels, **options)
        except ArithmeticError as error:
            raise InputError(f"images {folder}: {error}") from None
        found = accuracy(trained.networks, test_images, test_labels)
        accuracies[protocol.label] = found.tolist()
    return Scores(
        spec,
        accuracies,
        {"images": given.digest, "test": LabelledImages(test.particles, test.labels).digest},
        labels.bincount().tolist(),
        round(time.perf_counter() - start, 3),
        device,
    )
