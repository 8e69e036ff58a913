"""Cells of the transfer task as the options of a benchmark give them, and their draws."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wowbench.bench.flow import METHODS_OF_TABLE_2
from wowbench.errors import InputError, closest

if TYPE_CHECKING:
    from wowbench.datasets.base import Dataset, LabelledParticles
    from wowbench.evaluators.few_shot import FewShot
    from wowbench.jobs.drawn import Drawn
    from wowbench.methods.flow_method import FlowMethod
    from wowbench.methods.problem import Problem
    from wowbench.methods.trajectory import Frame
    from wowbench.tasks.base import Cell
    from wowbench.tasks.transfer import Transfer

SOURCE = "MNIST"


def read_tasks(options: argparse.Namespace) -> list[Transfer]:
    """Turn options into a transfer task for each k, whose methods may take other steps.

    Parameters
    ----------
    options : Namespace
        Those of ``wowbench bench accuracy``.

    Raises
    ------
    InputError
        If a dataset or a method is unknown, given twice or does not fit, or the reference is not
        among the methods.
    """
    from wowbench.tasks.transfer import Transfer

    for k in options.k:
        if k < 1:
            raise InputError(f"--k has {k}; expected integers of at least 1")
    if len(set(options.k)) < len(options.k):
        raise InputError(f"--k is {' '.join(map(str, options.k))}; expected different integers")
    source, *targets = (_dataset(entry, options) for entry in (SOURCE, *options.datasets))
    tasks = []
    for k in options.k:
        values = {
            "source": source,
            "targets": targets,
            "shots": [k],
            "images_per_class": options.n,
            "methods": [_method(entry, k, options.steps) for entry in options.methods],
            "flows": options.flows,
            "trainings": options.trainings,
            "training": {} if options.epochs is None else {"epochs": options.epochs},
        }
        task = Transfer.parse(values, "bench accuracy")
        _check(task, options)
        tasks.append(task)
    return tasks


def _check(task: Transfer, options: argparse.Namespace) -> None:
    labels = [method.label for method in task.methods]
    if options.reference not in labels:
        raise InputError(
            f"--reference is {options.reference!r}, which is not among the methods; "
            f"{closest(options.reference, labels)}"
        )
    for cell in task.cells(options.seed):
        cell.draws[0].check(task.methods, evaluator_of(task).minimum_size)


def evaluator_of(task: Transfer) -> FewShot:
    """Return what scores the flows of a task."""
    from wowbench.evaluators.few_shot import FewShot

    return FewShot(training=task.training)


def is_bundled(options: argparse.Namespace) -> bool:
    """Whether the package's own images are taken, as no folder of data is given."""
    return options.data_root is None and not os.environ.get("WOWBENCH_DATA")


def _dataset(entry: str, options: argparse.Namespace) -> Dataset:
    from wowbench.parameters import FromRegistry
    from wowbench.registry import DATASETS

    values = _mapping(entry)
    cls = DATASETS.get(values["name"])
    bundled = is_bundled(options)
    if bundled and not cls.has_bundled_subset:
        names = [name for name in DATASETS.names() if DATASETS.get(name).has_bundled_subset]
        raise InputError(
            f"--datasets has {cls.name}, of which the package holds no images; expected "
            f"{' or '.join(names)}, or a folder of data by --data-root or $WOWBENCH_DATA"
        )
    return FromRegistry(DATASETS).build({"bundled": bundled, **values})


def _method(entry: str, k: int, cap: int | None) -> FlowMethod:
    """Build a method, with the published number of steps where it stands in Table 2."""
    from wowbench.parameters import FromRegistry
    from wowbench.registry import METHODS

    values = _mapping(entry)
    cls = METHODS.get(values["name"])
    if "steps" not in cls.model_fields:
        raise InputError(f"--methods has {cls.name}, which takes no steps; expected flows")
    if cls.name in METHODS_OF_TABLE_2:
        values = {"steps": cls.published_settings("transfer", k)["steps"], **values}
    method = FromRegistry(METHODS).build(values)
    return method.model_copy(update={"steps": min(method.steps, cap or method.steps)})


def _mapping(entry: str) -> dict[str, Any]:
    """Read a name, or a mapping of the name and parameters as in a config."""
    import yaml

    try:
        values = yaml.safe_load(entry)
    except yaml.YAMLError:
        values = entry
    named = isinstance(values, dict) and isinstance(values.get("name"), str)
    return values if named else {"name": entry}


@dataclass(frozen=True)
class Posed:
    """One draw of a cell, as a problem and with what scores its outcome.

    Attributes
    ----------
    drawn : Drawn
        Source and target images, as they are stored.
    problem : Problem
        The same on the device.
    test : LabelledParticles
        The target's test split.
    seed : int
        Seed of the flows.
    training_seeds : list of int
        Seeds of the trainings: the same for all methods and snapshots.
    """

    drawn: Drawn
    problem: Problem
    test: LabelledParticles
    seed: int
    training_seeds: list[int]

    def loss(self, frame: Frame) -> float:
        """Evaluate the MMD with the paper's kernel at moved images, on directions of no step.

        Classes count alike, as in the trainings, also where a method moves weights of theirs.
        """
        from wowbench.functionals import SlicedMMD
        from wowbench.kernels.riesz import Riesz

        source, target = self.problem.source, self.problem.target
        particles = frame.particles.to(source).reshape(*source.shape[:2], -1)
        return float(SlicedMMD(target.flatten(2), Riesz()).held_out({"x": particles}))

    def accuracies(self, frame: Frame, evaluator: FewShot) -> list[float]:
        """Test accuracy of each classifier trained on the target's and the moved images."""
        import torch

        from wowbench.evaluators.base import Evidence
        from wowbench.methods.trajectory import Frame, Trajectory

        particles = self.problem.space.leave(frame.particles).cpu()
        outcome = Trajectory({0: Frame(particles, frame.labels.cpu())}, losses=torch.empty(0))
        device = str(self.problem.source.device)
        evidence = Evidence(self.drawn, outcome, self.test)
        return [row["value"] for row in evaluator.score(evidence, self.training_seeds, device)]


def pose(task: Transfer, cell: Cell, seed: int, data_root: Path | None, device: str) -> list[Posed]:
    """Draw a cell of the transfer task, once for each flow.

    Raises
    ------
    InputError
        If a dataset cannot be read, or a class has too few images.
    """
    from wowbench.datasets.splits import draw_per_class
    from wowbench.jobs.drawn import Drawn
    from wowbench.methods.problem import Problem
    from wowbench.seeding import derive_seed
    from wowbench.space import Space

    first = cell.draws[0]
    source, target = (side.load("train", data_root) for side in (first.source, first.target))
    test = task.test_dataset(first).load("test", data_root)
    space = Space(target.shape, bounds=(0.0, 1.0))
    posed = []
    for number, draw in enumerate(cell.draws):
        drawn = Drawn(
            source=draw_per_class(source, draw.n, seed=draw.source_seed),
            target=draw_per_class(target, draw.k, seed=draw.target_seed),
            classes=target.classes,
        )
        moved, towards = (space.enter(side).to(device) for side in (drawn.source, drawn.target))
        name = (task.name, cell.path, number)
        trainings = [derive_seed(seed, "training", *name, i) for i in range(task.trainings)]
        flow_seed = derive_seed(seed, "flow", *name)
        posed.append(Posed(drawn, Problem(moved, towards, space), test, flow_seed, trainings))
    return posed
