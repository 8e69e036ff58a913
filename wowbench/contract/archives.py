"""What an archive of scores keeps to, before it is taken into the repository."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from wowbench.contract.checks import Check, require

if TYPE_CHECKING:
    from wowbench.results.archive import Archive

PLACE = ("task", "experiment", "source", "target", "k", "method", "flow_seed", "protocol", "budget")
"""Columns by which rows are held against the jobs of the plan."""


def archive_checks(folder: Path) -> list[Check]:
    """List all checks of an archive.

    Its plug-ins are loaded: their code runs.

    Parameters
    ----------
    folder : Path
        A folder that ``wowbench archive`` or ``wowbench merge`` wrote.

    Returns
    -------
    list of Check
    """
    functions = (
        has_all_its_files_and_a_valid_config,
        has_one_row_for_each_measurement,
        has_numbers_in_their_range,
        has_the_cells_of_its_plan_and_no_others,
        has_every_training,
        was_computed_from_clean_commits,
        has_the_plugins_that_it_was_computed_with,
    )
    return [Check.of(function, partial(function, folder)) for function in functions]


@cache
def _read(folder: Path) -> Archive:
    from wowbench.results.archive import read_archive

    return read_archive(folder)


def has_all_its_files_and_a_valid_config(folder: Path) -> None:
    """Require scores, provenance, a config that can be planned, and the plug-ins beside it."""
    for plugin in _read(folder).plan.config.plugins:
        inside = plugin.resolve().parent == folder.resolve()
        require(inside, f"its plug-in {plugin} is not beside its config")


def has_one_row_for_each_measurement(folder: Path) -> None:
    """Require that no two rows measure the same."""
    from wowbench.results.merge import RESULT

    rows = _read(folder).rows
    twice = rows.duplicated([c for c in rows if c not in RESULT])
    where = f"the first is row {int(twice.idxmax()) + 1}" if twice.any() else ""
    require(not twice.any(), f"{int(twice.sum())} rows measure what others do; {where}")


def has_numbers_in_their_range(folder: Path) -> None:
    """Require finite values where a status is "ok", none elsewhere, and accuracies in [0, 1]."""
    for number, row in enumerate(_read(folder).rows.to_dict("records"), 1):
        where = f"row {number} ({row['metric']})"
        if row["value"] == "":
            continue
        require(row["status"] == "ok", f"{where} has a value and the status {row['status']!r}")
        try:
            value = float(row["value"])
        except ValueError:
            value = math.nan
        require(math.isfinite(value), f"{where} has the value {row['value']!r}; expected a number")
        fits = row["metric"] != "accuracy" or 0 <= value <= 1
        require(fits, f"{where} has the value {value:g}; expected one from 0 to 1")


def has_the_cells_of_its_plan_and_no_others(folder: Path) -> None:
    """Require rows of each flow, evaluation and distance of the config, with its parameters."""
    archive = _read(folder)
    planned = defaultdict(list)
    for place, parameters, _ in _planned(archive):
        planned[place].append(parameters)
    found = set()
    for row in archive.rows.to_dict("records"):
        place = tuple(row.get(column, "") for column in PLACE)
        found.add(place)
        require(place in planned, f"its config has no {_words(place)}")
        # A parameter that came later than the archive has no column there, or no text.
        off = [
            [f"{c} {row[c]}, not {v}" for c, v in texts.items() if row.get(c) not in ("", None, v)]
            for texts in planned[place]
        ]
        nearest = min(off, key=len)
        first = ", ".join(nearest[:1])
        require(not nearest, f"{_words(place)} has {first}; expected what its config has")
    missing = [place for place in planned if place not in found]
    require(not missing, f"{len(missing)} cells have no row; the first is {_words(*missing[:1])}")


def has_every_training(folder: Path) -> None:
    """Require as many trainings of a flow as its config has, where any is numbered."""
    archive = _read(folder)
    numbers = defaultdict(set)
    for row in archive.rows.to_dict("records"):
        if row["training_seed"]:
            numbers[tuple(row.get(c, "") for c in PLACE)].add(int(row["training_seed"]))
    for place, _, trainings in _planned(archive):
        found = numbers.get(place, set(range(trainings)))
        require(
            found == set(range(trainings)),
            f"{_words(place)} has the trainings {sorted(found)}; expected {trainings} from 0 on",
        )


def was_computed_from_clean_commits(folder: Path) -> None:
    """Require commits of the package without changes, and of each row one of these."""
    archive = _read(folder)
    commits = set()
    for entry in archive.provenances:
        commit = entry.get("commit")
        known = isinstance(commit, str) and re.fullmatch("[0-9a-f]{40}", commit)
        require(known, f"a provenance has the commit {commit!r}; run it from a checkout")
        require(
            entry.get("dirty") is False,
            f"a provenance has changes beside the commit {commit[:12]}; commit them, then run it",
        )
        commits.add(commit)
    others = set(archive.rows.commit) - commits
    require(not others, f"rows have commits that no provenance has: {', '.join(sorted(others))}")


def has_the_plugins_that_it_was_computed_with(folder: Path) -> None:
    """Require the code that jobs ran with, apart from comments and docstrings."""
    from wowbench.results.archive import require_plugins

    require_plugins(_read(folder).provenances)


def _planned(archive: Archive) -> Iterator[tuple[tuple[str, ...], dict[str, str], int]]:
    """Place, parameters and number of trainings of each cell of the plan, as text."""
    from wowbench.results.scores import SCORED
    from wowbench.settings import as_text

    for verb in SCORED:
        for job in archive.plan.jobs[verb].values():
            for columns in job.columns:
                texts = {c: as_text(v) for c, v in (job.spec["axes"] | columns).items()}
                parameters = {c: text for c, text in texts.items() if "." in c}
                place = tuple(texts.get(column, "") for column in PLACE)
                yield place, parameters, len(job.spec.get("seeds", ()))


def _words(place: tuple[str, ...] = ()) -> str:
    return " ".join(filter(None, place)) or "none"
