"""The parameters behind a row of the scores, as text, and where they are not the published ones."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from wowbench.registry import METHODS

if TYPE_CHECKING:
    from wowbench.datasets.base import Dataset
    from wowbench.distances.base import Distance
    from wowbench.evaluators.base import Evaluator
    from wowbench.methods.base import Method
    from wowbench.parameters import Parameters
    from wowbench.tasks.base import Draw, Task


def as_text(value: object) -> str:
    """Write a value of JSON: text as it is, nothing as "", lists as JSON, all else as in Python."""
    if value is None:
        return ""
    if isinstance(value, list | tuple | Mapping):
        return json.dumps(value, sort_keys=True)
    return str(value)


def flattened(values: Mapping[str, Any], prefix: str) -> dict[str, str]:
    """Write nested values as text, under names that are joined by dots.

    Parameters
    ----------
    values : mapping
        Values of JSON types; a mapping's own entries get its name and a dot before theirs.
    prefix : str
        What every name begins with.

    Returns
    -------
    dict of str to str
    """
    flat = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= flattened(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = as_text(value)
    return flat


def bundled_suffix(source: str, target: str) -> str:
    """Name the side that is bundled, from the texts of both sides' `bundled`; "" where none is."""
    sides = {"source": source == "True", "target": target == "True"}
    if all(sides.values()):
        return "bundled"
    return next((f"{side} bundled" for side, bundled in sides.items() if bundled), "")


def scored_columns(
    task: Task, method: Method, draw: Draw, k: int, evaluator: Evaluator | None = None
) -> dict[str, str]:
    """Columns that a row of the scores has beside its axes.

    Parameters
    ----------
    task, method
        The experiment, and the method that solves the cell.
    draw : Draw
        A draw of the cell, for its datasets.
    k : int
        The cell's value of that axis.
    evaluator : Evaluator, optional
        What scores the flow, for rows of an evaluation.

    Returns
    -------
    dict of str to str
        ``algorithm`` (the method's registered name), ``departures``, those by which the evaluator
        tells its rows from another's (``protocol``, ``budget``), and all parameters under
        ``task.``, ``source.``, ``target.``, ``protocol.`` and ``method.``.
    """
    protocol = evaluator.protocol if evaluator else None
    parts = {
        "task": (task.settings(), task.published_settings()),
        "source": _dataset(draw.source),
        "target": _dataset(draw.target),
        "protocol": _beside_defaults(protocol, {"name"}) if protocol else ({}, {}),
        "method": (
            method.model_dump(mode="json", exclude={"id"}),
            METHODS.get(method.published_as or method.name).published_settings(task.name, k),
        ),
    }
    return _columns(task, method.name, evaluator.columns() if evaluator else {}, parts)


def distance_columns(
    task: Task, distance: Distance, source: Dataset, target: Dataset
) -> dict[str, str]:
    """Columns that a row of the scores of a distance has beside its axes.

    Parameters
    ----------
    task, distance
        The experiment, and the distance that is measured.
    source, target : Dataset
        What it is measured between.

    Returns
    -------
    dict of str to str
        As from `scored_columns`; the parameters of the distance are under ``method.``.
    """
    parts = {
        "task": (task.settings(), task.published_settings()),
        "source": _dataset(source),
        "target": _dataset(target),
        "method": (distance.model_dump(mode="json"), {}),
    }
    return _columns(task, distance.name, {}, parts)


def _columns(
    task: Task, algorithm: str, own: dict[str, str], parts: dict[str, tuple[dict, dict]]
) -> dict[str, str]:
    """Put the parameters of each part, and where they are not the published ones, into columns."""
    columns = {"algorithm": algorithm, "departures": "", **own}
    published = {}
    for part, (values, known) in parts.items():
        columns |= flattened(values, f"{part}.")
        published |= flattened(known, f"{part}.")
    if task.has_published_scores:
        columns["departures"] = "; ".join(departures(columns, published))
    return columns


def _dataset(dataset: Dataset) -> tuple[dict, dict]:
    values, known = _beside_defaults(dataset, {"id", "name"})
    del known["bundled"]  # said in words of its own
    return _without_paths(values), _without_paths(known)


def _without_paths(values: Mapping) -> dict:
    """Leave out where a machine has the files, also of a dataset inside another one."""
    return {
        key: _without_paths(value) if isinstance(value, Mapping) else value
        for key, value in values.items()
        if key != "path"
    }


def _beside_defaults(parameters: Parameters, but: set[str]) -> tuple[dict, dict]:
    return (
        parameters.model_dump(mode="json", exclude=but),
        type(parameters).defaults(but),
    )


def departures(columns: Mapping[str, str], published: Mapping[str, str]) -> Iterator[str]:
    """Say in words where parameters are not as published: the method's first, bundled last.

    Parameters
    ----------
    columns : mapping of str to str
        Parameters of a cell, under their dotted names. Of another kernel or scheme than the
        published one the name says enough.
    published : mapping of str to str
        The published ones.

    Yields
    ------
    str
        For example "steps 1500, not 5000".
    """
    others = [
        name.removesuffix("name")
        for name in published
        if name.endswith(".name") and columns.get(name, published[name]) != published[name]
    ]
    for name in sorted(published, key=lambda name: not name.startswith("method.")):
        value = columns.get(name) or published[name]
        is_of_another = name.startswith(tuple(others)) and not name.endswith(".name")
        if value != published[name] and not is_of_another:
            yield f"{spoken_name(name)} {spoken(value)}, not {spoken(published[name])}"
    bundled = bundled_suffix(columns["source.bundled"], columns["target.bundled"])
    if bundled:
        yield bundled


def spoken_name(column: str) -> str:
    """Name of a parameter for people: the side of a dataset's is kept, other parts are not."""
    part, name = column.removesuffix(".name").split(".", 1)
    return f"{part} {name}" if part in ("source", "target") else name


def spoken(text: str) -> str:
    """Write a parameter's text for people: lists without brackets, yes or no, nothing as "none"."""
    if text.startswith("["):
        text = ", ".join(as_text(item) for item in json.loads(text))
    return {"": "none", "True": "yes", "False": "no"}.get(text, text)
