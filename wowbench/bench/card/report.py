"""What the measurements on a card leave: all of it as JSON, tables as CSV, and one for reading."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from wowbench.bench.card.part import Outcome, Row
from wowbench.files import write_text

RESULTS, READABLE, LOG = "results.json", "table.md", "log.txt"

COLUMNS = {
    "steps": {
        "task": "task",
        "n": "n",
        "k": "k",
        "embedding": "embedding",
        "products": "products",
        "step_ms": "step (ms)",
        "floor_ms": "floor (ms)",
        "ratio": "ratio",
        "captured": "captured",
        "peak_gib": "peak (GiB)",
    },
    "flows": {
        "method": "method",
        "k": "k",
        "flows": "flows",
        "finished": "finished",
        "steps": "steps",
        "seconds": "seconds",
        "ms_a_step": "a step (ms)",
        "held_out_loss": "end loss",
        "captured": "captured",
        "peak_gib": "peak (GiB)",
        "error": "error",
    },
    "together": {
        "method": "method",
        "k": "k",
        "flows": "flows",
        "steps": "steps",
        "in_turn_seconds": "in turn (s)",
        "at_once_seconds": "at once (s)",
        "ratio": "in turn / at once",
        "same_bits": "same bits",
        "captured": "captured",
        "at_once_peak_gib": "peak (GiB)",
    },
    "agreement": {
        "quantity": "quantity",
        "kernel": "kernel",
        "quantiles": "quantiles",
        "difference": "difference",
        "rounding": "float32 to float64",
        "repeated": "repeated",
    },
    "tests": {"summary": "tests"},
}
"""Columns of the readable tables."""


def write_results(folder: Path, head: dict, outcomes: dict[str, Outcome]) -> None:
    """Write everything known so far: files are whole at any time.

    Parameters
    ----------
    folder : Path
        Where to.
    head : dict
        Settings and provenance.
    outcomes : dict of str to Outcome
        By the name of the part.
    """
    parts = {
        name: {"status": o.status, "reason": o.reason, "seconds": o.seconds}
        for name, o in outcomes.items()
    }
    tables = gather(outcomes)
    results = {**head, "parts": parts, "tables": tables}
    write_text(folder / RESULTS, json.dumps(results, indent=1) + "\n")
    for name, rows in tables.items():
        write_text(folder / f"{name}.csv", _csv(rows))
    write_text(folder / READABLE, readable(head, outcomes))
    logs = (f"=== {name}: {o.status} {o.reason}\n{o.log}\n" for name, o in outcomes.items())
    write_text(folder / LOG, "".join(logs))


def gather(outcomes: dict[str, Outcome]) -> dict[str, list[Row]]:
    """All rows by table."""
    tables: dict[str, list[Row]] = {}
    for part, outcome in outcomes.items():
        for table, row in outcome.rows:
            tables.setdefault(table, []).append({"part": part, **row})
    return tables


def readable(head: dict, outcomes: dict[str, Outcome]) -> str:
    """Return the tables as Markdown, and below what is missing."""
    text = [f"Measured on {head['provenance']['device']} ({head['card']}).\n"]
    for name, rows in gather(outcomes).items():
        text.append(_markdown(_flows(rows) if name == "flows" else rows, COLUMNS[name]))
    for name, outcome in outcomes.items():
        if outcome.status != "done":
            text.append(f"- {name}: {outcome.status} ({outcome.reason})")
    return "\n".join(text) + "\n"


def _flows(rows: list[Row]) -> list[Row]:
    """Means over the flows of a method and k."""
    groups: dict[tuple, list[Row]] = {}
    for row in rows:
        groups.setdefault((row["method"], row["k"]), []).append(row)
    return [
        {
            "method": method,
            "k": k,
            "flows": len(group),
            "finished": sum(bool(row["finished"]) for row in group),
            **{
                name: _mean([row[name] for row in group if isinstance(row.get(name), int | float)])
                for name in ("steps", "seconds", "ms_a_step", "held_out_loss", "peak_gib")
            },
            "captured": all(row.get("captured", False) for row in group),
            "error": next((row["error"] for row in group if "error" in row), None),
        }
        for (method, k), group in groups.items()
    ]


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _markdown(rows: list[Row], columns: dict[str, str]) -> str:
    shown = {key: title for key, title in columns.items() if any(_cell(r.get(key)) for r in rows)}
    lines = [list(shown.values()), ["---"] * len(shown)]
    lines += [[_cell(row.get(key)) for key in shown] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3g}" if isinstance(value, float) else str(value).replace("|", "/")


def _csv(rows: list[Row]) -> str:
    """Comma-separated values of all columns that are no structures."""
    columns = [
        key
        for key in dict.fromkeys(key for row in rows for key in row)
        if not any(isinstance(row.get(key), dict | list) for row in rows)
    ]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
