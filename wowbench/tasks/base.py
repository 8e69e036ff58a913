"""What a task is: cells to be solved by every method, and how a solution is scored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field, field_validator

from wowbench.datasets.base import Dataset
from wowbench.evaluation.sizes import check_image_size
from wowbench.methods.base import Method
from wowbench.names import Slug, unique
from wowbench.parameters import FromRegistry, Parameters, Repeats
from wowbench.registry import DATASETS, METHODS
from wowbench.space import Units

if TYPE_CHECKING:
    from wowbench.datasets.base import LabelledParticles
    from wowbench.jobs.drawn import Drawn
    from wowbench.jobs.files import Flowed

DatasetEntry = Annotated[Dataset, FromRegistry(DATASETS)]
MethodEntry = Annotated[Method, FromRegistry(METHODS)]


@dataclass(frozen=True)
class Draw:
    """What one flow starts from: which images of which datasets, by which seeds.

    Attributes
    ----------
    source, target : Dataset
        Datasets whose training images are drawn.
    n, k : int
        Source and target images per class; a k of None is the size of the target's smallest class.
    source_seed, target_seed : int
        Seeds of the draws.
    units : {"natural", "target", "own"}
        What the flow moves; see `wowbench.jobs.specs.DrawSpec`.
    equal_classes : bool
        Whether source and target must have equally many classes.
    minimum_size : int
        Smallest height and width that the evaluation takes.
    minimum_k : int
        Fewest target images per class that a step takes.
    """

    source: Dataset
    n: int
    source_seed: int
    target: Dataset
    k: int | None
    target_seed: int
    units: Units = "natural"
    equal_classes: bool = False
    minimum_size: int = 1
    minimum_k: int = 1

    def check(self, methods: Iterable[Method]) -> None:
        """Refuse sizes that the evaluation or a method cannot take, where the config tells them.

        Raises
        ------
        InputError
            In one line.
        """
        shape = self.target.shape or self.source.shape
        if shape is not None:
            check_image_size(
                f"target {self.target.label}", shape, self.minimum_size, "the evaluation"
            )
        sizes = {
            "source_classes": self.source.n_classes,
            "n": self.n,
            "target_classes": self.target.n_classes,
            "k": self.k,
            "image_shape": shape,
        }
        if None not in sizes.values():
            for method in methods:
                method.check_sizes(**sizes)


@dataclass(frozen=True)
class Cell:
    """One problem that all methods of a task solve, once per flow.

    Attributes
    ----------
    path : str
        Path segments, for example ``MNIST-FashionMNIST/k5``.
    axes : dict
        The cell's values of the scores' columns.
    draws : tuple of Draw
        One for each flow.
    methods : tuple of Method
        Those that solve it.
    """

    path: str
    axes: dict[str, Any]
    draws: tuple[Draw, ...]
    methods: tuple[Method, ...]

    def check(self) -> None:
        """Refuse what is known, before there are any data, to fail; see `Draw.check`."""
        for draw in self.draws:
            draw.check(self.methods)


@dataclass(frozen=True)
class Size:
    """Extent of an experiment.

    Attributes
    ----------
    draws, flows : int
        Numbers of draws, and of methods' runs on them, each of which is evaluated.
    trainings : int
        Number of trainings of all evaluations.
    """

    draws: int
    flows: int
    trainings: int

    @property
    def jobs(self) -> int:
        """Number of draws, flows and evaluations."""
        return self.draws + 2 * self.flows


class Task(Parameters):
    """Base of all tasks: one subclass per file.

    Attributes
    ----------
    name : str
        Name in configs and results.
    summary : str
        One line for ``wowbench list tasks``.
    tables, figures : tuple of str
        What is made of its scores: modules of `wowbench.results.tables` and `wowbench.figures`.
    metrics : dict of str to (float, float)
        What its evaluation may report, with the range of each.
    evaluation : type
        Parameters of its evaluation, a subclass of `wowbench.parameters.Parameters`.
    axis_fields : frozenset of str
        Fields whose values are columns of the scores, each by itself, or that say how much is
        run; all others are parameters of every cell.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    tables: ClassVar[tuple[str, ...]]
    figures: ClassVar[tuple[str, ...]]
    metrics: ClassVar[dict[str, tuple[float, float]]]
    evaluation: ClassVar[type[Parameters]]
    axis_fields: ClassVar[frozenset[str]] = frozenset({"id", "methods", "flows", "trainings"})

    id: Slug | None = None
    methods: list[MethodEntry] = Field(min_length=1)
    flows: Repeats = 3
    trainings: Repeats = 5

    @property
    def label(self) -> str:
        """Name in paths: `id` where given, else the registered name."""
        return self.id or self.name

    @field_validator("methods")
    @classmethod
    def _check_methods(cls, methods: list[Method]) -> list[Method]:
        unique("methods", [method.label for method in methods])
        for method in methods:
            method.require_task(cls.name)
        return methods

    def cells(self, seed: int) -> list[Cell]:
        """List the problems, with their draws derived from the root seed."""
        raise NotImplementedError

    def cell_counts(self) -> list[tuple[int, int]]:
        """Count the problems without listing them.

        Returns
        -------
        list of tuple
            Numbers of cells that are solved by equally many methods, and of these methods.
        """
        cells = self.model_copy(update={"flows": 1}).cells(seed=0)
        return [(1, len(cell.methods)) for cell in cells]

    def size(self) -> Size:
        """Extent of the experiment, known before its jobs are listed."""
        counts = self.cell_counts()
        flows = self.flows * sum(cells * methods for cells, methods in counts)
        draws = self.flows * sum(cells for cells, methods in counts)
        return Size(draws, flows, flows * self.trainings)

    def settings(self) -> dict[str, Any]:
        """Parameters that all cells share, as JSON types."""
        return self.model_dump(mode="json", exclude=set(self.axis_fields))

    @classmethod
    def published_settings(cls) -> dict[str, Any]:
        """Of these, those of the published experiment: by default all defaults.

        A run with others is no reproduction; one that is left out may have any value.
        """
        return cls.defaults(cls.axis_fields)

    def protocol_entries(self) -> list[Parameters]:
        """Ways to score one outcome, each with a ``name``; a row has it in column ``protocol``."""
        return []

    def problem_spec(self) -> dict:
        """Fields of `wowbench.methods.base.Problem` beside its images, as JSON types."""
        return {}

    def snapshot_steps(self) -> list[int]:
        """Numbers of steps after which a flow's images are kept beside the last ones."""
        return []

    def evaluation_spec(self) -> dict:
        """Fields of `evaluation`, as JSON types."""
        raise NotImplementedError

    @classmethod
    def evaluate(
        cls,
        evaluation: Parameters,
        seeds: list[int],
        draw: Drawn,
        flowed: Flowed,
        test: LabelledParticles,
        device: str,
    ) -> list[dict]:
        """Score one flow's outcome.

        Parameters
        ----------
        evaluation : Parameters
            An instance of `evaluation`.
        seeds : list of int
            One a training.
        draw : Drawn
            What the flow started from.
        flowed : Flowed
            The method's images and labels.
        test : LabelledParticles
            The target dataset's test set.
        device : str
            Torch device.

        Returns
        -------
        list of dict
            Keys ``training_seed``, ``metric`` and ``value``, and the task's own.

        Raises
        ------
        ArithmeticError
            If a training diverges.
        InputError
            If no classifier can be trained on the outcome.
        """
        raise NotImplementedError
