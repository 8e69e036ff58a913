"""Keep the scores of a finished run with all that says how they were made."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from wowbench.files import write_text
from wowbench.plan import Plan
from wowbench.results.run import read_run
from wowbench.results.scores import gather_scores, write_scores


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
        If a record is absent, unreadable or not the plan's; nothing is written then.
    """
    scores = gather_scores(plan)
    provenances = _provenances(plan)
    write_scores(scores, folder / "scores.csv")
    config = plan.config.model_dump(mode="json", exclude={"data_root", "plugins"})
    plugins = {file.name: file.read_text(encoding="utf-8") for file in plan.config.plugins}
    if plugins:
        config = {"plugins": list(plugins)} | config
    for name, text in (
        ("config.yaml", yaml.safe_dump(config, sort_keys=False)),
        ("provenance.json", json.dumps(provenances, indent=1) + "\n"),
        *plugins.items(),
    ):
        write_text(folder / name, text)


def _provenances(plan: Plan) -> list[dict]:
    """Distinct provenances of the run's jobs, with how many jobs have each and when they ran."""
    found: dict[str, dict] = {}
    for record in read_run(plan).values():
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
