"""What each job is told: the models of ``--spec``.

A spec holds, under ``inputs``, the whole spec of the job that makes each file it reads.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from wowbench.evaluation.classifier import ClassifierTraining
from wowbench.evaluators.base import EvaluatorEntry
from wowbench.methods.problem import Pairing
from wowbench.parameters import Count, Parameters, Seed
from wowbench.space import Units
from wowbench.tasks.base import DatasetEntry, MethodEntry


class PrepareSpec(Parameters):
    """Spec of ``wowbench prepare``."""

    dataset: DatasetEntry
    axes: dict[str, Any]


class _DrawInputs(Parameters):
    source: dict
    target: dict
    test: dict | None = None


class DrawSpec(Parameters):
    """Spec of ``wowbench draw``.

    Parameters
    ----------
    n, k : int
        Source and target particles per class; a `k` of None is the size of the smallest class.
    source_seed, target_seed : int
        Seeds of the two draws.
    units : {"natural", "target", "own"}
        What the flow moves: natural values, or values that are standardised by the target's
        training particles, or each side's by its own.
    equal_classes : bool
        Whether source and target must have equally many classes.
    minimum_size : int
        Smallest height and width that the evaluation takes.
    minimum_k : int
        Fewest target particles per class that a step takes.
    axes : dict
        The columns of the scores that the job belongs to.
    inputs : dict
        Specs of the jobs that prepare ``source`` and ``target``, and ``test``, if another dataset's
        test split scores the outcome.
    """

    n: Count
    source_seed: Seed
    k: Count | None
    target_seed: Seed
    units: Units
    equal_classes: bool
    minimum_size: Count
    minimum_k: Count
    axes: dict[str, Any]
    inputs: _DrawInputs


class ProblemSpec(Parameters):
    """What a task says of its problems.

    Parameters
    ----------
    pairing, batch_size
        See `wowbench.methods.problem.Problem`.
    clip : bool
        Whether moved particles are clipped to [0, 1] before they are labelled.
    """

    pairing: Pairing
    batch_size: Count | None = None
    clip: bool = False


class _TrainInputs(Parameters):
    target: dict


class TrainSpec(Parameters):
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


class _FlowInputs(Parameters):
    draw: dict


class FlowSpec(Parameters):
    """Spec of ``wowbench flow``.

    Parameters
    ----------
    method : method
        A name, or a mapping of the name and parameters.
    seed : int
        Seed of everything random in the flow.
    problem : mapping
        See `ProblemSpec`.
    snapshots : list of int
        Numbers of steps after which particles and labels are kept.
    threads : int
        CPU threads; sums of floats depend on it.
    axes : dict
        The columns of the scores that the job belongs to.
    inputs : dict
        Spec of the job that makes the ``draw``.
    """

    method: MethodEntry
    seed: Seed
    problem: ProblemSpec
    snapshots: list[int]
    threads: int = Field(gt=0, le=1024)
    axes: dict[str, Any]
    inputs: _FlowInputs


class _EvaluateInputs(Parameters):
    draw: dict
    flow: dict
    test: dict | None = None
    classifier: dict | None = None


class EvaluateSpec(Parameters):
    """Spec of ``wowbench evaluate``.

    Parameters
    ----------
    evaluators : list of evaluators
        What scores the flow: names, or mappings of the name and parameters.
    seeds : list of int
        Seeds of the trainings of those that train.
    threads : int
        CPU threads.
    axes : dict
        The columns of the scores that the job belongs to.
    inputs : dict
        Specs of the jobs that make ``draw``, ``flow`` and, where they are read, the prepared
        dataset to ``test`` on and the ``classifier``.
    """

    evaluators: list[EvaluatorEntry] = Field(min_length=1)
    seeds: list[Seed]
    threads: int = Field(gt=0, le=1024)
    axes: dict[str, Any]
    inputs: _EvaluateInputs
