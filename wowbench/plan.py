"""The jobs that a config comes down to, with what each reads, writes and depends on."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from wowbench.canonical import canonical_json
from wowbench.config import Config, load_config
from wowbench.datasets.base import Dataset
from wowbench.errors import InputError, shown
from wowbench.methods.base import Method
from wowbench.parameters import FromRegistry, defining_modules
from wowbench.registry import DATASETS, METHODS
from wowbench.seeding import derive_seed
from wowbench.settings import scored_columns
from wowbench.sources import declared_reads, docstring, source_digest
from wowbench.tasks.base import Cell, Draw, Task

RESULTS = Path("results")
OUTPUTS = {
    "prepare": {"data": "data"},
    "draw": {"draw": "draws"},
    "flow": {"flow": "flows"},
    "evaluate": {},
}
"""What each verb writes beside its record, and the folder of a run that it is in."""


@dataclass(frozen=True)
class Job:
    """One call of one verb.

    Attributes
    ----------
    spec : dict
        The verb's ``--spec``: parameters, seeds and axes, as JSON types, and the specs of the
        jobs that make its inputs.
    makers : dict of str to (str, str)
        Verb and name of the job that makes each file it reads, by option.
    inputs : dict of str to str
        These files, by option.
    outputs : dict of str to str
        Files it writes beside its record, by name.
    modules : tuple of str
        Modules whose sources its result depends on.
    columns : tuple of dict
        Columns of its rows of the scores beside the axes, as from
        `wowbench.settings.scored_columns`: one entry, or one for each protocol. No result depends
        on them, so that they stand beside the spec.
    """

    spec: dict
    makers: dict[str, tuple[str, str]]
    inputs: dict[str, str]
    outputs: dict[str, str]
    modules: tuple[str, ...]
    columns: tuple[dict[str, str], ...] = ()


class Plan:
    """All jobs of a run, by verb and name.

    Parameters
    ----------
    config : Config
        What to run.
    """

    def __init__(self, config: Config):
        self.config = config
        self.root = RESULTS / config.name
        self.jobs: dict[str, dict[str, Job]] = {verb: {} for verb in OUTPUTS}
        self._slugs: dict[str, str] = {}
        for experiment in config.experiments:
            for cell in experiment.cells(config.seed):
                cell.check()
                for number, draw in enumerate(cell.draws):
                    self._add(experiment, cell, number, draw)

    @classmethod
    def load(cls, source: str | Path | Mapping) -> Plan:
        """Plan the config that `source` holds; see `load_config`."""
        return cls(load_config(source))

    @property
    def gpus(self) -> int:
        """GPUs that a flow or an evaluation takes: found without torch, which is slow to load."""
        return int(self.config.device != "cpu" and shutil.which("nvidia-smi") is not None)

    def job(self, verb: str, name: str) -> Job:
        """Return a job.

        Raises
        ------
        InputError
            If this run has no such job.
        """
        if name not in self.jobs[verb]:
            raise InputError(f"run {self.config.name!r} has no {verb} job {name!r}")
        return self.jobs[verb][name]

    def spec(self, verb: str, name: str) -> str:
        """Return a job's ``--spec`` as JSON text."""
        return canonical_json(self.job(verb, name).spec)

    def inputs(self, verb: str, name: str) -> dict[str, str]:
        """Return the files that a job reads, by option."""
        return self.job(verb, name).inputs

    def sources(self, verb: str, name: str) -> str:
        """Digest of the sources that a job's result depends on."""
        return source_digest(f"wowbench.jobs.{verb}", *self.job(verb, name).modules)

    def fingerprint(self, name: str) -> str:
        """Name the state of the data files that a prepare job reads.

        Where they are gone since the job ran, as on another machine, it is the state that they had.
        """
        dataset = FromRegistry(DATASETS).build(self.job("prepare", name).spec["dataset"])
        before = Path(self.path("data", f"{name}.files"))
        found = dataset.fingerprint(self.config.data_root)
        return before.read_text() if not found and before.exists() else found

    def digest(self, module: str) -> str:
        """Digest of a module's sources and of what it imports."""
        return source_digest(module)

    def reads(self, module: str) -> dict[str, list[str]]:
        """List the files that a table or a figure reads beside the scores.

        Parameters
        ----------
        module : str
            Module that makes it. Its constant ``READS``, and those of the modules that it imports,
            name verbs ("draw", "flow"), for the files of all experiments that have this table or
            figure, and files below ``results``.

        Returns
        -------
        dict of str to list of str
            By verb, and "numbers" for the other files; those that are absent are left out.
        """
        item = module.rpartition(".")[2]
        experiments = {e.label for e in self.config.experiments if item in (*e.tables, *e.figures)}
        files = {"numbers": []}
        for read in declared_reads(module):
            if read in self.jobs:
                files[read] = [
                    path
                    for job in self.jobs[read].values()
                    if job.spec["axes"]["experiment"] in experiments
                    for path in job.outputs.values()
                ]
            elif (path := _kept(read)).exists():
                files["numbers"].append(str(path))
        return files

    def without(self, jobs: Collection[tuple[str, str]]) -> Plan:
        """Return this plan without the given jobs, by verb and name."""
        part = copy(self)
        part.jobs = {
            verb: {name: job for name, job in named.items() if (verb, name) not in jobs}
            for verb, named in self.jobs.items()
        }
        return part

    def caption(self, module: str) -> str:
        """Docstring of the module that makes a table or a figure: its caption in the report."""
        return docstring(module)

    def records(self, *verbs: str) -> list[str]:
        """List the records that the jobs of the given verbs write."""
        return [self.record(verb, name) for verb in verbs for name in self.jobs[verb]]

    def record(self, verb: str, name: str) -> str:
        """Path of the record that a job writes."""
        return self.path("records", f"{verb}/{name}.json")

    @cached_property
    def tables(self) -> list[str]:
        """Names of the tables of all experiments' tasks."""
        return _once(name for e in self.config.experiments for name in e.tables)

    @cached_property
    def figures(self) -> list[str]:
        """Names of the figures of all experiments' tasks."""
        return _once(name for e in self.config.experiments for name in e.figures)

    def if_expected(self, name: str) -> list[str]:
        """Path of a file that a run has only where its expected scores are in the repository."""
        return [self.path("", name)] if self.expected.exists() else []

    @property
    def expected(self) -> Path:
        """Where the expected scores of this run are kept, if there are any."""
        return RESULTS / "expected" / f"{self.config.name}.csv"

    @cached_property
    def config_json(self) -> str:
        """The whole config as JSON text, without what no result depends on."""
        return canonical_json(self.config.model_dump(mode="json", exclude={"data_root"}))

    def path(self, folder: str, name: str) -> str:
        """Path of a file of this run."""
        return str(self.root / folder / name)

    def _add(self, experiment: Task, cell: Cell, number: int, draw: Draw) -> None:
        place = f"{experiment.label}/{cell.path}"
        axes = {**cell.axes, "experiment": experiment.label, "flow_seed": number}
        drawn = f"{place}/flow{number}"
        self._add_job(
            "draw",
            drawn,
            spec={
                "n": draw.n,
                "source_seed": draw.source_seed,
                "k": draw.k,
                "target_seed": draw.target_seed,
                "units": draw.units,
                "equal_classes": draw.equal_classes,
                "minimum_size": draw.minimum_size,
                "minimum_k": draw.minimum_k,
                "axes": axes,
            },
            makers={"source": self._prepare(draw.source), "target": self._prepare(draw.target)},
        )
        for method in cell.methods:
            self._add_method(experiment, place, number, draw, axes, method)

    def _add_method(
        self, experiment: Task, place: str, number: int, draw: Draw, axes: dict, method: Method
    ) -> None:
        name = f"{place}/{method.label}/flow{number}"
        axes = {**axes, "method": method.label}
        scored = (experiment, method, draw, axes["k"])
        drawn = ("draw", f"{place}/flow{number}")
        seed, threads = self.config.seed, self.config.threads
        # The method and the experiment's name are left out of the seeds, so that all methods start
        # from the same random state, in whichever experiment they stand.
        problem = (experiment.name, place.removeprefix(f"{experiment.label}/"), number)
        self._add_job(
            "flow",
            name,
            spec={
                "method": FromRegistry(METHODS).dump(method),
                "seed": derive_seed(seed, "flow", *problem),
                "problem": experiment.problem_spec(),
                "snapshots": experiment.snapshot_steps(),
                "threads": threads,
                "axes": axes,
            },
            makers={"draw": drawn},
            modules=defining_modules(method),
            columns=(scored_columns(*scored),),
        )
        seeds = [derive_seed(seed, "training", *problem, i) for i in range(experiment.trainings)]
        self._add_job(
            "evaluate",
            name,
            spec={
                "task": experiment.name,
                "seeds": seeds,
                "evaluation": experiment.evaluation_spec(),
                "threads": threads,
                "axes": axes,
            },
            makers={"draw": drawn, "flow": ("flow", name), "target": self._prepare(draw.target)},
            modules=(type(experiment).__module__,),
            columns=tuple(
                scored_columns(*scored, protocol)
                for protocol in experiment.protocol_entries() or [None]
            ),
        )

    def _prepare(self, dataset: Dataset) -> tuple[str, str]:
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
            modules = defining_modules(dataset)
            self._add_job("prepare", slug, spec=spec, makers={}, modules=modules)
        elif other.spec["dataset"] != spec["dataset"]:
            one, two = other.spec["dataset"], spec["dataset"]
            key = next(key for key in one | two if one.get(key) != two.get(key))
            raise InputError(
                f"two different datasets are called {slug!r}: {key} is {shown(one.get(key))} and "
                f"{shown(two.get(key))}; give one of them another `id`"
            )
        return "prepare", dataset.slug

    def _add_job(
        self,
        verb: str,
        name: str,
        *,
        spec: dict,
        makers: dict[str, tuple[str, str]],
        modules: tuple[str, ...] = (),
        columns: tuple[dict[str, str], ...] = (),
    ) -> None:
        """Add a job that reads what other jobs make: `makers` by option, as (verb, name)."""
        made_by = {option: self.job(*maker) for option, maker in makers.items()}
        if made_by:
            spec = spec | {"inputs": {option: job.spec for option, job in made_by.items()}}
        self.jobs[verb][name] = Job(
            spec=spec,
            makers=makers,
            inputs={option: next(iter(job.outputs.values())) for option, job in made_by.items()},
            outputs={
                output: self.path(folder, f"{name}.safetensors")
                for output, folder in OUTPUTS[verb].items()
            },
            modules=modules,
            columns=columns,
        )


def _kept(name: str) -> Path:
    """Path of a file below ``results`` that is kept in the repository of the package."""
    path = Path(__file__).resolve().parents[1] / RESULTS / name
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _once(names) -> list[str]:
    return list(dict.fromkeys(names))
