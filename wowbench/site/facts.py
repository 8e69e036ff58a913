"""What a run was made with and what it cost, in tables for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from wowbench.results.records import Record

MIB = 2**20


def surroundings(provenances: Iterable[Mapping]) -> dict[str, str]:
    """Name what results were made with; where jobs differ, all there is.

    Parameters
    ----------
    provenances : iterable of mapping
        As records have them, or `wowbench.results.archive.provenances`.

    Returns
    -------
    dict of str to str
        By what it is: "device", "processor", "threads a job", "versions", "code" (with its commit,
        and whether it had changes that no commit has), "system" and "written". Empty where there
        are no provenances.
    """
    entries = list(provenances)
    if not entries:
        return {}
    written = [
        str(entry[key])
        for entry in entries
        for key in ("written", "first_written", "last_written")
        if entry.get(key)
    ]
    return {
        "device": _all(entries, _device),
        "processor": _all(entries, lambda e: f"{e.get('processor')}, {e.get('cores')} cores"),
        "threads a job": _all(entries, lambda e: e.get("threads")),
        "versions": _all(entries, _versions),
        "code": _all(entries, _code),
        "system": _all(entries, lambda e: e.get("system")),
        "written": _period(written),
    }


def costs(records: Iterable[tuple[str, Record]]) -> pd.DataFrame:
    """Sum what jobs cost, by verb and method.

    Parameters
    ----------
    records : iterable of (str, Record)
        Verb and record of each job.

    Returns
    -------
    DataFrame
        Columns job, method, device, jobs, seconds, core-seconds (seconds times the threads of the
        job), "longest (s)" and "memory (MiB)" (the most of any job). The last row has the sums.
    """
    rows = [
        {
            "job": verb,
            "method": str(record.spec["axes"].get("method") or ""),
            "device": record.provenance.get("device", ""),
            "seconds": record.seconds,
            "core-seconds": record.seconds * (record.provenance.get("threads") or 1),
            "memory": record.peak_memory_bytes,
        }
        for verb, record in records
    ]
    columns = ["job", "method", "device", "jobs", "seconds", "core-seconds"]
    columns += ["longest (s)", "memory (MiB)"]
    if not rows:
        return pd.DataFrame(columns=columns)
    table = pd.DataFrame(rows)
    summed = _summed(table.groupby(["job", "method", "device"], sort=False)).reset_index()
    total = _summed(table.groupby(lambda _: 0)).assign(job="all", method="", device="")
    return pd.concat([summed, total])[columns].reset_index(drop=True)


def _summed(groups) -> pd.DataFrame:
    seconds = groups["seconds"]
    return pd.DataFrame(
        {
            "jobs": seconds.size(),
            "seconds": seconds.sum().round(1),
            "core-seconds": groups["core-seconds"].sum().round(1),
            "longest (s)": seconds.max().round(1),
            "memory (MiB)": (groups["memory"].max() / MIB).round(),
        }
    )


def _all(entries: list[Mapping], describe) -> str:
    """Describe all entries, each thing once; what has no description is left out."""
    found = dict.fromkeys(text for entry in entries if (text := str(describe(entry) or "")))
    return "; ".join(found) or "unknown"


def _device(entry: Mapping) -> str:
    driver = entry.get("driver")
    return f"{entry['device']} (driver {driver})" if driver else entry["device"]


def _versions(entry: Mapping) -> str:
    packages = {"Python": entry.get("python"), **(entry.get("packages") or {})}
    return ", ".join(f"{name} {version}" for name, version in packages.items() if version)


def _code(entry: Mapping) -> str:
    version = f"wowbench {entry.get('wowbench')}"
    if not entry.get("commit"):
        return f"{version}, outside of a repository"
    changes = " with uncommitted changes" if entry.get("dirty") else ""
    return f"{version}, commit {entry['commit'][:12]}{changes}"


def _period(written: list[str]) -> str:
    """First and last of some times, as "2026-11-26 13:14 to 13:25 UTC"."""
    if not written:
        return "unknown"
    (day, first), (last_day, last) = (
        (time[:10], time[11:16]) for time in (min(written), max(written))
    )
    if (day, first) == (last_day, last):
        return f"{day} {first} UTC"
    return f"{day} {first} to {'' if day == last_day else f'{last_day} '}{last} UTC"
