"""What a run that failed leaves: tables and figures of the jobs that ended well."""

from __future__ import annotations

import logging
from collections.abc import Collection
from pathlib import Path

from wowbench.jobs.together import FAILURE
from wowbench.plan import Plan
from wowbench.results.scores import SCORED, gather_scores, read_scores, write_scores

logger = logging.getLogger(__name__)

NOT_RUN = "not run"
NOT_KEPT = "not kept, since another job of its process failed"


def salvage(plan: Plan, finished: Collection[str] | None = None) -> Path | None:
    """Write scores, tables and figures of a run of which some jobs failed.

    They are written to the folder ``partial`` of the run, which never passes for a finished one. A
    job without a result has a row in the scores: status "failed", and the last line of its log, or
    "not run".

    Parameters
    ----------
    plan : Plan
        The run.
    finished : collection of str, optional
        Files that are up to date; records that are not among them do not count. Where absent, all
        records count.

    Returns
    -------
    Path or None
        The folder; None where no job failed, or no evaluation and no distance has a result.

    Raises
    ------
    InputError
        If a record that counts is unreadable.
    """
    failures = missing_jobs(plan, finished)
    scored = [
        name
        for verb in ("evaluate", "distance")
        for name in plan.jobs[verb]
        if (verb, name) not in failures
    ]
    if not failures or not scored:
        return None
    part = plan.without(failures)
    folder = Path(plan.path("partial", ""))
    write_scores(gather_scores(plan, failures), folder / "scores.csv")
    scores = read_scores(folder / "scores.csv")
    for report in plan.reports:
        report.load().write(scores, folder / report.file, part)
    _report(failures, folder)
    return folder


def missing_jobs(plan: Plan, finished: Collection[str] | None = None) -> dict[tuple[str, str], str]:
    """Why each job that is scored, or a training, has no result, by verb and name.

    It is the last line of its log, or `NOT_RUN`. See `salvage` for `finished`.
    """
    failures = {}
    for verb in ("train", *SCORED):
        for names in plan.batches(verb):
            log = Path(plan.log(verb, names))
            for name in names:
                record = plan.record(verb, name)
                exists = Path(record).exists()
                if not exists or (finished is not None and record not in finished):
                    # A job that failed has no record; one beside a log is from an earlier run.
                    failures[verb, name] = NOT_RUN if exists else failure(log, record, len(names))
    return failures


def failure(log: Path, record: str, together: int) -> str:
    """Say why a job of a process has no record: its own line of the log, or the last one."""
    if not log.exists():
        return NOT_RUN
    lines = log.read_text(errors="replace").strip().splitlines()
    if together > 1:
        own = f"{record}: {FAILURE}"
        found = [line.removeprefix(own) for line in lines if line.startswith(own)]
        if found:
            return found[-1]
        if any(f".json: {FAILURE}" in line for line in lines):
            return NOT_KEPT
    return lines[-1] if lines else "ended without a message"


def _report(failures: dict[tuple[str, str], str], folder: Path) -> None:
    for (verb, name), message in failures.items():
        if message not in (NOT_RUN, NOT_KEPT):
            logger.warning("%s %s failed: %s", verb, name, message)
    logger.warning(
        "%d jobs have no result; the rest is in %s, with a row for each that is scored",
        len(failures),
        folder,
    )
