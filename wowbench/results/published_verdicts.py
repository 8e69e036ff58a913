"""Rows of verdicts against the paper's numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from wowbench.results.cell_values import NAME, Cell
from wowbench.results.cells import settings_columns
from wowbench.results.comparison import (
    PUBLISHED_KEY,
    PUBLISHED_RUNS,
    beside_published,
    variances_of_difference,
)
from wowbench.results.differences import Difference, combined
from wowbench.results.draws import ENOUGH
from wowbench.results.published import published_accuracies
from wowbench.results.tables.adaptation_accuracy import (
    PUBLISHED_FLOWS,
    AdaptationAccuracy,
    published_curves,
)
from wowbench.results.verdict_rows import (
    NOT_COMPARABLE,
    NOT_PUBLISHED,
    NOT_RUN,
    UNTESTED,
    compared,
)

SUMMARISED = ("transfer", "distillation")
"""Tasks of which means and standard deviations of accuracies were published."""

ALONE = {
    ("rings", "final_loss"): "rings_loss",
    ("generation", "final_loss"): "flow_losses",
    ("transfer_illustration", "accuracy_at_epoch"): "transfer_illustration",
}
"""What was published of a single flow, and the file that has it."""


NO_ERROR = (np.nan, np.nan)

ADAPTED = ["source", "target", "published_as"]
"""What selects a published curve."""


def published_rows(scores: pd.DataFrame, cells: list[Cell]) -> list[dict]:
    """Put the paper's numbers beside a run.

    A published mean of a transfer or a distillation is over 3 flows x 5 trainings that share one
    draw. With e the clustered error of the run's mean over F flows, s the published standard
    deviation, and W the variance of the means of m draws, the squared standard error of a
    difference is ``e^2 + W + s^2 / 15``. W is the variance V between draws and what their own
    trainings add. V itself, a difference of two mean squares, comes out far too small now and then
    where m is small, and a test that trusted it would raise twice as many alarms as it says.
    Degrees of freedom are Satterthwaite's from 14 for the last part, and for the others together
    ``((e^2 + W) / (e^2 / sqrt(F - 1) + W / sqrt(m - 1)))^2``: they may be of the same flows.

    Of an adaptation the last step is compared that was published, over flows on both sides, with
    ``e^2 + e_p^2``.

    Parameters
    ----------
    scores : DataFrame
        Tidy scores of the run.
    cells : list of Cell
        Its cells.

    Returns
    -------
    list of dict
        As `wowbench.results.verdicts.judged` reads them: cells of the run, then what was published
        of other cells.
    """
    rows, absent = [], []
    for task in SUMMARISED:
        table = _accuracies(beside_published(scores, task))
        rows += map(_row, table.to_dict("records"))
        absent += _not_run(published_accuracies(task), table, PUBLISHED_KEY)
    table = _adaptation(AdaptationAccuracy().make(scores))
    rows += map(_row, table.to_dict("records"))
    known = published_curves().sort_values("step", na_position="first")
    known = known.drop_duplicates(ADAPTED, keep="last").assign(task="adaptation")
    absent += _not_run(known, table, ADAPTED)
    done = {(row["task"], row["metric"]) for row in rows}
    rows += [_unpublished(cell) for cell in cells if (cell.name[0], cell.metric) not in done]
    return rows + absent


def _accuracies(table: pd.DataFrame) -> pd.DataFrame:
    """Add the errors of published means and of the differences from them."""
    own, between, within = variances_of_difference(table)
    between = between - table.draw_variance + table.variance_of_means
    flows = table.flows.where(table.flows > 1)  # none at all where no job has a result
    scatter = own / np.sqrt(flows - 1) + between / np.sqrt(table.draws_behind - 1)
    freedoms = ((own + between) / scatter) ** 2
    errors = [
        combined((variance, freedom), (s2, PUBLISHED_RUNS - 1))
        if not np.isnan(freedom)
        else NO_ERROR
        for variance, freedom, s2 in zip(own + between, freedoms, within, strict=True)
    ]
    missing = f"the variance between draws is not known from {ENOUGH} draws or more"
    notes = [
        f"variance between draws from {origin}" if origin else missing
        for origin in table.draw_variance_from
    ]
    return _with_errors(table, errors, notes).assign(error_b=np.sqrt(between + within))


def _adaptation(table: pd.DataFrame) -> pd.DataFrame:
    """Keep the last published step of each cell, or else its last one, with errors."""
    cell = [c for c in table if c in NAME and c != "step"] + settings_columns(table)
    table = table.assign(known=table.published_mean.notna(), at=table.step.fillna(-1))
    table = table.sort_values(["known", "at"], kind="stable").drop_duplicates(cell, keep="last")
    table = table.sort_index()
    errors = [
        combined((own**2, flows - 1), (theirs**2, PUBLISHED_FLOWS - 1))
        if not np.isnan([own, theirs]).any()
        else NO_ERROR
        for own, flows, theirs in zip(table.error, table.flows, table.published_error, strict=True)
    ]
    notes = [f"after {step} steps" for step in table.step]
    table = _with_errors(table, errors, notes).assign(error_b=table.published_error)
    return table.assign(published_as=table.algorithm, departures=table.unlike_published)


def _with_errors(
    table: pd.DataFrame, errors: list[tuple[float, float]], notes: list[str]
) -> pd.DataFrame:
    single = "A has a single flow, and no error"
    return table.assign(
        flows_b=PUBLISHED_FLOWS,
        difference_se=[error for error, _ in errors],
        freedom=[freedom for _, freedom in errors],
        note=[single if n < 2 else note for n, note in zip(table.flows, notes, strict=True)],
    )


def _row(values: dict) -> dict:
    """Row of a cell of the run."""
    text = [column for column in values if column in NAME or "." in column]
    row = {column: str(values[column]) for column in (*text, "algorithm")}
    row = {column: value for column, value in row.items() if value not in ("", "<NA>")}
    row |= {"metric": "accuracy", "mean_a": values["mean"], "error_a": values["error"]}
    row |= {"flows_a": values["flows"], "detail": values["left_out"]}
    if pd.isna(values["published_mean"]):
        return row | {"verdict": NOT_PUBLISHED}
    row |= {"mean_b": values["published_mean"], "error_b": values["error_b"]}
    row |= {"flows_b": values["flows_b"]}
    if pd.isna(values["mean"]):
        return row | {"verdict": NOT_RUN}
    if values["departures"]:
        return row | {"verdict": NOT_COMPARABLE, "detail": values["departures"]}
    difference = values["mean"] - values["published_mean"]
    found = Difference(difference, values["difference_se"], values["freedom"], values["note"])
    return row | compared(found, values["left_out"])


def _not_run(known: pd.DataFrame, table: pd.DataFrame, key: list[str]) -> list[dict]:
    """Rows of what was published and is not among the cells of the run."""
    run = set(table[key].itertuples(index=False, name=None))
    rows = []
    for values in known.to_dict("records"):
        if tuple(values[column] for column in key) in run:
            continue
        scenario = [c for c in ("augmentation", "embedding") if values.get(c) == "yes"]
        row = {c: str(values[c]) for c in NAME if c in values and c != "step"}
        row |= {"method": values["published_as"], "algorithm": values["published_as"]}
        row |= {"metric": "accuracy", "mean_b": values["published_mean"]}
        row |= {"flows_b": PUBLISHED_FLOWS, "verdict": NOT_RUN}
        rows.append(row | {"detail": " ".join(filter(None, ["only published", *scenario]))})
    return rows


def _unpublished(cell: Cell) -> dict:
    """Row of a cell beside which no published mean can stand."""
    row = {**cell.columns, "mean_a": cell.mean, "error_a": cell.error, "flows_a": cell.flows}
    file = ALONE.get((cell.name[0], cell.metric))
    if cell.is_empty:
        return row | {"verdict": NOT_RUN, "detail": cell.left_out}
    if file is None:
        return row | {"verdict": NOT_PUBLISHED}
    detail = f"results/published/{file}.csv has single flows, without an error"
    return row | {"verdict": UNTESTED, "detail": detail}
