"""YAML and JSON of configs, without what misleads: keys that come twice or are no text, bombs."""

import json
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from wowbench.errors import InputError, shown

MAX_BYTES = 10**6
MAX_NODES = 100_000
"""Most keys, values and lists of a config, those that aliases repeat included."""

_TEXT, _MERGE = "tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"


class _Loader(yaml.SafeLoader):
    """Refuses, before anything is built, what a config has no use for."""

    def __init__(self, stream: bytes):
        super().__init__(stream)
        self.count = 0
        self.sizes: dict[int, int] = {}

    def compose_node(self, parent: Any, index: Any) -> yaml.Node:
        """Count nodes as if aliases were written out, which takes no such long time."""
        line = self.peek_event().start_mark.line + 1
        before, alias = self.count, self.check_event(yaml.AliasEvent)
        self.count += not alias
        node = super().compose_node(parent, index)
        if not alias:
            self.sizes[id(node)] = self.count - before
        elif id(node) not in self.sizes:
            raise InputError(f"line {line}: an alias stands inside of what it stands for")
        else:
            self.count += self.sizes[id(node)]
        if self.count > MAX_NODES:
            raise InputError(
                f"line {line}: with its aliases written out it has over {MAX_NODES:,} keys and "
                "values; expected fewer"
            )
        return node

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """Check the keys as they are written, before `<<` adds those of other mappings."""
        node = super().compose_mapping_node(anchor)
        for key, _ in node.value:
            if key.tag not in (_TEXT, _MERGE):
                raise InputError(
                    f"line {key.start_mark.line + 1}: the key {shown(key.value)} is no text; "
                    "put it in quotes if it is meant as text"
                )
        twice = _first_repeated(key.value for key, _ in node.value)
        if twice is not None:
            line = max(key.start_mark.line for key, _ in node.value if key.value == twice) + 1
            raise InputError(f"line {line}: the key {shown(twice)} comes twice; keep one of them")
        return node


def read_yaml(path: str | Path) -> dict[str, Any]:
    """Read a YAML or JSON file that holds a mapping with text as keys.

    Parameters
    ----------
    path : path-like
        File of a config.

    Raises
    ------
    InputError
        In one line: for a file that is absent, too large or no YAML, that holds no mapping, in
        which a key comes twice or is no text, or that has too many values once aliases are
        written out. A key beside ``<<`` may stand in for a merged one.
    """
    name = str(path) if len(str(path)) <= 250 and str(path).isprintable() else shown(str(path))
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise InputError(f"it has more than {MAX_BYTES:,} bytes; expected fewer")
        values = yaml.load(content, _Loader)
        return _as_mapping(values)
    except InputError as error:
        raise InputError(f"config {name}: {error}") from None
    except OSError as error:
        raise InputError(f"config {name}: {error.strerror}; expected a YAML file") from None
    except RecursionError:
        raise InputError(f"config {name}: it is nested too deeply") from None
    except Exception as error:  # PyYAML raises errors of all kinds for text that misfits its tag.
        raise InputError(f"config {name}: not YAML: {_in_short(error)}") from None


def parse_json(text: str) -> dict[str, Any]:
    """Read JSON text that holds an object, as strictly as `read_yaml` reads files.

    Raises
    ------
    InputError
        In one line.
    """
    try:
        return _as_mapping(json.loads(text, object_pairs_hook=_unrepeated))
    except InputError as error:
        raise InputError(f"config: {error}") from None
    except RecursionError:
        raise InputError("config: it is nested too deeply") from None
    except ValueError as error:
        raise InputError(f"config: not JSON: {_in_short(error)}") from None


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    twice = _first_repeated(key for key, _ in pairs)
    if twice is not None:
        raise InputError(f"the key {shown(twice)} comes twice; keep one of them")
    return dict(pairs)


def _first_repeated(keys: Iterable[str]) -> str | None:
    seen: set[str] = set()
    return next((key for key in keys if key in seen or seen.add(key)), None)


def _as_mapping(values: Any) -> dict[str, Any]:
    if not isinstance(values, dict):
        raise InputError(f"got {shown(values)}; expected a mapping of keys to values")
    return values


def _in_short(error: Exception) -> str:
    return textwrap.shorten(str(error), 250, placeholder=" ...")
