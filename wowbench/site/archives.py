"""The page of all archives: what has been measured, and how much of the paper agrees with it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from wowbench.config import Config, load_config
from wowbench.errors import InputError, one_line
from wowbench.listed import Listed, listed_by
from wowbench.results.report import Table
from wowbench.results.scores import read_scores
from wowbench.site.agreement import Agreement, agreement, total
from wowbench.site.facts import surroundings
from wowbench.site.page import relative, write_page
from wowbench.site.reports import Section, pictures, sections
from wowbench.site.tables import Link

FILES = ("scores.csv", "config.yaml", "provenance.json")
"""What ``wowbench archive`` writes."""

FLOWED = {"draw", "flow"}
"""What figures read that no archive has."""


@dataclass(frozen=True)
class Archive:
    """An archive, as a section of the page.

    Attributes
    ----------
    name : str
        Of its folder.
    config : Config
        What was run.
    text : str
        The file that the config is from.
    rows : int
        Number of measurements.
    facts : dict of str to str
        What it was made with.
    agreement : Agreement
        Verdicts on its cells.
    tables : list of Section
        Its tables.
    figures : list of dict
        Those of its figures that scores are enough for.
    files : list of Link
        Its files.
    """

    name: str
    config: Config
    text: str
    rows: int
    facts: dict[str, str]
    agreement: Agreement
    tables: list[Section]
    figures: list[dict[str, Any]]
    files: list[Link]


def write_archives_page(root: Path, out: Path) -> None:
    """Write the page of all archives.

    Parameters
    ----------
    root : Path
        Folder whose folders are archives, as ``results/measured``; others are passed over.
    out : Path
        HTML file to write; its links lead to the archives' files, by their place beside it.

    Raises
    ------
    InputError
        If there is no archive, or one lacks a file or cannot be read.
    """
    folders = sorted(path.parent for path in root.glob("*/scores.csv"))
    if not folders:
        raise InputError(f"{root} has no archives: expected folders that wowbench archive wrote")
    archives = [read_archive(folder, out) for folder in folders]
    write_page(
        "archives.html",
        out,
        archives=archives,
        overview=_overview(archives),
        total=total(archive.agreement for archive in archives),
    )


def read_archive(folder: Path, out: Path) -> Archive:
    """Read an archive and make its tables, and its figures but those of what flows wrote.

    Parameters
    ----------
    folder : Path
        As ``wowbench archive`` wrote it.
    out : Path
        The page, from which links lead to files.

    Raises
    ------
    InputError
        If a file is absent or cannot be read, naming it.
    """
    for name in FILES:
        if not (folder / name).exists():
            raise InputError(f"{folder} is no archive: it has no {name}")
    config = load_config(folder / "config.yaml")
    scores = read_scores(folder / "scores.csv")
    reports = listed_by(config.experiments)
    tables = [one for one in reports if one.base is Table]
    figures = [one for one in reports if one.base is not Table and not FLOWED & {*one.reads}]
    return Archive(
        name=folder.name,
        config=config,
        text=(folder / "config.yaml").read_text(encoding="utf-8"),
        rows=len(scores),
        facts=surroundings(_provenances(folder / "provenance.json")),
        agreement=agreement(scores),
        tables=sections(tables, scores, lambda one: []),
        figures=_drawn(figures, scores),
        files=[Link(name, relative(folder / name, out)) for name in FILES],
    )


def _drawn(figures: list[Listed], scores: pd.DataFrame) -> list[dict[str, Any]]:
    shown = []
    with TemporaryDirectory() as folder:
        for one in figures:
            path = Path(folder) / one.file
            path.parent.mkdir(exist_ok=True)
            if one.load().write(scores, path):
                shown.append(one)
        return pictures(shown, Path(folder))


def _provenances(path: Path) -> list[dict]:
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path}: {one_line(error)}; expected what archive wrote") from None
    if not isinstance(entries, list):
        raise InputError(f"{path}: expected a list of provenances, as archive writes it")
    return entries


def _overview(archives: list[Archive]) -> pd.DataFrame:
    """One row for each archive, with its cells by verdict."""
    verdicts = total(archive.agreement for archive in archives).counts
    rows = []
    for archive in archives:
        tasks = dict.fromkeys(experiment.name for experiment in archive.config.experiments)
        counts = {verdict: archive.agreement.counts.get(verdict) for verdict in verdicts}
        rows.append(
            {
                "archive": Link(archive.name, f"#{archive.name}"),
                "tasks": ", ".join(tasks),
                **{verdict: "" if n is None else n for verdict, n in counts.items()},
                "measurements": archive.rows,
                "device": archive.facts.get("device", ""),
                "written": archive.facts.get("written", "")[:10],
            }
        )
    return pd.DataFrame(rows)
