"""What of a run is done, has failed, runs now or is out of date, from its records and logs."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

import psutil

from wowbench.errors import InputError
from wowbench.graph import Job
from wowbench.plan import Plan
from wowbench.results.records import Record, read_record
from wowbench.results.salvage import failure

State = Literal["done", "out of date", "failed", "running", "begun", "waiting"]
STATES: tuple[State, ...] = ("done", "running", "failed", "begun", "out of date", "waiting")
"""In the order of tables; see `job_states` for what they mean."""

MOST = 10
"""Jobs of a state that are named one by one."""


@dataclass(frozen=True)
class JobState:
    """How far a job is.

    Attributes
    ----------
    state : str
        One of `STATES`.
    note : str
        Why it failed, how far it is, or in what it is out of date; the status of a job that is done
        where that is not "ok".
    """

    state: State
    note: str = ""


def job_states(plan: Plan) -> dict[tuple[str, str], JobState]:
    """Say of each job of a run how far it is.

    Parameters
    ----------
    plan : Plan
        The run, in the working directory.

    Returns
    -------
    dict of (str, str) to JobState
        By verb and name. "done" has a record of the plan's spec and the files that belong to it;
        "out of date" has those of another spec, or read a file that is no longer there as it was;
        "running" is a process on this machine; "failed" left a log that ends in an error; "begun"
        left a log without one, so that it was stopped, or runs on another machine; "waiting" has
        left nothing. Whether the code has changed since is for Snakemake to say.
    """
    running = set(_running(plan))
    records: dict[tuple[str, str], Record] = {}
    states = {}
    for verb, jobs in plan.jobs.items():
        for name, job in jobs.items():
            path = Path(plan.record(verb, name))
            if (verb, name) in running:
                states[verb, name] = JobState("running", _last_line(plan, verb, name))
            elif path.exists():
                states[verb, name] = _recorded(plan, verb, name, job, records)
            else:
                states[verb, name] = _unrecorded(plan, verb, name, job)
    return states


def _recorded(
    plan: Plan, verb: str, name: str, job: Job, records: dict[tuple[str, str], Record]
) -> JobState:
    """Hold a record against the plan and against the records of what it read."""
    path = Path(plan.record(verb, name))
    try:
        record = read_record(path)
        record.origin.require(path, verb, job.spec)
    except InputError as error:
        return JobState("out of date", str(error))
    for output in job.outputs.values():
        if not Path(output).exists():
            return JobState("out of date", f"{output} is gone")
    for option, maker in job.makers.items():
        if maker in records and record.inputs.get(option) not in records[maker].outputs.values():
            return JobState("out of date", f"{job.inputs[option]} was written anew since")
    records[verb, name] = record
    return JobState("done", "" if record.status == "ok" else f"{record.status}: {record.message}")


def _unrecorded(plan: Plan, verb: str, name: str, job: Job) -> JobState:
    """Read from a log what became of a job without a record."""
    log = _log(plan, verb, name)
    if not log.exists():
        return JobState("waiting")
    text = log.read_text(errors="replace")
    last = _last_line(plan, verb, name)
    if "Traceback (most recent call last)" in text or last.startswith(f"wowbench {verb}: error"):
        together = len(plan.process_of(verb, name))
        return JobState("failed", failure(log, plan.record(verb, name), together))
    minutes = (time.time() - log.stat().st_mtime) / 60
    checkpoints = [Path(path).with_suffix(".checkpoint") for path in job.outputs.values()]
    kept = "; it goes on from a checkpoint" if any(path.exists() for path in checkpoints) else ""
    return JobState("begun", f"last sign {minutes:.0f} minutes ago: {last or 'its start'}{kept}")


def _running(plan: Plan) -> Iterator[tuple[str, str]]:
    """Jobs of the run that processes on this machine are at, by the file that they write."""
    writes = {}
    for verb, jobs in plan.jobs.items():
        for name, job in jobs.items():
            out = next(iter(job.outputs.values()), plan.record(verb, name))
            writes[str(Path(out).resolve())] = verb, name
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
            if "--spec" not in words:
                continue
            given = [after for word, after in pairwise(words) if word == "--out"]
            outs = [str(Path(process.cwd(), out).resolve()) for out in given]
        except psutil.Error:
            continue
        yield from (writes[out] for out in outs if out in writes)


def _log(plan: Plan, verb: str, name: str) -> Path:
    return Path(plan.log(verb, plan.process_of(verb, name)))


def _last_line(plan: Plan, verb: str, name: str) -> str:
    log = _log(plan, verb, name)
    lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    return lines[-1] if lines else ""


def describe(plan: Plan) -> str:
    """Write the states of a run's jobs for people: a table, and what is worth a line."""
    import pandas as pd

    states = job_states(plan)
    counts: dict[tuple[str, str], Counter] = {}
    for (verb, name), found in states.items():
        experiment = plan.job(verb, name).spec["axes"].get("experiment", "")
        counts.setdefault((experiment, verb), Counter())[found.state] += 1
    shown = [state for state in STATES if any(count[state] for count in counts.values())]
    rows = [
        {"experiment": experiment, "jobs": verb, **{state: count[state] or "" for state in shown}}
        for (experiment, verb), count in counts.items()
    ]
    table = pd.DataFrame(rows).to_markdown(index=False)
    total = Counter(found.state for found in states.values())
    said = ", ".join(f"{total[state]} {state}" for state in shown)
    lines = [table, "", f"{plan.config.name}: {len(states)} jobs, {said}"]
    for state in STATES:
        named = [(job, found.note) for job, found in states.items() if found.state == state]
        lines += _named(state, [entry for entry in named if entry[1]])
    lines += [f"{plan.path('', 'scores.csv')} is {_scores(plan)}"]
    return "\n".join(lines)


def _named(state: str, jobs: list[tuple[tuple[str, str], str]]) -> list[str]:
    lines = [f"{state}: {verb} {name}: {note}" for (verb, name), note in jobs[:MOST]]
    return lines + ([f"{state}: and {len(jobs) - MOST} more"] if len(jobs) > MOST else [])


def _scores(plan: Plan) -> str:
    """Whether the scores are there, and newer than the records."""
    scores = Path(plan.path("", "scores.csv"))
    if not scores.exists():
        return "not there"
    times = [path.stat().st_mtime for path in map(Path, plan.records(*plan.jobs)) if path.exists()]
    late = [time for time in times if time > scores.stat().st_mtime]
    return f"older than {len(late)} records" if late else "there"
