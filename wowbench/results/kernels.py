"""Methods told apart by their kernels, as one speaks of them: "gaussian h = 0.05"."""

from __future__ import annotations

import pandas as pd

from wowbench.results.cells import settings_columns
from wowbench.settings import spoken, spoken_name

KERNEL = "method.kernel."
NAME = f"{KERNEL}name"
SELF_EVIDENT = ("method.steps",)
"""Columns that are in no name: a number of steps is read off an axis."""


def with_kernels(table: pd.DataFrame) -> pd.DataFrame:
    """Say which kernel each row's method has, and name the method by it.

    Parameters
    ----------
    table : DataFrame
        Rows with the columns of cells.

    Returns
    -------
    DataFrame
        The table with the columns ``family`` (name of the kernel, "" where there is none),
        ``parameter`` (name of its first parameter), ``setting`` (its value) and ``name``: the
        kernel with its parameters, then those parameters of the method that are not as in most
        rows of the same algorithm. An algorithm other than MMDSW is named first, and a method
        without a kernel has its label.
    """
    own = [c for c in table if c.startswith(KERNEL) and c != NAME]
    unusual = _unusual(table)
    rows = []
    for row, others in zip(table.to_dict("records"), unusual, strict=True):
        family = row.get(NAME, "")
        values = {c.removeprefix(KERNEL): float(row[c]) for c in own if row[c] != ""}
        parameter, setting = next(iter(values.items()), ("", float("nan")))
        said = " ".join([family, *(f"{p} = {v:g}" for p, v in values.items())])
        if not family:
            said = row["method"]
        elif row["algorithm"] != "mmdsw":
            said = f"{row['algorithm']}, {said}"
        rows.append((family, parameter, setting, ", ".join([said, *others])))
    columns = ["family", "parameter", "setting", "name"]
    return table.assign(**pd.DataFrame(rows, index=table.index, columns=columns))


def panels(table: pd.DataFrame) -> pd.Series:
    """Name the panel of each row of `with_kernels`: its kernel, with its experiment if several."""
    several = table.experiment.nunique() > 1
    names = []
    for row in table.itertuples():
        kernel = f"{row.family} kernel" if row.algorithm.startswith("mmdsw") else "no MMD"
        names.append(f"{row.experiment}: {kernel}" if several else kernel)
    return pd.Series(names, index=table.index, dtype=str)


def _unusual(table: pd.DataFrame) -> list[list[str]]:
    """Parameters of each row, its kernel's apart, that most rows of its algorithm do not have."""
    columns = [
        c
        for c in settings_columns(table, "method")
        if not c.startswith(KERNEL) and c not in SELF_EVIDENT
    ]
    usual = {
        algorithm: {c: rows[c].mode()[0] for c in columns}
        for algorithm, rows in table.groupby("algorithm")
    }
    return [
        [
            f"{spoken_name(c).removeprefix('scheme.')} {spoken(row[c])}"
            for c in columns
            if row[c] != usual[row["algorithm"]][c]
        ]
        for row in table.to_dict("records")
    ]
