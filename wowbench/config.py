"""The config of a run: what is done, with which methods, from which seed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, field_validator

from wowbench.errors import InputError
from wowbench.parameters import FromRegistry, Parameters, Slug, unique
from wowbench.registry import TASKS
from wowbench.tasks.base import Task


class Config(Parameters):
    """All that a run depends on.

    Parameters
    ----------
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
    """

    name: Slug
    experiments: list[Annotated[Task, FromRegistry(TASKS, key="task")]] = Field(min_length=1)
    seed: int = Field(0, ge=0)
    data_root: Path | None = None
    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: int = Field(1, gt=0)

    @field_validator("experiments")
    @classmethod
    def _check_experiments(cls, experiments: list[Task]) -> list[Task]:
        unique("experiments", [experiment.label for experiment in experiments])
        return experiments


def load_config(source: str | Path | Mapping) -> Config:
    """Read a config from a YAML or JSON file, from JSON text, or from a mapping.

    Raises
    ------
    InputError
        In one line, for a file that is absent or no YAML, or for any bad key or value.
    """
    if isinstance(source, Mapping):
        return Config.parse(source, "config")
    where, text = str(source), None
    if where.lstrip().startswith("{"):
        where, text = "config", where
    try:
        values = yaml.safe_load(text if text is not None else Path(where).read_text())
    except OSError as error:
        raise InputError(f"config {where}: {error.strerror}; expected a YAML file") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"config {where}: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(values, Mapping):
        raise InputError(f"config {where}: got {values!r}; expected a mapping of keys to values")
    return Config.parse(values, where)


def config_schema() -> dict:
    """JSON schema of a config, for editors; made from the registered classes' fields."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Config.model_json_schema(),
        "additionalProperties": False,
    }
