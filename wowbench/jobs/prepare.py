"""Read a dataset in whatever form it comes, and write it in the one form that jobs read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wowbench.datasets.base import DatasetEntry
from wowbench.datasets.prepared import write_prepared
from wowbench.plugins import JobSpec
from wowbench.results.records import recorded


class PrepareSpec(JobSpec):
    """Spec of ``wowbench prepare``."""

    dataset: DatasetEntry
    axes: dict[str, Any]


def run(values: dict, *, data_root: Path | None, out: Path, record: Path) -> None:
    """Prepare a dataset as the file `out`.

    Parameters
    ----------
    values : dict
        See `PrepareSpec`.
    data_root : Path or None
        Folder of the data files.
    out, record : Path
        Files to write.

    Raises
    ------
    InputError
        If the dataset cannot be read.
    """
    spec = PrepareSpec.parse(values, "--spec")
    with recorded(record, "prepare", values) as entry:
        prepared = write_prepared(spec.dataset, data_root, out, values)
        entry.outputs["data"] = prepared.digest
        for part in (prepared.train, prepared.test):
            for metric, value in part.measured.items():
                entry.measure(metric, value, split=part.split)
