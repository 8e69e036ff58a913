"""Verbs for plug-ins: what there is, files to start from, and the contract."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from wowbench.cli.options import FAILED, add_plugin_option, read_entry

if TYPE_CHECKING:
    pass

CHECKED = ("method", "kernel", "scheme", "dataset", "distance", "evaluator", "table", "figure")
KINDS = ("methods", "kernels", "schemes", "datasets", "distances", "evaluators", "tasks")


def add_verbs(verbs) -> None:
    """Add them to the command line."""
    verb = verbs.add_parser("list", help="list the registered names")
    verb.add_argument("kind", choices=KINDS)
    add_plugin_option(verb)
    verb.set_defaults(run=_list)
    verb = verbs.add_parser("schema", help="write the JSON schema of configs")
    verb.add_argument("--out", type=Path, required=True)
    add_plugin_option(verb)
    verb.set_defaults(run=_schema)
    verb = verbs.add_parser("new", help="write a plug-in file to start from, and its test")
    verb.add_argument("kind", choices=CHECKED)
    verb.add_argument("name", metavar="NAME", help="in lower case, as my_method")
    verb.add_argument("--out", type=Path, default=Path(), help="folder; default the present one")
    verb.set_defaults(run=_new)
    verb = verbs.add_parser("check", help="check a plug-in, or an archive, against the contract")
    verb.add_argument("kind", choices=(*CHECKED, "archive"))
    verb.add_argument(
        "entry",
        metavar="NAME",
        help="registered name, or as in a config '{name: NAME, ...}'; "
        "of a table or a figure its import path, module:Class; of an archive its folder",
    )
    add_plugin_option(verb)
    verb.add_argument(
        "--data-root", type=Path, help="of a dataset: default $WOWBENCH_DATA, else data"
    )
    verb.set_defaults(run=_check)


def _list(options) -> None:
    from wowbench import registry

    entries = getattr(registry, options.kind.upper())
    width = max(map(len, entries.names()))
    for name in entries.names():
        print(f"{name:{width}}  {entries.get(name).summary}")
    for line in entries.broken():
        print(f"wowbench {options.verb}: warning: {line}", file=sys.stderr)


def _schema(options) -> None:
    from wowbench.config import config_schema
    from wowbench.files import write_text

    write_text(options.out, json.dumps(config_schema(), indent=2) + "\n")


def _new(options) -> None:
    from wowbench.new import write_new

    print("\n".join(write_new(options.kind, options.name, options.out)))


def _check(options) -> int:
    from wowbench.contract.checks import report
    from wowbench.contract.kinds import checks_of

    checks = checks_of(options.kind, read_entry(options.entry), options.data_root)
    return 0 if report(checks) else FAILED
