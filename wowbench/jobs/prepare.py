"""Read a dataset in whatever form it comes, and write it in the one form that jobs read."""

from __future__ import annotations

from pathlib import Path

from wowbench.datasets.prepared import write_prepared
from wowbench.parameters import FromRegistry
from wowbench.registry import DATASETS
from wowbench.results.records import recorded


def run(spec: dict, *, data_root: Path | None, out: Path, record: Path) -> None:
    """Prepare the dataset ``spec["dataset"]`` as the file `out`."""
    with recorded(record, "prepare", spec):
        write_prepared(FromRegistry(DATASETS).build(spec["dataset"]), data_root, out)
