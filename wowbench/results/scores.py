"""Tidy scores: one row per measurement, gathered from records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from wowbench.errors import InputError, one_line
from wowbench.files import atomic_path
from wowbench.graph import Job
from wowbench.plan import Plan
from wowbench.results.cells import EVALUATION
from wowbench.results.columns import FIRST_COLUMNS, NUMBERS, PARTS
from wowbench.results.records import Record
from wowbench.results.run import read_run
from wowbench.settings import as_text

SCORED = ("flow", "evaluate", "distance")
"""Verbs of the jobs whose measurements are scores."""


def gather_scores(
    plan: Plan, failures: Mapping[tuple[str, str], str] | None = None
) -> pd.DataFrame:
    """Gather the measurements of all flows, evaluations and distances of a run.

    Parameters
    ----------
    plan : Plan
        Says which records belong to the run; others are left alone.
    failures : mapping of (str, str) to str, optional
        Jobs that left no record, by verb and name, with the reason.

    Returns
    -------
    DataFrame
        The columns of `wowbench.results.columns`: the first ones, those of a task's own, and, under
        dotted names, all parameters that make the cell (`wowbench.settings.scored_columns`), as
        text. Text is empty where there is nothing to say. A job whose status is not "ok" has a row
        for each of its cells: its verb as metric, no value, and its message.

    Raises
    ------
    InputError
        If a record is absent, unreadable, or of an evaluation that the plan does not have.
    """
    failures = failures or {}
    return scores_of(plan, read_run(plan.without(failures), partial=bool(failures)), failures)


def scores_of(
    plan: Plan, records: Mapping[tuple[str, str], Record], failures: Mapping[tuple[str, str], str]
) -> pd.DataFrame:
    """Gather the measurements of records: see `gather_scores`, which reads those of a run."""
    rows = []
    for (verb, name), record in records.items():
        if verb in SCORED:
            rows += _rows(plan.record(verb, name), plan.job(verb, name), record)
    for (verb, name), message in failures.items():
        rows += _valueless(plan.job(verb, name), verb, status="failed", message=message)
    return _typed(
        pd.DataFrame(
            rows, columns=ordered_columns(name for row in rows for name in row), dtype=object
        )
    )


def write_scores(scores: pd.DataFrame, path: Path) -> None:
    """Write scores as CSV."""
    with atomic_path(path) as temporary:
        scores.to_csv(temporary, index=False)


def read_scores(*paths: Path) -> pd.DataFrame:
    """Read scores, of several runs one below the other; see `gather_scores` for the columns.

    A column that a run lacks is empty there. Rows of equal cells and draws in two runs are not
    told apart: name runs of different methods or problems.

    Raises
    ------
    InputError
        If a file is absent or has not the columns of scores.
    """
    texts = pd.concat([read_texts(path) for path in paths], ignore_index=True)
    try:
        return _typed(texts.fillna(""))
    except ValueError as error:
        names = ", ".join(map(str, paths))
        raise InputError(f"scores {names}: {error}; expected the output of aggregate") from None


def read_texts(path: Path) -> pd.DataFrame:
    """Read scores as the text that their file has, empty where it has none; see `read_scores`."""
    try:
        scores = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise InputError(
            f"scores {path}: {one_line(error)}; expected the output of aggregate"
        ) from None
    missing = [column for column in FIRST_COLUMNS if column not in scores]
    if missing:
        raise InputError(f"scores {path}: the columns {', '.join(missing)} are missing")
    return scores


def _rows(path: str, job: Job, record: Record) -> list[dict]:
    shared = {
        **job.spec["axes"],
        "draw": record.inputs.get("draw", "")[:16],
        "status": record.status,
        "message": record.message,
        "device": record.provenance["device"],
        "commit": record.provenance["commit"],
    }
    if record.status != "ok":
        return _valueless(job, record.job, **shared)
    cells = {_evaluation(columns): columns for columns in job.columns}
    rows = []
    for measurement in record.measurements:
        values = measurement.model_dump()
        measured = _evaluation(values)
        if measured not in cells:
            found, *known = (" ".join(filter(None, e)) or "none" for e in (measured, *cells))
            raise InputError(
                f"record {path}: measured by the evaluation {found!r}; expected one of "
                f"{', '.join(map(repr, known))}, run that job again"
            )
        rows.append({**shared, **cells[measured], **values})
    return rows


def _evaluation(values: Mapping) -> tuple:
    return tuple(values.get(column) for column in EVALUATION)


def _valueless(job: Job, verb: str, **shared: str) -> list[dict]:
    """Rows of a job without a result, one for each of its cells."""
    missing = {"metric": verb, "value": np.nan}
    cells = {_evaluation(columns): columns for columns in job.columns}
    return [{**job.spec["axes"], **shared, **columns, **missing} for columns in cells.values()]


def ordered_columns(names: Iterable[str]) -> list[str]:
    """Order the names of columns: the first ones, a task's own, and parameters part by part."""
    names = list(dict.fromkeys(names))
    dotted = [n for part in PARTS for n in names if n.startswith(f"{part}.")]
    own = [n for n in names if n not in FIRST_COLUMNS and n not in dotted]
    return [*FIRST_COLUMNS, *own, *dotted]


def _typed(scores: pd.DataFrame) -> pd.DataFrame:
    """Give each column its type: a number's, or text without missing values."""
    columns = {}
    for name, column in scores.items():
        if name not in NUMBERS:
            columns[name] = column.map(_text).astype(str)
            continue
        try:
            columns[name] = pd.to_numeric(column.replace("", None)).astype(NUMBERS[name])
        except (TypeError, ValueError) as error:
            raise ValueError(f"column {name!r}: {error}") from None
    return pd.DataFrame(columns, index=scores.index)


def _text(value: object) -> str:
    return "" if pd.api.types.is_scalar(value) and pd.isna(value) else as_text(value)
