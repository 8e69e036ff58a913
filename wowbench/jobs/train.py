"""Train a classifier on what is known of a target."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field

from wowbench.datasets.prepared import read_prepared
from wowbench.datasets.splits import draw_per_class, smallest_class
from wowbench.errors import InputError
from wowbench.evaluation.classifier import ClassifierTraining, write_classifier
from wowbench.evaluation.sizes import check_image_size
from wowbench.jobs.machine import explain_full_memory, limit_threads, resolve_device
from wowbench.parameters import Count, Parameters, Seed
from wowbench.plugins import JobSpec
from wowbench.results.records import recorded
from wowbench.space import Chart, Space, Units


class _TrainInputs(Parameters):
    target: dict


class TrainSpec(JobSpec):
    """Spec of ``wowbench train``.

    Parameters
    ----------
    training : mapping
        See `wowbench.evaluation.classifier.ClassifierTraining`.
    k, target_seed, units
        Which particles of the target it is trained on, as in `DrawSpec`.
    seed : int
        Seed of the initial weights and the batches.
    threads : int
        CPU threads.
    axes : dict
        The columns of the scores that the job belongs to.
    inputs : dict
        Spec of the job that prepares the ``target``.
    """

    training: ClassifierTraining
    k: Count | None
    target_seed: Seed
    units: Units
    seed: Seed
    threads: int = Field(gt=0, le=1024)
    axes: dict[str, Any]
    inputs: _TrainInputs


def run(values: dict, *, target: Path, out: Path, record: Path, device: str) -> None:
    """Train a classifier on the same target particles that a draw of these numbers has.

    Parameters
    ----------
    values : dict
        See `TrainSpec`.
    target : Path
        Prepared target dataset.
    out, record : Path
        Files to write.
    device : str
        Torch device.

    Raises
    ------
    InputError
        For a file of another job, a class with too few particles, images that are too small, or a
        training that diverges.
    """
    import torch

    spec = TrainSpec.parse(values, "--spec")
    device = resolve_device(device)
    with (
        limit_threads(spec.threads),
        explain_full_memory(device),
        recorded(record, "train", values, device) as entry,
    ):
        prepared = read_prepared(target, spec.inputs.target)
        entry.inputs["target"] = prepared.digest
        train = prepared.train
        size, network = spec.training.minimum_size, spec.training.network
        check_image_size(f"target {train.dataset}", train.shape, size, f"network {network!r}")
        k = smallest_class(train) if spec.k is None else spec.k
        drawn = draw_per_class(train, k, seed=spec.target_seed)
        space = Space(train.shape, None if spec.units == "natural" else Chart.of(train.particles))
        try:
            trained = spec.training.train(
                space.enter(drawn).flatten(0, 1),
                torch.arange(len(drawn)).repeat_interleave(k),
                len(train.classes),
                seed=spec.seed,
                device=device,
            )
        except ArithmeticError as error:
            raise InputError(f"network {network!r}: {error}") from None
        entry.outputs["classifier"] = write_classifier(
            out, trained.networks[0], network, len(train.classes), values
        )
