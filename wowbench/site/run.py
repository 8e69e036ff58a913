"""The page of one run: what was run, how much of the paper agrees, and every table and figure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import pandas as pd
import yaml

from wowbench.listed import Listed
from wowbench.plan import Plan
from wowbench.results.archive import provenances
from wowbench.results.cells import AXES, EVALUATION
from wowbench.results.run import Records, read_run
from wowbench.results.salvage import missing_jobs
from wowbench.results.scores import gather_scores
from wowbench.results.verdict_page import read_verdicts, verdict_line
from wowbench.results.verdicts import is_off
from wowbench.site.agreement import agreement
from wowbench.site.facts import costs, surroundings
from wowbench.site.measured import measured
from wowbench.site.page import relative, write_page
from wowbench.site.reports import Section, pictures, sections
from wowbench.site.tables import Link, Links

CONFIG_FIELDS = {"data_root"}
"""What no result depends on, and the page leaves out."""


def write_run_page(
    plan: Plan,
    out: Path,
    folder: Path | None = None,
    finished: Collection[str] | None = None,
) -> None:
    """Write the page of a run, finished or not.

    Parameters
    ----------
    plan : Plan
        The run.
    out : Path
        HTML file to write. The page holds all that it shows; its links lead to records, logs,
        tables and scores, by their place beside it.
    folder : Path, optional
        Where tables and figures are; the folder of the run where absent.
    finished : collection of str, optional
        Files that are up to date; records that are not among them do not count. Where absent, all
        records count.

    Raises
    ------
    InputError
        If a record that counts is unreadable, or another job's.
    """
    failed = missing_jobs(plan, finished)
    done = plan.without(failed)
    records = read_run(done, partial=True)
    scored = any(verb in ("evaluate", "distance") for verb, _ in records)
    scores = gather_scores(plan, failed) if scored else None
    folder = folder or plan.root
    made_with = provenances(records.values())
    write_page(
        "run.html",
        out,
        name=plan.config.name,
        experiments=[
            {"label": e.label, "task": e.name, "summary": e.summary}
            for e in plan.config.experiments
        ],
        jobs=_jobs(plan, records),
        failures=_failures(plan, failed, out),
        missing=_missing(plan, folder),
        facts=surroundings(made_with),
        agreement=agreement(scores, _record_links(plan, records, out)) if scored else None,
        check=_check(folder / "check.csv", out),
        tables=_sections(plan, scores, folder, out) if scored else [],
        figures=pictures([*plan.figures.values(), *plan.animations.values()], folder),
        measured=measured(plan, records, out),
        costs=costs((verb, record) for (verb, _), record in records.items()),
        config=yaml.safe_dump(
            plan.config.model_dump(mode="json", exclude=CONFIG_FIELDS), sort_keys=False
        ),
        provenances=made_with,
        scores=relative(folder / "scores.csv", out) if (folder / "scores.csv").exists() else "",
    )


def _jobs(plan: Plan, records: Records) -> pd.DataFrame:
    """Count the jobs of each verb: planned, with a record, and how many ended without a result."""
    rows = []
    for verb, jobs in plan.jobs.items():
        found = [records[verb, name] for name in jobs if (verb, name) in records]
        if jobs:
            ended = sum(record.status != "ok" for record in found)
            rows.append((verb, len(jobs), len(found), ended))
    return pd.DataFrame(rows, columns=["job", "planned", "done", "diverged or refused"])


def _failures(plan: Plan, failed: dict[tuple[str, str], str], out: Path) -> pd.DataFrame:
    """List the jobs that have no record, with the last line of their logs."""
    rows = []
    for (verb, name), message in failed.items():
        log = Path(plan.log(verb, plan.process_of(verb, name)))
        shown = Link(name, relative(log, out)) if log.exists() else name
        rows.append((verb, shown, message))
    return pd.DataFrame(rows, columns=["job", "name", "what it said last"])


def _missing(plan: Plan, folder: Path) -> list[str]:
    """Files of the run that its tables and figures should have written."""
    return [one.file for one in plan.reports if not (folder / one.file).exists()]


def _check(path: Path, out: Path) -> dict | None:
    """Say what the check against expected means found; None where there is none."""
    if not path.exists():
        return None
    table = read_verdicts(path)
    return {"said": verdict_line(table), "off": is_off(table).any(), "file": relative(path, out)}


def _sections(plan: Plan, scores: pd.DataFrame, folder: Path, out: Path) -> list[Section]:
    def files(one: Listed) -> list[Link]:
        paths = [(folder / one.file).with_suffix(f".{s}") for s in one.base.suffixes]
        return [Link(p.suffix[1:], relative(p, out)) for p in paths if p.exists()]

    return sections(plan.tables.values(), scores, files)


def _record_links(plan: Plan, records: Records, out: Path) -> Callable[[pd.Series], Links]:
    """Return a function that links a cell to the records of its evaluations, flow by flow."""
    found: dict[tuple, list[str]] = {}
    for verb, name in records:
        if verb == "evaluate":
            job = plan.job(verb, name)
            for columns in job.columns:
                key = _cell_key({**job.spec["axes"], **columns})
                found.setdefault(key, []).append(relative(plan.record(verb, name), out))

    def links(row: pd.Series) -> Links:
        addresses = found.get(_cell_key(row), [])
        return Links([Link(str(i), address) for i, address in enumerate(addresses, 1)])

    return links


def _cell_key(row: Mapping) -> tuple:
    return tuple(str(row.get(column) or "") for column in ("experiment", *AXES, *EVALUATION))
