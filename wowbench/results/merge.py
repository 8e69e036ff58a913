"""One archive of several."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from wowbench.canonical import canonical_json
from wowbench.config import load_config
from wowbench.errors import InputError, shown
from wowbench.results.archive import SCORES, Archive, read_archive, write_texts
from wowbench.results.cells import AXES, EVALUATION
from wowbench.results.columns import NUMBERS
from wowbench.results.records import TIMES
from wowbench.results.scores import ordered_columns, write_scores

RESULT = ("value", "draw", "departures", "status", "message", "device", "commit")
"""Columns that do not say what was measured, but what came out and where."""

OF_ONE_JOB = ("training_seed", "step", "epoch", "pair", "source_size", "target_size", "metric")
"""Columns in which rows of one job may differ."""


def merge_archives(folders: Sequence[Path], out: Path) -> None:
    """Merge archives into a new one, whose run has the name of its folder.

    A row that several archives have is taken once, from the first; so are its times. Each entry of
    the provenance says which archive it is from.

    Parameters
    ----------
    folders : sequence of Path
        Folders that ``wowbench archive`` or this wrote.
    out : Path
        Folder to make; it must not exist, or be empty.

    Raises
    ------
    InputError
        If an archive cannot be read, if two have another result of the same cell (naming the cell,
        both values and both archives), or configs that make no common one. Nothing is written then.
    """
    if len(set(map(Path.resolve, folders))) < 2:
        raise InputError("expected at least two archives to merge")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} exists; expected a new or an empty folder")
    archives = [read_archive(folder) for folder in folders]
    rows = _merged_rows(archives)
    config = load_config(_merged_config(archives, out.resolve().name))
    provenances = [
        {"archive": archive.folder.resolve().name, **entry}
        for archive in archives
        for entry in archive.provenances
    ]
    write_scores(rows, out / SCORES)
    write_texts(out, config, provenances)


def _merged_rows(archives: list[Archive]) -> pd.DataFrame:
    parts = [a.rows.assign(**{_FOLDER: str(a.folder)}) for a in archives]
    rows = pd.concat(parts, ignore_index=True).fillna("")
    measured = [c for c in rows if c not in (*RESULT, _FOLDER)]
    first = rows.drop_duplicates(measured)
    pairs = rows.merge(first, on=measured, suffixes=("", _FIRST))
    twice = pairs[(pairs[_FOLDER] == pairs[_FOLDER + _FIRST])].duplicated([*measured, _FOLDER])
    if twice.any():
        row = pairs.loc[twice.idxmax()]
        raise InputError(f"{row[_FOLDER]}: {_named(row)} comes twice; expected one row")
    timed = pairs.metric.isin(TIMES)
    for column, differing in (
        ("value", (_number(pairs.value) != _number(pairs["value" + _FIRST])) & ~timed),
        ("draw", pairs.draw != pairs["draw" + _FIRST]),
    ):
        _refuse(pairs[differing], column)
    of_job = [c for c in measured if c not in OF_ONE_JOB]
    jobs = rows.drop_duplicates([*of_job, "status"])
    ends = jobs.merge(jobs.drop_duplicates(of_job), on=of_job, suffixes=("", _FIRST))
    _refuse(ends[ends.status != ends["status" + _FIRST]], "status")
    return first[ordered_columns(c for c in first if c != _FOLDER)]


_FOLDER, _FIRST = "archive\0", "\0first"
"""Names of columns that no scores have."""


def _refuse(pairs: pd.DataFrame, column: str) -> None:
    if pairs.empty:
        return
    row = pairs.iloc[0]
    one = f"{row[column + _FIRST]} in {row[_FOLDER + _FIRST]}"
    other = f"{row[column]} in {row[_FOLDER]}"
    more = f" (and {len(pairs) - 1} more)" if len(pairs) > 1 else ""
    raise InputError(f"two results of one cell, {_named(row)}: {column} {one}, {other}{more}")


def _named(row: pd.Series) -> str:
    """Say in words what a row measures."""
    task, experiment, source, target, k, method = (row[axis] for axis in AXES)
    parts = [task, *([experiment] if experiment != task else ())]
    parts += [f"{source} to {target}", f"k = {k}", method]
    parts += [row[c] for c in EVALUATION if row.get(c)]
    numbers = [c for c in NUMBERS if c not in ("k", "value") and row.get(c)]
    parts += [f"{c.replace('_', ' ')} {row[c]}" for c in numbers]
    return ", ".join(map(str, [*parts, row.metric]))


def _number(values: pd.Series) -> pd.Series:
    return pd.to_numeric(values.replace("", "inf"))


def _merged_config(archives: list[Archive], name: str) -> dict:
    configs = [a.plan.config.model_dump(mode="json", exclude={"data_root"}) for a in archives]
    first = configs[0]
    for archive, config in zip(archives, configs, strict=True):
        if config["seed"] != first["seed"]:
            raise InputError(
                f"the root seed is {first['seed']} in {archives[0].folder} and {config['seed']} in "
                f"{archive.folder}, by which flows of one number have other draws; expected one"
            )
    experiments: dict[str, dict] = {}
    for archive, config in zip(archives, configs, strict=True):
        for experiment in config["experiments"]:
            label = experiment["id"] or experiment["task"]
            known = experiments.setdefault(label, experiment)
            experiments[label] = _joined(label, known, experiment, archive)
    plugins = {Path(file).name: file for config in configs for file in config["plugins"]}
    return {
        **first,
        "name": name,
        "plugins": list(plugins.values()),
        "experiments": list(experiments.values()),
    }


def _joined(label: str, one: dict, other: dict, archive: Archive) -> dict:
    """Join two experiments that differ at most in one list, such as that of methods."""
    differing = [key for key in one | other if one.get(key) != other.get(key)]
    if not differing:
        return one
    key = differing[0]
    values = [one.get(key), other.get(key)]
    if len(differing) > 1 or not all(isinstance(value, list) for value in values):
        keys = ", ".join(differing)
        raise InputError(
            f"the experiment {label!r} of {archive.folder} differs from that of those before it in "
            f"{keys}: {key} is {shown(values[1])}, not {shown(values[0])}; give it another `id`"
        )
    union = {canonical_json(value): value for side in values for value in side}
    return {**one, key: list(union.values())}
