"""What a task is: the jobs that answer its question, and the tables and figures made of them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field, field_validator

from wowbench.datasets.base import Dataset
from wowbench.errors import InputError
from wowbench.evaluation.sizes import check_image_size
from wowbench.evaluators.base import Evaluator
from wowbench.methods.base import Method, MethodEntry
from wowbench.methods.problem import Pairing
from wowbench.names import ImportPath, Slug, unique
from wowbench.parameters import Parameters, Repeats
from wowbench.seeding import derive_seed
from wowbench.settings import scored_columns
from wowbench.space import Units

if TYPE_CHECKING:
    from wowbench.graph import Graph, Ref

SnapshotStep = Annotated[int, Field(ge=0, le=10**9)]


@dataclass(frozen=True)
class Draw:
    """What one flow starts from: which particles of which datasets, by which seeds.

    Attributes
    ----------
    source, target : Dataset
        Datasets whose training particles are drawn.
    n, k : int
        Source and target particles per class; a k of None is the size of the target's smallest
        class.
    source_seed, target_seed : int
        Seeds of the draws.
    units : {"natural", "target", "own"}
        What the flow moves; see `wowbench.jobs.draw.DrawSpec`.
    minimum_k : int
        Fewest target particles per class that a step takes.
    """

    source: Dataset
    n: int
    source_seed: int
    target: Dataset
    k: int | None
    target_seed: int
    units: Units = "natural"
    minimum_k: int = 1

    def check(self, methods: Iterable[Method], minimum_size: int) -> None:
        """Refuse sizes that an evaluation or a method cannot take, where the config tells them.

        Parameters
        ----------
        methods : iterable of Method
            Those that are run on it.
        minimum_size : int
            Smallest height and width that evaluations take.

        Raises
        ------
        InputError
            In one line.
        """
        shape = self.target.shape or self.source.shape
        if shape is not None:
            check_image_size(f"target {self.target.label}", shape, minimum_size, "the evaluation")
        sizes = {
            "source_classes": self.source.n_classes,
            "n": self.n,
            "target_classes": self.target.n_classes,
            "k": self.k,
            "shape": shape,
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


@dataclass(frozen=True)
class Size:
    """Extent of an experiment.

    Attributes
    ----------
    draws, flows : int
        Numbers of draws, and of methods' runs on them, each of which is evaluated.
    trainings : int
        Number of trainings of all evaluations.
    distances : int
        Number of jobs that measure a distance.
    """

    draws: int = 0
    flows: int = 0
    trainings: int = 0
    distances: int = 0

    @property
    def jobs(self) -> int:
        """Number of draws, flows, evaluations and distances."""
        return self.draws + 2 * self.flows + self.distances


def require_one_shape(source: Dataset, target: Dataset) -> None:
    """Refuse datasets whose particles differ in shape, where the config tells it.

    Raises
    ------
    ValueError
        Naming both.
    """
    if None not in (source.shape, target.shape) and source.shape != target.shape:
        raise ValueError(
            f"{source.label} has particles of shape {source.shape} and {target.label} of shape "
            f"{target.shape}; they must be equal (set `image_size`)"
        )


def check_snapshots(snapshots: Sequence[int], methods: Iterable[Method]) -> None:
    """Refuse a snapshot beyond the last step of a method that takes steps.

    Raises
    ------
    ValueError
        Naming both.
    """
    for method in methods:
        steps = getattr(method, "steps", None)
        if steps is not None and max(snapshots, default=0) > steps:
            raise ValueError(
                f"snapshots has {max(snapshots)}, and method {method.label!r} takes {steps} steps; "
                f"expected at most {steps}"
            )


def longest_flow(methods: Iterable[Method]) -> int:
    """Count the steps of the method that takes most; 0 where none takes any."""
    return max(getattr(method, "steps", 0) for method in methods)


class Task(Parameters):
    """Base of all tasks: one subclass per file.

    A task asks a graph for its jobs (`build`), of which there are as many as `size` says.

    Parameters
    ----------
    id : str, optional
        Name in paths and results, where a config has a task twice.
    reports : list of str
        Tables and figures beside those of the task, as import paths ``package.module:Class``.

    Attributes
    ----------
    name : str
        Name in configs and results.
    summary : str
        One line for ``wowbench list tasks``.
    tables, figures : tuple of str
        What is made of its scores: import paths ``package.module:Class`` of subclasses of
        `wowbench.results.report.Table`, and of `Figure` or `Animation` there. A config adds
        others under ``reports``.
    has_published_scores : bool
        Whether a paper has scores of it, so that rows say where their parameters are not its.
    axis_fields : frozenset of str
        Fields whose values are columns of the scores, each by itself, or that say how much is
        run; all others are parameters of every cell.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    tables: ClassVar[tuple[str, ...]]
    figures: ClassVar[tuple[str, ...]]
    has_published_scores: ClassVar[bool] = False
    axis_fields: ClassVar[frozenset[str]] = frozenset({"id", "reports"})

    id: Slug | None = None
    reports: list[ImportPath] = Field([])

    @property
    def label(self) -> str:
        """Name in paths: `id` where given, else the registered name."""
        return self.id or self.name

    @abstractmethod
    def build(self, graph: Graph) -> None:
        """Ask for the jobs of the experiment."""

    @abstractmethod
    def size(self) -> Size:
        """Extent of the experiment, known before its jobs are listed."""

    def listing(self) -> tuple[str, ...]:
        """List what is made of its scores: those `tables` and `figures` it fills, and `reports`."""
        return (*self.tables, *self.figures, *self.reports)

    def settings(self) -> dict[str, Any]:
        """Parameters that all cells share, as JSON types."""
        return self.model_dump(mode="json", exclude=set(self.axis_fields))

    @classmethod
    def published_settings(cls) -> dict[str, Any]:
        """Of these, those of the published experiment: by default all defaults.

        A run with others is no reproduction; one that is left out may have any value.
        """
        return cls.defaults(cls.axis_fields)


class FlowTask(Task):
    """Base of tasks that score flows.

    Such a task says which `cells` there are and which `evaluators` score a flow; `build` asks for
    their jobs. One that needs other jobs overrides `build`, or the part of it that differs.

    Parameters
    ----------
    methods : list of methods
        What is run on each draw.
    flows : int
        Number of flows of each cell, each from a draw of its own unless the task says otherwise.

    Attributes
    ----------
    pairing : {"free", "by_number"}
        How its problems pair classes: see `wowbench.methods.problem.Problem`.
    takes_target_alone : bool
        Whether its evaluators can score a method whose outcome has no particles.
    """

    pairing: ClassVar[Pairing] = "free"
    takes_target_alone: ClassVar[bool] = False
    axis_fields: ClassVar[frozenset[str]] = Task.axis_fields | {"methods", "flows"}

    methods: list[MethodEntry] = Field(min_length=1)
    flows: Repeats = 3

    @field_validator("methods")
    @classmethod
    def _check_methods(cls, methods: list[Method]) -> list[Method]:
        unique("methods", [method.label for method in methods])
        for method in methods:
            cls._check_method(method)
        return methods

    @classmethod
    def _check_method(cls, method: Method) -> None:
        method.require_pairing(cls.pairing, f"the task {cls.name!r}")
        if method.target_alone and not cls.takes_target_alone:
            raise InputError(
                f"method {method.name!r} does not support the task {cls.name!r}: it moves nothing, "
                "and there moved particles are scored"
            )

    @property
    def trainings_per_flow(self) -> int:
        """Number of trainings of one evaluation; 0 for a task whose evaluators train nothing."""
        return 0

    def cells(self, seed: int) -> list[Cell]:
        """List the problems, with their draws derived from the root seed."""
        raise NotImplementedError

    def cell_between(
        self,
        source: Dataset,
        target: Dataset,
        n: int,
        seed: int,
        *,
        units: Units = "natural",
        one_target: bool = False,
    ) -> Cell:
        """Pose the problem of moving a dataset onto another one, with as many particles of each.

        Parameters
        ----------
        source, target : Dataset
            What is moved, and onto what.
        n : int
            Particles per class, on both sides.
        seed : int
            Root seed.
        units : {"natural", "target", "own"}
            See `Draw`.
        one_target : bool
            Whether all flows share the target particles of one draw.
        """
        draws = tuple(
            Draw(
                source=source,
                n=n,
                source_seed=derive_seed(seed, "source", source.slug, flow),
                target=target,
                k=n,
                target_seed=derive_seed(
                    seed, "target", target.slug, *(() if one_target else (flow,))
                ),
                units=units,
            )
            for flow in range(self.flows)
        )
        axes = {"task": self.name, "source": source.label, "target": target.label, "k": n}
        return Cell(f"{source.slug}-{target.slug}", axes, draws, tuple(self.methods))

    def evaluators(self, method: Method) -> list[Evaluator]:
        """List what scores a method's flows."""
        raise NotImplementedError

    def build(self, graph: Graph) -> None:
        """Ask for the jobs of all cells."""
        for cell in self.cells(graph.seed):
            for number, draw in enumerate(cell.draws):
                self.build_flows(graph, cell, number, draw)

    def build_flows(self, graph: Graph, cell: Cell, number: int, draw: Draw) -> None:
        """Ask for one draw of a cell, all methods' flows on it, and their evaluations.

        Parameters
        ----------
        graph : Graph
            Where the jobs go.
        cell : Cell
            The problem.
        number : int
            Number of the flow.
        draw : Draw
            Its draw.
        """
        evaluators = {method.label: self.evaluators(method) for method in cell.methods}
        sizes = [e.minimum_size for some in evaluators.values() for e in some]
        minimum_size = max(self.minimum_size(), *sizes)
        draw.check(cell.methods, minimum_size)
        place = f"{self.label}/{cell.path}"
        axes = {**cell.axes, "experiment": self.label, "flow_seed": number}
        test = self.test_dataset(draw)
        drawn = graph.draw(
            f"{place}/flow{number}",
            draw,
            axes=axes,
            minimum_size=minimum_size,
            equal_classes=self.pairing == "by_number",
            test=test if test != draw.target else None,
        )
        # The method and the experiment's name are left out of the seeds, so that all methods start
        # from the same random state, in whichever experiment they stand.
        problem = (self.name, cell.path, number)
        seeds = [
            derive_seed(graph.seed, "training", *problem, i) for i in range(self.trainings_per_flow)
        ]
        classifier = self.train(graph, cell, draw)
        for method in cell.methods:
            name, known = f"{place}/{method.label}/flow{number}", axes | {"method": method.label}
            scored = (self, method, draw, cell.axes["k"])
            flow = graph.flow(
                name,
                method,
                drawn,
                axes=known,
                seed=derive_seed(graph.seed, "flow", *problem),
                problem={"pairing": self.pairing, **self.problem_spec()},
                snapshots=self.snapshot_steps(),
                columns=scored_columns(*scored),
            )
            graph.evaluate(
                name,
                evaluators[method.label],
                flow,
                axes=known,
                seeds=seeds,
                columns=[scored_columns(*scored, e) for e in evaluators[method.label]],
                test=test,
                classifier=classifier,
            )

    def train(self, graph: Graph, cell: Cell, draw: Draw) -> Ref | None:
        """Ask for the classifier that the evaluators of a draw read; by default for none."""
        return None

    def minimum_size(self) -> int:
        """Smallest height and width that can be used, beside what evaluators need; 0: none."""
        return 0

    def test_dataset(self, draw: Draw) -> Dataset | None:
        """Return the dataset on whose test split the evaluators of a draw test, if on any."""
        return None

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
        return Size(draws, flows, flows * self.trainings_per_flow)

    def problem_spec(self) -> dict[str, Any]:
        """Fields of `wowbench.jobs.flow.ProblemSpec` beside the pairing, as JSON types."""
        return {}

    def snapshot_steps(self) -> Sequence[int]:
        """Numbers of steps after which a flow's particles are kept beside the last ones."""
        return ()
