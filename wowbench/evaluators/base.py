"""What an evaluator is: a trajectory, and what it is read beside, in; measurements out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from wowbench.parameters import FromRegistry, Parameters
from wowbench.registry import EVALUATORS

if TYPE_CHECKING:
    from torch import Tensor

    from wowbench.datasets.base import LabelledParticles
    from wowbench.evaluation.classifier import Classifier
    from wowbench.jobs.drawn import Drawn
    from wowbench.methods.trajectory import Trajectory


EVIDENCE = frozenset({"test", "classifier"})
"""What a task may give evaluators to read, beside the draw and the trajectory."""


REPEATS = ("training_seed", "step", "epoch")
"""Columns by which an evaluator tells values of one metric apart."""


@dataclass(frozen=True)
class Evidence:
    """What an evaluator reads.

    Attributes
    ----------
    drawn : Drawn
        What the flow started from, and what it moved towards.
    trajectory : Trajectory
        What the method made of it, in natural units.
    test : LabelledParticles or None
        Test split, where the task gives one.
    classifier : Classifier or None
        A trained classifier, where the task gives one.
    """

    drawn: Drawn
    trajectory: Trajectory
    test: LabelledParticles | None = None
    classifier: Classifier | None = None

    def test_set(self) -> tuple[Tensor, Tensor]:
        """Particles ``(N, *shape)`` of the test split in coordinates, and their labels ``(N,)``."""
        import torch

        particles = self.drawn.space.enter(self.test.particles)
        return particles, torch.from_numpy(self.test.labels)


class Evaluator(Parameters):
    """Base of all evaluators: one subclass per file.

    Attributes
    ----------
    name : str
        Name in configs and specs.
    summary : str
        One line for ``wowbench list evaluators``.
    metrics : dict of str to (float, float)
        What it may report, with the range of each.
    reads : frozenset of str
        What it needs of `EVIDENCE`.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    metrics: ClassVar[Mapping[str, tuple[float, float]]]
    reads: ClassVar[frozenset[str]] = frozenset()

    @property
    def minimum_size(self) -> int:
        """Smallest height and width of images that it takes; 0 where it takes points too."""
        return 0

    @property
    def protocol(self) -> Parameters | None:
        """Parameters that tell its rows from another evaluator's, with a ``label``."""
        return None

    def columns(self) -> dict[str, str]:
        """Columns of its rows that tell them from those of another evaluator of the flow."""
        return {} if self.protocol is None else {"protocol": self.protocol.label}

    def score(self, evidence: Evidence, seeds: list[int], device: str) -> list[dict[str, Any]]:
        """Measure one flow.

        Parameters
        ----------
        evidence : Evidence
            What it reads.
        seeds : list of int
            One for each training.
        device : str
            Torch device.

        Returns
        -------
        list of dict
            Keys ``metric`` and ``value``; of `REPEATS` the number of the training, the step of the
            flow and the epoch of the training, where there are several; no others.

        Raises
        ------
        ArithmeticError
            If a training diverges.
        InputError
            If the outcome cannot be scored, as where it has no particles.
        """
        raise NotImplementedError


EvaluatorEntry = Annotated[Evaluator, FromRegistry(EVALUATORS)]
