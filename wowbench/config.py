"""The config of a run: what is done, with which methods, from which seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator

from wowbench.batches import Together
from wowbench.json_schema import share_repeats
from wowbench.listed import listed_by
from wowbench.names import Slug, unique
from wowbench.parameters import FolderPath, FromRegistry, Parameters, Seed
from wowbench.plugins import Plugins, beside_config
from wowbench.registry import TASKS
from wowbench.strict_yaml import parse_json, read_yaml
from wowbench.tasks.base import Task

MAX_JOBS = 100_000
MAX_TRAININGS = 1_000_000
RESERVED = ("expected", "measured", "published")
"""Folders in ``results`` that hold no run."""


def _check_run_name(name: str) -> str:
    if name.casefold() in RESERVED:
        raise ValueError(
            f"got {name!r}, a folder of results that no run may write to; choose another name"
        )
    return name


RunName = Annotated[
    Slug, AfterValidator(_check_run_name), Field(json_schema_extra={"not": {"enum": [*RESERVED]}})
]


class Check(Parameters):
    """When a comparison of runs fails.

    Parameters
    ----------
    level : float
        Probability that a run without any difference has a cell that is off, over all its cells.
    tolerance : float, optional
        Where given, means differ that are further apart than that, without a test.
    """

    level: float = Field(0.05, gt=0, lt=1)
    tolerance: float | None = Field(None, gt=0, le=1e6)


class Config(Parameters):
    """All that a run depends on.

    Parameters
    ----------
    plugins : list of path
        Python files with methods, kernels and the like, tables and figures; relative to the
        config's file where it is one, else to the working directory. They are loaded.
    name : str
        The run's results are written to ``results/<name>``.
    experiments : list of tasks
        Each a mapping with the key ``task`` and that task's parameters.
    seed : int
        Root seed, from which all others are derived.
    data_root : path, optional
        Folder with the datasets; ``$WOWBENCH_DATA``, else ``data``, where absent.
    device : {"auto", "cpu", "cuda"}
        Where flows and trainings run; "auto" takes a GPU where there is one.
    threads : int
        CPU threads of each flow and each evaluation; float sums depend on it.
    check : Check
        When ``wowbench compare`` takes the run to differ from another; no result depends on it.
    together : mapping
        How many flows, evaluations and distances a process takes: see
        `wowbench.batches.Together`. No result depends on it.
    """

    # First, since the names in all other fields may be those of plug-ins.
    plugins: Plugins = ()
    name: RunName
    experiments: list[Annotated[Task, FromRegistry(TASKS, key="task")]] = Field(min_length=1)
    seed: Seed = 0
    data_root: FolderPath | None = None
    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: int = Field(1, gt=0, le=1024)
    check: Check = Check()
    together: Together = Together()

    @field_validator("experiments")
    @classmethod
    def _check_experiments(cls, experiments: list[Task]) -> list[Task]:
        unique("experiments", [experiment.label for experiment in experiments])
        listed_by(experiments)
        sizes = [experiment.size() for experiment in experiments]
        for what, most, number in (
            ("jobs", MAX_JOBS, sum(size.jobs for size in sizes)),
            ("trainings", MAX_TRAININGS, sum(size.trainings for size in sizes)),
        ):
            if number > most:
                raise ValueError(
                    f"they come to {number:,} {what}; expected at most {most:,} in a run"
                )
        return experiments


def load_config(source: str | Path | Mapping, files: Sequence[Path] = ()) -> Config:
    """Read a config from a YAML or JSON file, from JSON text, or from a mapping.

    Parameters
    ----------
    source : path, str or mapping
        The config.
    files : sequence of Path
        Files that a mapping was put together from, the last of which counts: its plug-ins are
        relative to the one that names them.

    Raises
    ------
    InputError
        In one line, for a file that `read_yaml` refuses, or for any bad key or value.
    """
    if isinstance(source, Mapping):
        return Config.parse(beside_config(source, _folder_of_plugins(source, files)), "config")
    text = str(source)
    if text.lstrip().startswith("{"):
        return Config.parse(parse_json(text), "config")
    return Config.parse(beside_config(read_yaml(source), Path(source).parent), text)


def _folder_of_plugins(values: Mapping, files: Sequence[Path]) -> Path:
    for file in reversed(files):
        if (plugins := read_yaml(file).get("plugins")) is not None:
            # Those of a command line are relative to the working directory.
            return Path(file).parent if plugins == values.get("plugins") else Path()
    return Path()


def config_schema() -> dict:
    """JSON schema of a config, for editors; made from the registered classes' fields."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **share_repeats(Config.model_json_schema()),
        "additionalProperties": False,
    }
