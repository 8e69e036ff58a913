"""Options that several verbs share, and how they are read."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

FAILED = 1
BAD_INPUT = 2
DIVERGED = 3
"""Exit statuses beside 0."""


def add_plugin_option(verb: argparse.ArgumentParser) -> None:
    """Let a verb take plug-in files, which are loaded before it runs."""
    verb.add_argument(
        *("--plugin", "-p"),
        action="append",
        type=Path,
        metavar="FILE",
        help="Python file to load first, as under `plugins` in a config; may come again",
    )


def optional_path(text: str) -> Path | None:
    """Path, or None for an empty text, as where a workflow has none to give."""
    return Path(text) if text else None


def read_entry(text: str) -> Any:
    """Read a registered name, or a mapping with its parameters, as a config has it."""
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text
