"""Reference pages, made of the code: the command line, configs, scores, and the Python API."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module

from command_line import command_line_page
from registered import config_page, kind_page

from wowbench import registry
from wowbench.listed import BASES, Listed, listed
from wowbench.results import columns
from wowbench.results.records import DISTANCE_METRICS, FLOW_METRICS

KINDS = {
    name.lower(): value
    for name, value in vars(registry).items()
    if isinstance(value, registry.Registry)
}

API = ("geometry", "functionals", "kernels", "schemes", "flows", "distances")


def reference_pages() -> Iterator[tuple[str, str]]:
    """Path and Markdown of each page."""
    yield "reference/cli.md", command_line_page()
    yield "reference/config.md", config_page()
    for kind, entries in KINDS.items():
        yield f"reference/{kind}.md", kind_page(kind, entries)
    yield "reference/reports.md", _reports_page()
    yield "reference/scores.md", _scores_page()
    for package in API:
        yield f"reference/api/{package}.md", _api_page(package)


def _scores_page() -> str:
    lines = [
        "# Columns of scores",
        "`scores.csv` of a run and of an archive has a row for each measurement. Text is empty "
        "where there is nothing to say; a number is missing there. "
        "`wowbench.results.scores.read_scores` reads it with the types below.",
        "## Columns of all runs",
        _columns_table(columns.FIRST),
        "## Columns of some tasks",
        _columns_table(columns.OWN),
        "## Parameters",
        "All parameters that make a cell, as text, in dotted columns: a cell is what agrees in all "
        "columns but the draw, the numbers of flow and training, and the measurement.",
        "| begins with | holds |\n|:---|:---|\n"
        + "\n".join(f"| `{part}.` | {meaning} |" for part, meaning in columns.PARTS.items()),
        "## Metrics",
        "What a row may have under `metric`, with the range of its value.",
        "| metric | from | to | measured by |\n|:---|---:|---:|:---|",
    ]
    return "\n\n".join(lines) + "\n" + "\n".join(_metric_rows()) + "\n"


def _columns_table(entries: tuple[columns.Column, ...]) -> str:
    rows = [f"| `{name}` | {dtype} | {meaning} |" for name, meaning, dtype in entries]
    return "| column | type | a row's value |\n|:---|:---|:---|\n" + "\n".join(rows)


def _metric_rows() -> Iterator[str]:
    measured = {"every flow": FLOW_METRICS, "every distance": DISTANCE_METRICS}
    for name in registry.EVALUATORS.names():
        measured[f"evaluator `{name}`"] = registry.EVALUATORS.get(name).metrics
    for name in registry.METHODS.names():
        anything = (float("-inf"), float("inf"))
        measured[f"method `{name}`"] = dict.fromkeys(registry.METHODS.get(name).metrics, anything)
    found: dict[tuple, list[str]] = {}
    for who, metrics in measured.items():
        for metric, limits in metrics.items():
            found.setdefault((metric, *limits), []).append(who)
    for (metric, low, high), who in found.items():
        yield f"| `{metric}` | {low:g} | {high:g} | {', '.join(who)} |"


def _reports_page() -> str:
    lines = [
        "# Tables and figures",
        "What tasks make of a run's scores, with their captions. An experiment adds others by "
        "import path, under `reports`.",
    ]
    for package, base in (
        ("wowbench.results.tables", "Tables"),
        ("wowbench.figures", "Figures and animations"),
    ):
        lines.append(f"## {base}")
        for found in _reports_of(package):
            lines += [f"### {found.name}", f"`{found.path}`", found.caption]
    return "\n\n".join(lines) + "\n"


def _reports_of(package: str) -> Iterator[Listed]:
    """Find the table or figure of each module of a package that has one."""
    for module in pkgutil.iter_modules(import_module(package).__path__):
        name = f"{package}.{module.name}"
        for value in vars(import_module(name)).values():
            own = isinstance(value, type) and value.__module__ == name
            if own and value.__name__[0] != "_" and issubclass(value, _report_bases()):
                yield listed(f"{name}:{value.__name__}")


def _report_bases() -> tuple[type, ...]:
    return tuple(BASES.values())


def _api_page(package: str) -> str:
    path = f"wowbench.{package}"
    module = import_module(path)
    names = ", ".join(f"`{name}`" for name in getattr(module, "__all__", ()))
    parts = [f"# {path}", f"::: {path}\n    options: {{members: false}}"]
    if names:
        parts.append(f"Importable from `{path}` itself: {names}.")
    parts += [
        f"## {found.name}\n\n::: {path}.{found.name}"
        for found in pkgutil.iter_modules(module.__path__)
    ]
    return "\n\n".join(parts) + "\n"
