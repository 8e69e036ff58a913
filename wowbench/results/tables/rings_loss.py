"""Where the losses of rings end, beside the published ends."""

from __future__ import annotations

from typing import ClassVar

import pandas as pd

from wowbench.methods.mmdsw import MMDSW
from wowbench.results.cells import cell_columns, problem_names, settings_columns
from wowbench.results.kernels import with_kernels
from wowbench.results.published import published, published_heading
from wowbench.results.report import Table
from wowbench.results.summary import summarise
from wowbench.settings import scored_columns
from wowbench.tasks.rings import Rings

HALF = 0.0005
"""Most that a number with three decimals is rounded by."""

CHOSEN = ("method.kernel.", "method.scheme.", "method.steps", "method.quantiles")
"""Beginnings of the columns that select a published row, and of one that is as one likes."""

KEY = ["family", "setting", "lr", "momentum", "steps"]


class RingsLoss(Table):
    """Loss at the end of each flow onto rings, beside that of the authors' notebook.

    Without momentum a flow goes to and fro at its end: the band goes from the least to the greatest
    loss of the last tenth of its steps, over all flows. Each flow has a start of its own; where it
    has not yet come to an end, as at step size 0.01, its loss depends on how far apart the classes
    happen to start, and the band is wide. "Final" is the mean over flows of the last loss.

    The published loss is that of one flow, printed with three decimals, after as many steps as
    here; where the notebook ran a setting twice, the two are given. "Within" says whether the band
    and what was rounded to the published loss overlap. Kernels are as in Appendix D.2; the paper's
    quantiles are interpolated, those of a flow are exact unless its name says otherwise.
    """

    reads: ClassVar[tuple[str, ...]] = ("published/rings_loss.csv",)

    def make(self, scores: pd.DataFrame) -> pd.DataFrame:
        """Take the band over flows, and put the published losses beside it.

        Returns
        -------
        DataFrame
            One row for each cell: its columns, those of `wowbench.results.kernels.with_kernels`,
            ``final`` (the mean over flows of the last loss), ``least`` and ``greatest``,
            ``published_least``, ``published_greatest``, ``published_source`` and ``within``
            (missing where nothing is published), ``flows`` and ``left_out``.
        """
        scores = scores[scores.task == "rings"]
        table = summarise(scores, "final_loss", job="flow")
        cell = cell_columns(table)
        for name, metric in (("least", "last_loss_low"), ("greatest", "last_loss_high")):
            rows = scores[scores.metric == metric].groupby(cell, dropna=False)["value"]
            band = rows.min() if name == "least" else rows.max()
            table = table.merge(band.rename(name).reset_index(), on=cell, how="left")
        table = with_kernels(table.rename(columns={"mean": "final"}))
        table = _with_published(table)
        known = table.published_least.notna() & table.least.notna()
        overlap = (table.least <= table.published_greatest + HALF) & (
            table.greatest >= table.published_least - HALF
        )
        columns = ["family", "parameter", "setting", "name", "final", "least", "greatest"]
        columns += ["published_least", "published_greatest", "published_source", "within"]
        table = table.assign(within=overlap.astype(object).where(known))
        return table[[*cell, *columns, "flows", "left_out"]]

    def readable(self, table: pd.DataFrame) -> pd.DataFrame:
        """Format for people; losses with four significant digits, published ones as printed."""
        several = problem_names(table).nunique() > 1
        columns = {
            "problem": list(problem_names(table)) if several else [],
            "flow": list(table.name),
            "steps": list(table["method.steps"]) if "method.steps" in table else [],
            "final": [_number(value) for value in table.final],
            "band": _ranges(table.least, table.greatest, _number),
            published_heading(table.published_source): _ranges(
                table.published_least, table.published_greatest, "{:.3f}".format
            ),
            "within": ["" if pd.isna(w) else "yes" if w else "no" for w in table.within],
            "flows": [
                f"{flows} ({left_out})" if left_out else str(flows)
                for flows, left_out in zip(table.flows, table.left_out, strict=True)
            ],
        }
        return pd.DataFrame({name: column for name, column in columns.items() if any(column)})


def _number(value: float) -> str:
    return "" if pd.isna(value) else f"{value:.4g}"


def _ranges(least: pd.Series, greatest: pd.Series, form) -> list[str]:
    return [
        "" if pd.isna(low) else form(low) if low == high else f"{form(low)} to {form(high)}"
        for low, high in zip(least, greatest, strict=True)
    ]


def _with_published(table: pd.DataFrame) -> pd.DataFrame:
    """Put the published losses beside the cells whose parameters are the paper's."""
    numbers = {
        column: pd.to_numeric(table.get(f"method.{name}", pd.Series("", table.index)))
        for column, name in (
            ("lr", "scheme.lr"),
            ("momentum", "scheme.momentum"),
            ("steps", "steps"),
        )
    }
    keyed = table.assign(**numbers)
    known = _known()
    matched = keyed.merge(known, on=KEY, how="left", validate="m:1").set_index(table.index)
    added = ["published_least", "published_greatest", "published_source"]
    return table.assign(**matched[added].where(_as_published(table)))


def _known() -> pd.DataFrame:
    known = published("rings_loss")
    if known.empty:
        return pd.DataFrame(columns=[*KEY, "published_least", "published_greatest"]).assign(
            published_source=""
        )
    # The loss of the last of `steps` iterations is taken before that one moves anything.
    known = known.rename(columns={"kernel": "family", "value": "setting"})
    known = known.assign(steps=known.steps - 1).astype({"lr": float, "momentum": float})
    groups = known.groupby(KEY, as_index=False)
    return groups.agg(
        published_least=("loss", "min"),
        published_greatest=("loss", "max"),
        published_source=("source", "first"),
    )


def _as_published(table: pd.DataFrame) -> pd.Series:
    """Whether the parameters of each row are the paper's, those of `CHOSEN` apart."""
    task = Rings(methods=[MMDSW()])
    (cell,) = task.cells(0)
    columns = scored_columns(task, task.methods[0], cell.draws[0], cell.axes["k"])
    fixed = {
        column: columns[column]
        for column in ["algorithm", *settings_columns(table)]
        if column in columns and not column.startswith(CHOSEN)
    }
    fixed["method.scheme.name"] = "momentum"
    same = pd.Series(True, index=table.index)
    for column, value in fixed.items():
        same &= table[column] == value if column in table else False
    return same
