"""The jobs that a config comes down to, with what each reads, writes and depends on."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from copy import copy
from functools import cached_property
from pathlib import Path

from wowbench.batches import batches
from wowbench.canonical import canonical_json
from wowbench.cards import count_cards
from wowbench.config import Config, load_config
from wowbench.errors import InputError
from wowbench.graph import Graph, Job
from wowbench.listed import Listed, listed_by
from wowbench.parameters import FromRegistry
from wowbench.registry import DATASETS
from wowbench.resources import Needs, needs, together
from wowbench.results.report import Animation, Figure, Report, Table
from wowbench.sources import source_digest

RESULTS = Path("results")


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
        graph = Graph(self.root, config.seed, config.threads)
        for experiment in config.experiments:
            experiment.build(graph)
        self.jobs = graph.jobs

    @classmethod
    def load(cls, source: str | Path | Mapping, files: Sequence[Path] = ()) -> Plan:
        """Plan the config that `source` holds; see `load_config`."""
        return cls(load_config(source, files))

    @property
    def gpus(self) -> int:
        """GPUs that a job which computes takes: found without torch, which is slow to load."""
        on_gpu = {"cpu": False, "auto": count_cards() > 0, "cuda": True}
        return int(on_gpu[self.config.device])

    @property
    def gpus_at_once(self) -> int:
        """GPUs that the jobs of a run on this machine may take together."""
        return max(count_cards(), 1)

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

    def needs(self, verb: str, *names: str, attempt: int) -> Needs:
        """Memory and time that a process with these jobs asks for, more on each attempt."""
        each = [needs(verb, self.job(verb, name).spec, gpus=self.gpus) for name in names]
        return together(verb, each).on(attempt)

    def spec(self, verb: str, name: str) -> str:
        """Return a job's ``--spec`` as JSON text."""
        return canonical_json(self.job(verb, name).spec)

    def inputs(self, verb: str, name: str) -> dict[str, str]:
        """Return the files that a job reads, by option."""
        return self.job(verb, name).inputs

    def options(self, verb: str, name: str) -> list[str]:
        """Return the files that a job reads as arguments of its command."""
        pairs = self.inputs(verb, name).items()
        return [argument for option, path in pairs for argument in (f"--{option}", path)]

    def batches(self, verb: str) -> list[tuple[str, ...]]:
        """Names of the jobs of a verb, by the process that runs them."""
        most = getattr(self.config.together, verb, 1)
        return batches(self.jobs[verb], verb, most)

    def shared(self, verb: str) -> list[tuple[str, ...]]:
        """Names of the jobs of a verb that share a process, by process."""
        return [names for names in self.batches(verb) if len(names) > 1]

    def alone(self, verb: str) -> str:
        """Regular expression of the names of jobs that have a process of their own."""
        names = [names[0] for names in self.batches(verb) if len(names) == 1]
        return ".+" if len(names) == len(self.jobs[verb]) else "|".join(map(re.escape, names))

    def arguments(self, verb: str, *names: str) -> list[str]:
        """Return the arguments of a command that runs jobs of a verb in one process."""
        found = []
        for name in names:
            *outputs, record = self.writes(verb, name)
            found += ["--spec", self.spec(verb, name), *self.options(verb, name)]
            found += ["--out", *outputs, "--record", record] if outputs else ["--out", record]
        return found

    def reads_of(self, verb: str, *names: str) -> list[str]:
        """Return the files that jobs read, each once."""
        paths = (path for name in names for path in self.inputs(verb, name).values())
        return list(dict.fromkeys(paths))

    def writes(self, verb: str, *names: str) -> list[str]:
        """Return the files that jobs write, the record of each after its others."""
        return [
            path
            for name in names
            for path in (*self.job(verb, name).outputs.values(), self.record(verb, name))
        ]

    def log(self, verb: str, names: Sequence[str]) -> str:
        """Path of the log of a process that runs jobs."""
        return self.path("logs", f"{verb}/{names[0]}.log")

    def process_of(self, verb: str, name: str) -> tuple[str, ...]:
        """Names of the jobs that share the process of a job, itself among them."""
        return self._processes[verb, name]

    @cached_property
    def _processes(self) -> dict[tuple[str, str], tuple[str, ...]]:
        return {
            (verb, name): names
            for verb in self.jobs
            for names in self.batches(verb)
            for name in names
        }

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

    @property
    def plugins(self) -> list[str]:
        """Plug-in files of the config, as arguments of a command."""
        return [text for file in self.config.plugins for text in ("--plugin", str(file))]

    def reads(self, report: Listed) -> dict[str, list[str]]:
        """List the files that a table or a figure reads beside the scores.

        Parameters
        ----------
        report : Listed
            The table or figure: its `reads` name verbs ("draw", "flow"), for the files of all
            experiments that list it, and files below ``results``.

        Returns
        -------
        dict of str to list of str
            By verb, and "numbers" for the other files; those that are absent are left out.
        """
        experiments = self.listing(report.path)
        files = {"numbers": []}
        for read in report.reads:
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

    def listing(self, path: str) -> set[str]:
        """Labels of the experiments that list the table or figure with an import path."""
        return {
            experiment.label
            for experiment in self.config.experiments
            if path in experiment.listing()
        }

    def without(self, jobs: Collection[tuple[str, str]]) -> Plan:
        """Return this plan without the given jobs, by verb and name."""
        part = copy(self)
        part.jobs = {
            verb: {name: job for name, job in named.items() if (verb, name) not in jobs}
            for verb, named in self.jobs.items()
        }
        return part

    def records(self, *verbs: str) -> list[str]:
        """List the records that the jobs of the given verbs write."""
        return [self.record(verb, name) for verb in verbs for name in self.jobs[verb]]

    @property
    def parts(self) -> dict[str, list[str]]:
        """Records of what each experiment and each method measures, by the name of a target.

        Of experiments the targets are called ``experiment_LABEL``, of methods and distances
        ``method_LABEL``, in all experiments.
        """
        parts: dict[str, list[str]] = {}
        for verb in ("evaluate", "distance"):
            for name, job in self.jobs[verb].items():
                for axis in ("experiment", "method"):
                    target = f"{axis}_{job.spec['axes'][axis]}"
                    parts.setdefault(target, []).append(self.record(verb, name))
        return parts

    def record(self, verb: str, name: str) -> str:
        """Path of the record that a job writes."""
        return self.path("records", f"{verb}/{name}.json")

    @cached_property
    def reports(self) -> list[Listed]:
        """Tables and figures of all experiments."""
        return listed_by(self.config.experiments)

    @property
    def tables(self) -> dict[str, Listed]:
        """Tables of all experiments, by name."""
        return self._reports_of(Table)

    @property
    def figures(self) -> dict[str, Listed]:
        """Figures that stand still, by name."""
        return self._reports_of(Figure)

    @property
    def animations(self) -> dict[str, Listed]:
        """Figures that move, by name."""
        return self._reports_of(Animation)

    def _reports_of(self, base: type[Report]) -> dict[str, Listed]:
        return {report.name: report for report in self.reports if report.base is base}

    def if_expected(self, name: str) -> list[str]:
        """Path of a file that a run has only where its expected scores are in the repository."""
        return [self.path("", name)] if self.expected.exists() else []

    @property
    def expected(self) -> Path:
        """Where the expected scores of this run are kept, if there are any."""
        return RESULTS / "expected" / f"{self.config.name}.csv"

    @cached_property
    def config_json(self) -> str:
        """The config as JSON text, without what no result depends on."""
        return self._config_json("data_root", "check", "together")

    @cached_property
    def config_json_with_batches(self) -> str:
        """The same with what says which jobs share a process."""
        return self._config_json("data_root", "check")

    def _config_json(self, *but: str) -> str:
        return canonical_json(self.config.model_dump(mode="json", exclude=set(but)))

    def path(self, folder: str, name: str) -> str:
        """Path of a file of this run."""
        return str(self.root / folder / name)


def one_of(names: Collection[str]) -> str:
    """Regular expression for wildcards that matches these names, or nothing without any."""
    return "|".join(map(re.escape, names)) or r"(?!)"


def _kept(name: str) -> Path:
    """Path of a file below ``results`` that is kept in the repository of the package."""
    path = Path(__file__).resolve().parents[1] / RESULTS / name
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
