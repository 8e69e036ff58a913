"""JSON schemas whose repeated parts are written once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from wowbench.canonical import canonical_json

LEAST = 200
"""Characters from which on a part that comes again is written once."""

OF_NAMES = ("properties", "$defs")
"""Keywords whose value has a schema for each name."""
OF_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
"""Keywords whose value is a list of schemas."""
OF_ONE = ("items", "additionalProperties")
"""Keywords whose value may be a schema."""


def share_repeats(schema: dict[str, Any]) -> dict[str, Any]:
    """Move each part of a schema that comes more than once to ``$defs``, and refer to it.

    Parameters
    ----------
    schema : dict
        JSON schema. It is not changed.

    Returns
    -------
    dict
        A schema that accepts the same. Definitions are named by the title of the part, or by the
        constant that its name is, with a number where there are several.
    """
    counts: Counter[str] = Counter()

    def count(part: dict) -> dict:
        counts[canonical_json(part)] += 1
        return _mapped(part, count)

    _mapped(schema, count)
    defined: dict[str, dict] = {}
    names: dict[str, str] = {}

    def refer(part: dict) -> dict:
        text = canonical_json(part)
        if counts[text] < 2 or len(text) < LEAST:
            return _mapped(part, refer)
        if text not in names:
            names[text] = name = _unused(_name(part), defined.keys() | schema.get("$defs", {}))
            defined[name] = {}
            defined[name].update(_mapped(part, refer))
        return {"$ref": f"#/$defs/{names[text]}"}

    shared = _mapped(schema, refer)
    definitions = shared.pop("$defs", {}) | defined
    return {**shared, "$defs": definitions}


def _mapped(schema: dict, change: Callable[[dict], dict]) -> dict:
    """Copy a schema with its direct parts changed."""

    def one(part: Any) -> Any:
        return change(part) if isinstance(part, dict) else part

    changed = dict(schema)
    for key, value in schema.items():
        if key in OF_NAMES:
            changed[key] = {name: one(part) for name, part in value.items()}
        elif key in OF_LISTS:
            changed[key] = [one(part) for part in value]
        elif key in OF_ONE:
            changed[key] = one(value)
    return changed


def _name(part: dict) -> str:
    constant = part.get("properties", {}).get("name", {}).get("const")
    return (part.get("title") or constant or "part").replace(" ", "")


def _unused(name: str, taken: set[str]) -> str:
    number = 1
    while (numbered := name if number == 1 else f"{name}{number}") in taken:
        number += 1
    return numbered
