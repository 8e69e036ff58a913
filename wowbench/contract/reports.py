"""What every table and every figure that is made of scores alone keeps to."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from wowbench.contract.checks import Check, require
from wowbench.errors import InputError
from wowbench.listed import Listed, listed

if TYPE_CHECKING:
    import pandas as pd

    from wowbench.plan import Plan

KINDS = {"table": "tables", "figure": "figures"}
"""Folder of the files of each kind."""

RUN = {
    "name": "made_up",
    "experiments": [
        {
            "task": "transfer",
            "source": {"name": "MNIST", "bundled": True},
            "targets": [{"name": "FashionMNIST", "bundled": True}],
            "shots": [1, 5],
            "images_per_class": 10,
            "flows": 2,
            "trainings": 2,
            "methods": ["train_on_target", "mmdsw"],
        }
    ],
}
"""A run whose scores are made up."""


def report_checks(kind: str, path: str) -> list[Check]:
    """List all checks of a table or a figure.

    One that reads the files of flows or of draws is not made here, where there are none.

    Parameters
    ----------
    kind : {"table", "figure"}
        Which of them it is; an animation is a figure.
    path : str
        Import path, ``module:Class``.

    Raises
    ------
    InputError
        As for a config that lists it, or for one of the other kind.
    """
    found = listed(path)
    if found.base.folder != KINDS[kind]:
        raise InputError(f"{path} is among the {found.base.folder}; expected a {kind}")
    functions = [imports_what_it_needs]
    if not {"flow", "draw"} & set(found.reads):
        functions += [
            writes_all_its_files,
            is_the_same_each_time,
            leaves_the_scores_as_they_were,
            takes_a_run_without_a_result,
        ]
    return [Check.of(function, partial(function, found)) for function in functions]


def imports_what_it_needs(found: Listed) -> None:
    """Require a class that can be imported, and made without arguments."""
    found.load()


def writes_all_its_files(found: Listed) -> None:
    """Require a file of each suffix, and in a table columns and rows."""
    for suffix, content in _files(found, *made_up_scores()).items():
        require(content, f"its file .{suffix} is empty")
    if found.base.folder == "tables":
        table = found.load().make(made_up_scores()[1])
        require(len(table.columns), "it has no column")
        require(table.columns.is_unique, f"two of its columns are called alike: {[*table.columns]}")


def is_the_same_each_time(found: Listed) -> None:
    """Require the same first file of the same scores."""
    first, again = (_files(found, *made_up_scores()) for _ in range(2))
    suffix = found.base.suffixes[0]
    require(first[suffix] == again[suffix], f"made twice, its file .{suffix} is another one")


def leaves_the_scores_as_they_were(found: Listed) -> None:
    """Require scores that others can be made of."""
    plan, scores = made_up_scores()
    before = scores.copy(deep=True)
    _files(found, plan, scores)
    require(scores.equals(before), "it changes the scores")


def takes_a_run_without_a_result(found: Listed) -> None:
    """Require files of a run all of whose flows diverged."""
    _files(found, *made_up_scores(status="diverged"))


def made_up_scores(status: str = "ok") -> tuple[Plan, pd.DataFrame]:
    """Return scores of a transfer that never ran, with the plan of that run.

    Parameters
    ----------
    status : {"ok", "diverged"}
        How all flows and evaluations ended.
    """
    from wowbench.plan import Plan
    from wowbench.results.records import Record
    from wowbench.results.scores import scores_of

    plan = Plan.load(RUN)
    records = {}
    for verb in ("flow", "evaluate"):
        for number, (name, job) in enumerate(plan.jobs[verb].items()):
            records[verb, name] = Record(
                job=verb,
                spec=job.spec,
                status=status,
                message="" if status == "ok" else "it was made to",
                measurements=_measurements(verb, job, number) if status == "ok" else [],
                inputs={"draw": job.makers["draw"].name},
                provenance={"device": "cpu", "commit": "0" * 40},
            )
    return plan, scores_of(plan, records, {})


def _measurements(verb, job, number: int) -> list[dict]:
    if verb == "flow":
        names = ("flow_seconds", "steps", "seconds_per_step", "final_loss")
        return [{"metric": name, "value": 1.0 + number} for name in names]
    from wowbench.results.cells import EVALUATION

    return [
        {
            "metric": "accuracy",
            "value": 0.4 + 0.02 * number + 0.01 * training,
            "training_seed": training,
            **{key: columns[key] for key in EVALUATION if key in columns},
        }
        for columns in job.columns
        for training in range(len(job.spec["seeds"]))
    ]


def _files(found: Listed, plan: Plan, scores: pd.DataFrame) -> dict[str, bytes]:
    """Contents of the files, by suffix."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / f"{found.name}.{found.base.suffixes[0]}"
        found.load().write(scores, out, plan)
        files = {suffix: out.with_suffix(f".{suffix}") for suffix in found.base.suffixes}
        for suffix, file in files.items():
            require(file.is_file(), f"it writes no file .{suffix}")
        return {suffix: file.read_bytes() for suffix, file in files.items()}
