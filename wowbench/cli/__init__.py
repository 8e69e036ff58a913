"""The command line: one verb for each rule of the workflow, and a few for people."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

from wowbench import bench
from wowbench.cli import jobs, plugins, results, runs
from wowbench.cli.options import BAD_INPUT, DIVERGED, FAILED
from wowbench.cli.plugins import CHECKED
from wowbench.errors import DivergedError, InputError, JobsFailedError, describe

__all__ = ["BAD_INPUT", "CHECKED", "DIVERGED", "FAILED", "build_parser", "main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; bad input becomes one line on standard error.

    Returns
    -------
    int
        Exit status: 0, 2 for bad input, 3 for a flow that diverged, or 1 for a failed check, for a
        comparison or a rerun in which something differs, where some of several jobs failed, and
        where a file could not be read or written, as on a full disk.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr, force=True)
    options = build_parser().parse_args(arguments)
    try:
        _load_plugins(options)
        return options.run(options) or 0
    except InputError as error:
        print(f"wowbench {options.verb}: error: {error}", file=sys.stderr)
        return BAD_INPUT
    except DivergedError as error:
        print(f"wowbench {options.verb}: error: {error}", file=sys.stderr)
        return DIVERGED
    except (OSError, JobsFailedError) as error:
        print(f"wowbench {options.verb}: error: {describe(error)}", file=sys.stderr)
        return FAILED


def _load_plugins(options) -> None:
    """Load the files that ``--plugin`` names, where the verb has it."""
    for file in getattr(options, "plugin", None) or ():
        from wowbench.plugins import load_plugin

        load_plugin(file)


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of the command line, with all verbs and their options."""
    parser = argparse.ArgumentParser(prog="wowbench", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for module in (plugins, runs):
        module.add_verbs(verbs)
    bench.add_parser(verbs)
    for module in (jobs, results):
        module.add_verbs(verbs)
    return parser
