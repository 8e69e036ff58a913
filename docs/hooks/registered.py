"""Pages of what a config may have: fields of the models, with the words of their docstrings."""

from __future__ import annotations

import html
import inspect
import json
import re
import types
import typing
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from griffe import Docstring, DocstringSectionKind
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from wowbench.config import Config
from wowbench.parameters import FromRegistry, Parameters
from wowbench.registry import Registry

SAID_OF_KIND = {
    "method": {"label_rule": "labels", "published_as": "published results of"},
    "dataset": {"licence": "terms of the data"},
    "distance": {"bias": "not 0 from itself"},
}
"""Attributes of a class that its section names, with words for them."""

LIMITS = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}

SEE_BASE = re.compile(r"^As (of|in|for) `")
"""Beginning of a description that refers to that of a base class."""

WORDS = {
    int: "integer",
    float: "number",
    str: "text",
    bool: "true or false",
    Path: "path",
    types.NoneType: "null",
}


def config_page() -> str:
    """Markdown of the page of a config's own fields."""
    parts = [
        "# Config",
        "A config is a YAML file. An unknown key, a value out of range and a name that is not "
        "registered are errors of one line. [`workflow/schemas/config.schema.json`]"
        "(../repository/workflow/schemas/config.schema.json) is the JSON schema for editors.",
        "A registered class is its name, or a mapping with its name and its parameters. Without a "
        "name the mapping changes parameters of the field's default: `scheme: {lr: 0.5}`.",
        *_described(Config, level=2, heading="Fields"),
        *_described_inside([Config]),
    ]
    return "\n\n".join(parts) + "\n"


def kind_page(kind: str, entries: Registry) -> str:
    """Markdown of the page of all registered classes of a kind."""
    parts = [f"# {kind.title()}", f"`wowbench list {kind}` lists these names."]
    names = [(name, entries.get(name)) for name in entries.names()]
    rows = "\n".join(f"| [`{n}`](#{n.lower()}) | {_cell(cls.summary)} |" for n, cls in names)
    parts.append(f"| name | what |\n|:---|:---|\n{rows}")
    for name, cls in names:
        parts += _described(cls, level=2, heading=name, said=SAID_OF_KIND.get(entries.kind, {}))
    parts += _described_inside([cls for _, cls in names])
    return "\n\n".join(parts) + "\n"


def _described(
    cls: type[Parameters], *, level: int, heading: str, said: dict[str, str] | None = None
) -> Iterator[str]:
    """Heading, prose and table of the fields of a class."""
    yield f"{'#' * level} {heading}"
    for section in _sections(cls):
        if section.kind is DocstringSectionKind.text:
            yield section.value
    for attribute, words in (said or {}).items():
        value = getattr(cls, attribute, None)
        if value and isinstance(value, str):
            yield f"{words[0].upper()}{words[1:]}: {value}."
    for reports in ("tables", "figures"):
        if getattr(cls, reports, None):
            yield f"{reports.title()}: {_report_names(getattr(cls, reports))}."
    rows = [
        f"| `{name}` | {_type(field.annotation, field.metadata)} | {_default(field)} | "
        f"{_cell(_meaning(cls, name))} |"
        for name, field in cls.model_fields.items()
    ]
    if rows:
        yield "| field | type | default | meaning |\n|:---|:---|:---|:---|\n" + "\n".join(rows)


def _report_names(paths: tuple[str, ...]) -> str:
    """Names of tables or figures, with a link to their page."""
    names = (path.partition(":")[0].rpartition(".")[2] for path in paths)
    return ", ".join(f"[`{name}`](reports.md)" for name in names)


def _described_inside(classes: list[type[Parameters]]) -> Iterator[str]:
    """Sections of the classes of parameters that fields of classes have, each once."""
    for inner in dict.fromkeys(inner for cls in classes for inner in _inner(cls)):
        yield from _described(inner, level=2, heading=inner.__name__)


def _sections(cls: type) -> list:
    text = inspect.cleandoc(vars(cls).get("__doc__") or "")
    # Fields are no arguments of a signature, of which the parser would warn.
    return Docstring(text).parse("numpy", warnings=False)


def _meaning(cls: type, field: str) -> str:
    """Return what the docstring of a class, or the nearest base with words of its own, says."""
    last = ""
    for base in cls.__mro__:
        found = _parameters(base).get(field)
        if found and not SEE_BASE.match(found):
            return found
        last = last or found or ""
    return last


@cache
def _parameters(cls: type) -> dict[str, str]:
    return {
        name.strip(): item.description
        for section in _sections(cls)
        if section.kind is DocstringSectionKind.parameters
        for item in section.value
        for name in item.name.split(",")
    }


def _type(annotation: typing.Any, metadata: typing.Iterable = ()) -> str:
    """Spell out a type, with the limits and registries among its metadata."""
    for entry in metadata:
        if isinstance(entry, FromRegistry):
            kind = entry.registry.kind
            return f"[{kind}]({kind}s.md)"
    limits = [
        f"{sign} {_number(getattr(entry, key))}"
        for entry in _flat(metadata)
        for key, sign in LIMITS.items()
        if getattr(entry, key, None) is not None
    ]
    return _plain(annotation) + (f" ({', '.join(limits)})" if limits else "")


def _plain(annotation: typing.Any) -> str:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _type(arguments[0], arguments[1:])
    if origin is typing.Literal:
        return " or ".join(f"`{json.dumps(value)}`" for value in arguments)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_plain(part) for part in arguments)
    if origin in (list, tuple):
        return f"list of {_plain(arguments[0])}"
    if origin is dict:
        return f"mapping of {_plain(arguments[0])} to {_plain(arguments[1])}"
    if isinstance(annotation, type) and issubclass(annotation, Parameters):
        return f"mapping, see [{annotation.__name__}](#{annotation.__name__.lower()})"
    return WORDS.get(annotation, html.escape(str(annotation)))


def _flat(metadata: typing.Iterable) -> Iterator:
    for entry in metadata:
        if isinstance(entry, FieldInfo):
            yield from entry.metadata
        else:
            yield entry


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) and value < 10**9 else f"{value:g}"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "*required*"
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined:
        return ""
    if isinstance(value, Parameters):
        value = {"name": getattr(value, "name", None)} | value.model_dump(mode="json")
        value = {key: item for key, item in value.items() if key != "name" or item}
    elif isinstance(value, list | tuple):
        value = [item.name if isinstance(item, Parameters) else item for item in value]
    return f"`{json.dumps(value, default=str)}`"


def _inner(cls: type[Parameters]) -> Iterator[type[Parameters]]:
    """Classes of parameters in fields that are no registered ones."""
    for field in cls.model_fields.values():
        if not any(isinstance(entry, FromRegistry) for entry in field.metadata):
            yield from _inner_of(field.annotation)


def _inner_of(annotation: typing.Any) -> Iterator[type[Parameters]]:
    arguments = typing.get_args(annotation)
    if any(isinstance(entry, FromRegistry) for entry in arguments):
        return
    for part in arguments:
        yield from _inner_of(part)
    if isinstance(annotation, type) and issubclass(annotation, Parameters):
        yield annotation


def _cell(text: str) -> str:
    """Text for a cell of a table: one line, without what would end it."""
    return " ".join(text.split()).replace("|", "\\|")
