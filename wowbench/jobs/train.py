"""Train a classifier on what is known of a target."""

from __future__ import annotations

from pathlib import Path

from wowbench.datasets.prepared import read_prepared
from wowbench.datasets.splits import draw_per_class, smallest_class
from wowbench.evaluation.classifier import write_classifier
from wowbench.evaluation.sizes import check_image_size
from wowbench.jobs.machine import limit_threads, resolve_device
from wowbench.jobs.specs import TrainSpec
from wowbench.results.records import recorded
from wowbench.space import Chart, Space


def run(values: dict, *, target: Path, out: Path, record: Path, device: str) -> None:
    """Train a classifier on the same target particles that a draw of these numbers has.

    Parameters
    ----------
    values : dict
        See `wowbench.jobs.specs.TrainSpec`.
    target : Path
        Prepared target dataset.
    out, record : Path
        Files to write.
    device : str
        Torch device.

    Raises
    ------
    InputError
        For a file of another job, a class with too few particles, or images that are too small.
    ArithmeticError
        If the training diverges.
    """
    import torch

    spec = TrainSpec.parse(values, "--spec")
    device = resolve_device(device)
    with limit_threads(spec.threads), recorded(record, "train", values, device) as entry:
        prepared = read_prepared(target, spec.inputs.target)
        entry.inputs["target"] = prepared.digest
        train = prepared.train
        size, network = spec.training.minimum_size, spec.training.network
        check_image_size(f"target {train.dataset}", train.shape, size, f"network {network!r}")
        k = smallest_class(train) if spec.k is None else spec.k
        drawn = draw_per_class(train, k, seed=spec.target_seed)
        space = Space(train.shape, None if spec.units == "natural" else Chart.of(train.particles))
        trained = spec.training.train(
            space.enter(drawn).flatten(0, 1),
            torch.arange(len(drawn)).repeat_interleave(k),
            len(train.classes),
            seed=spec.seed,
            device=device,
        )
        entry.outputs["classifier"] = write_classifier(
            out, trained.networks[0], network, len(train.classes), values
        )
