"""What `wowbench compare` is given: runs, archives, scores, expected means, published numbers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from wowbench.config import Check, load_config
from wowbench.errors import InputError
from wowbench.plan import Plan
from wowbench.results.cell_values import Cell, cells_of
from wowbench.results.expected import NUMBERS, read_expected
from wowbench.results.salvage import NOT_RUN, missing_jobs
from wowbench.results.scores import gather_scores, read_scores

PUBLISHED = "published"
SCORES = "scores.csv"


@dataclass(frozen=True)
class Side:
    """One side of a comparison.

    Attributes
    ----------
    table : DataFrame or "published"
        Tidy scores, or expected means.
    check : Check or None
        When two runs are taken to differ, as the side's config says, if there is one.
    missing : str
        What there is no result of.
    """

    table: pd.DataFrame | Literal["published"]
    check: Check | None = None
    missing: str = ""


def read_side(name: str) -> Side:
    """Read one side of a comparison.

    Parameters
    ----------
    name : str
        "published"; a folder with ``scores.csv`` (a run, or an archive); a folder of such folders;
        a CSV file of scores or of expected means; or a config, of whose run all records count that
        are there.

    Raises
    ------
    InputError
        If there is no result, saying what is missing; or if two archives of a folder claim one
        cell with other values, which are both named.
    """
    path = Path(name)
    if name == PUBLISHED:
        return Side(PUBLISHED)
    if name.lstrip().startswith("{") or path.suffix in (".yaml", ".yml", ".json"):
        return _run_so_far(name)
    if path.is_dir():
        return _folder(path)
    if path.suffix == ".csv":
        return Side(_csv(path))
    raise InputError(
        f"{name}: nothing to compare; expected {PUBLISHED!r}, a folder with {SCORES}, a CSV file "
        "of scores or a config"
    )


def _csv(path: Path) -> pd.DataFrame:
    try:
        columns = pd.read_csv(path, nrows=0).columns
    except (OSError, ValueError):
        return read_scores(path)
    return read_expected(path) if set(NUMBERS) <= set(columns) else read_scores(path)


def _folder(path: Path) -> Side:
    if (path / SCORES).exists():
        config = path / "config.yaml"
        check = load_config(config).check if config.exists() else None
        return Side(read_scores(path / SCORES), check)
    archives = sorted(file.parent for file in path.glob(f"*/{SCORES}"))
    if [archive.name for archive in archives] == ["partial"] or (path / "records").is_dir():
        done = len(list(path.glob("records/*/**/*.json")))
        raise InputError(
            f"{path}: its run has not ended, with {done} records and no {SCORES}; give its config "
            "in place of the folder, which says what is missing"
        )
    if not archives:
        raise InputError(f"{path}: no {SCORES} in it; expected the folder of a run or an archive")
    runs = {archive.name: read_scores(archive / SCORES) for archive in archives}
    refuse_claims(runs)
    return Side(pd.concat(runs.values(), ignore_index=True))


def _run_so_far(name: str) -> Side:
    """Scores of all jobs of a config that have a record; the others have rows without a value."""
    plan = Plan.load(name)
    missing = missing_jobs(plan)
    scores = gather_scores(plan, missing)
    if not (scores.status == "ok").any():
        (verb, job), why = next(iter(missing.items()))
        raise InputError(
            f"{name}: run {plan.config.name!r} has no result yet: {len(missing)} jobs are missing, "
            f"first {verb} {job}: {why}; run it, or `wowbench status` for all"
        )
    scores["status"] = scores.status.mask(scores.message == NOT_RUN, NOT_RUN)
    said = ", ".join(f"{verb} {job}: {why}" for (verb, job), why in [*missing.items()][:3])
    more = ", ..." if len(missing) > 3 else ""
    text = f"{name}: {len(missing)} jobs have no result: {said}{more}" if missing else ""
    return Side(scores, plan.config.check, text)


def refuse_claims(runs: dict[str, pd.DataFrame]) -> None:
    """Refuse two runs that have other values in one cell, on the same draw.

    Flows of one cell on other draws are more flows of it, and count together.

    Parameters
    ----------
    runs : dict of str to DataFrame
        Tidy scores of each, by name.

    Raises
    ------
    InputError
        Naming the first such cell, both runs and both values.
    """
    known: dict[tuple, tuple[str, Cell]] = {}
    for name, scores in runs.items():
        for cell in cells_of(scores):
            key = cell.name, frozenset(cell.settings.items())
            other, before = known.setdefault(key, (name, cell))
            if other != name and _contradict(before, cell):
                raise InputError(
                    f"{' '.join(filter(None, cell.name))} is claimed by {other} "
                    f"({_said(before)}) and {name} ({_said(cell)}); compare these two with each "
                    "other, and keep one"
                )


def _contradict(a: Cell, b: Cell) -> bool:
    """Whether flows of two cells from one draw have other values, or cannot be told apart."""
    if "" in a.values.index or "" in b.values.index:
        return not a.values.reset_index(drop=True).equals(b.values.reset_index(drop=True))
    means = (cell.values.groupby(level=0).mean() for cell in (a, b))
    one, other = pd.concat(means, axis=1, join="inner").T.to_numpy()
    return bool((one != other).any())


def _said(cell: Cell) -> str:
    error = "" if pd.isna(cell.error) else f" ± {cell.error:.2g}"
    return f"{cell.mean:.4g}{error}, {cell.flows} flows"
