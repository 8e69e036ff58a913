"""The graph of a run's jobs, and the words in which tasks ask for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from wowbench.errors import InputError, shown
from wowbench.parameters import FromRegistry, defining_modules
from wowbench.plugins import plugin_files
from wowbench.registry import DATASETS, DISTANCES, EVALUATORS, METHODS

if TYPE_CHECKING:
    from wowbench.datasets.base import Dataset
    from wowbench.distances.base import Distance
    from wowbench.evaluation.classifier import ClassifierTraining
    from wowbench.evaluators.base import Evaluator
    from wowbench.methods.base import Method
    from wowbench.tasks.base import Draw

OUTPUTS = {
    "prepare": {"data": "data"},
    "draw": {"draw": "draws"},
    "train": {"classifier": "classifiers"},
    "flow": {"flow": "flows"},
    "evaluate": {},
    "distance": {},
}
"""What each verb writes beside its record, and the folder of a run that it is in."""


class Ref(NamedTuple):
    """A job that another one reads from."""

    verb: str
    name: str


@dataclass(frozen=True)
class Job:
    """One call of one verb.

    Attributes
    ----------
    spec : dict
        The verb's ``--spec``: parameters, seeds and axes, as JSON types, and the specs of the
        jobs that make its inputs.
    makers : dict of str to Ref
        The job that makes each file it reads, by option.
    inputs : dict of str to str
        These files, by option.
    outputs : dict of str to str
        Files it writes beside its record, by name.
    modules : tuple of str
        Modules whose sources its result depends on.
    columns : tuple of dict
        Columns of its rows of the scores beside the axes, as from
        `wowbench.settings.scored_columns`: one entry, or one for each evaluator. No result depends
        on them, so that they stand beside the spec.
    """

    spec: dict
    makers: dict[str, Ref]
    inputs: dict[str, str]
    outputs: dict[str, str]
    modules: tuple[str, ...]
    columns: tuple[dict[str, str], ...] = ()


class Graph:
    """All jobs of a run, by verb and name.

    A task asks for datasets, draws, classifiers, flows, evaluations and distances; each word
    returns a reference for the next. Names are paths below the folder of the verb, and begin with
    the label of the experiment.

    Parameters
    ----------
    root : Path
        Folder of the run.
    seed : int
        Root seed, from which tasks derive all others.
    threads : int
        CPU threads of each job that computes.
    """

    def __init__(self, root: Path, seed: int, threads: int):
        self.root = root
        self.seed = seed
        self.threads = threads
        self.jobs: dict[str, dict[str, Job]] = {verb: {} for verb in OUTPUTS}
        self._slugs: dict[str, str] = {}

    def dataset(self, dataset: Dataset) -> Ref:
        """Ask for a dataset in the one form that jobs read.

        Raises
        ------
        InputError
            If another dataset of the run has its name.
        """
        spec = {
            "dataset": FromRegistry(DATASETS).dump(dataset),
            "axes": {"dataset": dataset.label, "bundled": dataset.bundled},
        }
        slug = self._slugs.setdefault(dataset.slug.casefold(), dataset.slug)
        if slug != dataset.slug:
            raise InputError(
                f"two datasets are called {slug!r} and {dataset.slug!r}, which some file systems "
                "do not tell apart; give one of them another `id`"
            )
        other = self.jobs["prepare"].get(slug)
        if other is None:
            return self._add("prepare", slug, spec=spec, makers={}, read=(dataset,))
        if other.spec["dataset"] != spec["dataset"]:
            one, two = other.spec["dataset"], spec["dataset"]
            key = next(key for key in one | two if one.get(key) != two.get(key))
            raise InputError(
                f"two different datasets are called {slug!r}: {key} is {shown(one.get(key))} and "
                f"{shown(two.get(key))}; give one of them another `id`"
            )
        return Ref("prepare", slug)

    def draw(
        self,
        name: str,
        draw: Draw,
        *,
        axes: dict[str, Any],
        minimum_size: int,
        equal_classes: bool,
        test: Dataset | None = None,
    ) -> Ref:
        """Ask for what a flow starts from, and what it moves towards.

        Parameters
        ----------
        name : str
            Name of the job.
        draw : Draw
            Which particles of which datasets.
        axes : dict
            Columns of the scores that it belongs to.
        minimum_size : int
            Smallest height and width that what follows takes.
        equal_classes : bool
            Whether source and target must have equally many classes.
        test : Dataset, optional
            Dataset to be tested on, whose shape and classes must be the target's.
        """
        makers = {"source": self.dataset(draw.source), "target": self.dataset(draw.target)}
        if test is not None:
            makers["test"] = self.dataset(test)
        spec = {
            "n": draw.n,
            "source_seed": draw.source_seed,
            "k": draw.k,
            "target_seed": draw.target_seed,
            "units": draw.units,
            "minimum_size": minimum_size,
            "minimum_k": draw.minimum_k,
            "equal_classes": equal_classes,
            "axes": axes,
        }
        return self._add("draw", name, spec=spec, makers=makers)

    def train(
        self,
        name: str,
        training: ClassifierTraining,
        draw: Draw,
        *,
        axes: dict[str, Any],
        seed: int,
    ) -> Ref:
        """Ask for a classifier of the target's particles of a draw.

        It depends on nothing of the source, so that draws of one target may share it.
        """
        spec = {
            "training": training.model_dump(mode="json"),
            "k": draw.k,
            "target_seed": draw.target_seed,
            "units": draw.units,
            "seed": seed,
            "threads": self.threads,
            "axes": axes,
        }
        return self._add("train", name, spec=spec, makers={"target": self.dataset(draw.target)})

    def flow(
        self,
        name: str,
        method: Method,
        draw: Ref,
        *,
        axes: dict[str, Any],
        seed: int,
        problem: dict[str, Any],
        snapshots: Sequence[int],
        columns: dict[str, str],
    ) -> Ref:
        """Ask for a method to be run on a draw.

        Parameters
        ----------
        name : str
            Name of the job.
        method : Method
            What is run.
        draw : Ref
            What it starts from.
        axes : dict
            Columns of the scores that it belongs to.
        seed : int
            Seed of everything random in the flow.
        problem : dict
            See `wowbench.jobs.flow.ProblemSpec`.
        snapshots : sequence of int
            Numbers of steps after which particles and labels are kept.
        columns : dict
            See `Job.columns`.
        """
        spec = {
            "method": FromRegistry(METHODS).dump(method),
            "seed": seed,
            "problem": problem,
            "snapshots": list(snapshots),
            "threads": self.threads,
            "axes": axes,
        }
        makers = {"draw": draw}
        return self._add("flow", name, spec=spec, makers=makers, read=(method,), columns=(columns,))

    def evaluate(
        self,
        name: str,
        evaluators: Sequence[Evaluator],
        flow: Ref,
        *,
        axes: dict[str, Any],
        seeds: Sequence[int],
        columns: Sequence[dict[str, str]],
        test: Dataset | None = None,
        classifier: Ref | None = None,
    ) -> Ref:
        """Ask for a flow to be scored by each evaluator.

        Parameters
        ----------
        name : str
            Name of the job.
        evaluators : sequence of Evaluator
            What scores it.
        flow : Ref
            What is scored.
        axes : dict
            Columns of the scores that it belongs to.
        seeds : sequence of int
            Seeds of the trainings of those evaluators that train.
        columns : sequence of dict
            One for each evaluator: see `Job.columns`.
        test : Dataset, optional
            Dataset whose test split they read.
        classifier : Ref, optional
            Classifier that they read.
        """
        makers = {"draw": self.jobs["flow"][flow.name].makers["draw"], "flow": flow}
        if test is not None:
            makers["test"] = self.dataset(test)
        if classifier is not None:
            makers["classifier"] = classifier
        spec = {
            "evaluators": [FromRegistry(EVALUATORS).dump(evaluator) for evaluator in evaluators],
            "seeds": list(seeds),
            "threads": self.threads,
            "axes": axes,
        }
        return self._add(
            "evaluate",
            name,
            spec=spec,
            makers=makers,
            read=tuple(evaluators),
            columns=tuple(columns),
        )

    def distance(
        self,
        name: str,
        distance: Distance,
        source: Dataset,
        target: Dataset,
        *,
        axes: dict[str, Any],
        subsets: dict[str, Any],
        units: str,
        seed: int,
        columns: dict[str, str],
    ) -> Ref:
        """Ask for a distance between pairs of subsets of two datasets, or of one.

        Parameters
        ----------
        name : str
            Name of the job.
        distance : Distance
            What is measured.
        source, target : Dataset
            What subsets are drawn from; disjoint ones where both are the same.
        axes : dict
            Columns of the scores that it belongs to.
        subsets : dict
            Which pairs: see `wowbench.datasets.subsets.Subsets`.
        units : {"natural", "own"}
            See `wowbench.jobs.distance.DistanceSpec`.
        seed : int
            Seed of all that the distance draws.
        columns : dict
            See `Job.columns`.
        """
        spec = {
            "distance": FromRegistry(DISTANCES).dump(distance),
            "subsets": subsets,
            "units": units,
            "seed": seed,
            "threads": self.threads,
            "axes": axes,
        }
        makers = {"source": self.dataset(source), "target": self.dataset(target)}
        read = (distance,)
        return self._add("distance", name, spec=spec, makers=makers, read=read, columns=(columns,))

    def _add(
        self,
        verb: str,
        name: str,
        *,
        spec: dict,
        makers: dict[str, Ref],
        read: tuple = (),
        columns: tuple[dict[str, str], ...] = (),
    ) -> Ref:
        """Add a job that reads what other jobs make, and depends on the classes of `read`."""
        made_by = {option: self.jobs[ref.verb][ref.name] for option, ref in makers.items()}
        if made_by:
            spec = spec | {"inputs": {option: job.spec for option, job in made_by.items()}}
        modules = dict.fromkeys(module for entry in read for module in defining_modules(entry))
        if plugins := plugin_files(modules):
            spec = {"plugins": plugins} | spec
        self.jobs[verb][name] = Job(
            spec=spec,
            makers=makers,
            inputs={option: next(iter(job.outputs.values())) for option, job in made_by.items()},
            outputs={
                output: str(self.root / folder / f"{name}.safetensors")
                for output, folder in OUTPUTS[verb].items()
            },
            modules=tuple(modules),
            columns=columns,
        )
        return Ref(verb, name)
