"""The checks of each kind of thing that a third party can add."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path

from wowbench.contract.checks import Check
from wowbench.errors import InputError, shown
from wowbench.parameters import FromRegistry
from wowbench.registry import REGISTRIES


def checks_of(kind: str, entry: str | Mapping, data_root: Path | None = None) -> list[Check]:
    """List the checks of one entry.

    Parameters
    ----------
    kind : str
        "method", "kernel", "scheme", "dataset", "distance", "evaluator", "table", "figure" or
        "archive".
    entry : str or mapping
        As in a config: a registered name, or a mapping with it and parameters. Of a table or a
        figure its import path, of an archive its folder.
    data_root : Path, optional
        Folder with the files of a dataset.

    Raises
    ------
    InputError
        For an entry that a config would refuse.
    """
    if kind in ("table", "figure"):
        from wowbench.contract.reports import report_checks

        if not isinstance(entry, str):
            raise InputError(f"got {shown(entry)}; expected an import path, module:Class")
        return report_checks(kind, entry)
    if kind == "archive":
        from wowbench.contract.archives import archive_checks

        return archive_checks(Path(str(entry)))
    module = importlib.import_module(f"wowbench.contract.{kind}s")
    checks = getattr(module, f"{kind}_checks")
    if kind == "method":
        return checks(module.brief_method(entry))
    (entries,) = (entries for entries in REGISTRIES if entries.kind == kind)
    built = FromRegistry(entries).build(entry)
    return checks(built, data_root) if kind == "dataset" else checks(built)
