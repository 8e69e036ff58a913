"""Keep the scores of a finished run with all that says how they were made, and read them again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import yaml

from wowbench.config import Config
from wowbench.errors import InputError, one_line
from wowbench.files import write_text
from wowbench.plan import Plan
from wowbench.plugins import plugin_digests
from wowbench.results.records import Record
from wowbench.results.run import read_run
from wowbench.results.scores import gather_scores, read_texts, write_scores

FILES = SCORES, CONFIG, PROVENANCE = "scores.csv", "config.yaml", "provenance.json"
"""Files of an archive, beside its plug-ins."""


def archive_run(plan: Plan, folder: Path) -> None:
    """Write ``scores.csv``, ``config.yaml`` and ``provenance.json`` of a run to a folder.

    Plug-in files of the config are copied beside it, so that the folder says all.

    Parameters
    ----------
    plan : Plan
        The run, all of whose records must be there.
    folder : Path
        For example ``results/measured/transfer``.

    Raises
    ------
    InputError
        If a record is absent, unreadable or not the plan's, or a plug-in has other code than jobs
        ran with; nothing is written then.
    """
    scores = gather_scores(plan)
    found = provenances(read_run(plan).values())
    require_plugins(found)
    write_scores(scores, folder / SCORES)
    write_texts(folder, plan.config, found)


def require_plugins(provenances: list[dict]) -> None:
    """Refuse plug-ins, of those that are loaded, with other code than a provenance has of them.

    Raises
    ------
    InputError
        Naming the plug-in.
    """
    digests = plugin_digests()
    for provenance in provenances:
        for name, ran in provenance.get("plugins", {}).items():
            found = digests.get(name, "none")
            if found != ran:
                raise InputError(
                    f"plug-in {name}: the digest of its code is {found}, and jobs ran with {ran}; "
                    "run them again"
                )


def write_texts(folder: Path, config: Config, provenances: list[dict]) -> None:
    """Write all of an archive but its scores."""
    values = config.model_dump(mode="json", exclude={"data_root", "plugins"})
    plugins = {file.name: file.read_text(encoding="utf-8") for file in config.plugins}
    if plugins:
        values = {"plugins": list(plugins)} | values
    for name, text in (
        (CONFIG, yaml.safe_dump(values, sort_keys=False)),
        (PROVENANCE, json.dumps(provenances, indent=1) + "\n"),
        *plugins.items(),
    ):
        write_text(folder / name, text)


@dataclass(frozen=True)
class Archive:
    """What a folder that ``wowbench archive`` wrote holds.

    Attributes
    ----------
    folder : Path
        The folder.
    plan : Plan
        Of its config.
    rows : DataFrame
        Its scores, as text.
    provenances : list of dict
        See `wowbench.provenance.provenance`.
    """

    folder: Path
    plan: Plan
    rows: pd.DataFrame
    provenances: list[dict]


def read_archive(folder: Path) -> Archive:
    """Read an archive.

    Raises
    ------
    InputError
        If a file is absent or unreadable, or its config is not valid.
    """
    for name in FILES:
        if not (folder / name).is_file():
            raise InputError(f"{folder} is no archive: it has no {name}")
    try:
        provenances = json.loads((folder / PROVENANCE).read_bytes())
        if not provenances or not all(isinstance(one, dict) for one in provenances):
            raise ValueError("it has no list of mappings")
    except (ValueError, TypeError) as error:
        raise InputError(f"{folder / PROVENANCE}: {one_line(error)}") from None
    return Archive(folder, Plan.load(folder / CONFIG), read_texts(folder / SCORES), provenances)


def provenances(records: Iterable[Record]) -> list[dict]:
    """List distinct provenances of jobs, with how many jobs have each and when they ran."""
    found: dict[str, dict] = {}
    for record in records:
        provenance = dict(record.provenance)
        written = provenance.pop("written")
        entry = found.setdefault(
            json.dumps(provenance, sort_keys=True),
            {**provenance, "jobs": 0, "first_written": written, "last_written": written},
        )
        entry["jobs"] += 1
        entry["first_written"] = min(entry["first_written"], written)
        entry["last_written"] = max(entry["last_written"], written)
    return list(found.values())
