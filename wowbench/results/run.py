"""The records of a run, each held against the job of the plan that should have written it."""

from __future__ import annotations

from pathlib import Path

from wowbench.errors import InputError
from wowbench.plan import Plan
from wowbench.results.records import Record, read_record

Records = dict[tuple[str, str], Record]


def read_run(plan: Plan, *, partial: bool = False) -> Records:
    """Read the records of all jobs of a plan.

    Parameters
    ----------
    plan : Plan
        Says which records belong to the run; others are left alone.
    partial : bool, default False
        Whether jobs without a record are left out.

    Returns
    -------
    dict of (str, str) to Record
        By verb and name, in the order of the plan.

    Raises
    ------
    InputError
        If a record is absent or unreadable, was written by another job than the plan's (naming
        record, key, what was found and what was expected), or read a file that has been written
        anew since.
    """
    records: Records = {}
    for verb, jobs in plan.jobs.items():
        for name, job in jobs.items():
            path = Path(plan.record(verb, name))
            if partial and not path.exists():
                continue
            record = read_record(path)
            record.origin.require(path, verb, job.spec)
            records[verb, name] = record
            for option, maker in job.makers.items():
                if maker in records:
                    _check_link(path, record, option, plan.record(*maker), records[maker])
    return records


def _check_link(path: Path, record: Record, option: str, maker: str, made: Record) -> None:
    """Refuse a record that read another file than the one which the job before it wrote."""
    (written,) = made.outputs.values()
    read = record.inputs.get(option, "nothing")
    if read != written:
        raise InputError(
            f"record {path}: inputs.{option} is {read[:16]}, expected {written[:16]}, which "
            f"{maker} says was written; run its {record.job} job again"
        )
