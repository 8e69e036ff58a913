"""Losses and speeds of generation flows beside the published ones."""

from __future__ import annotations

from typing import ClassVar

import pandas as pd

from wowbench.registry import METHODS, TASKS
from wowbench.results.cells import cell_columns, method_names, problem_names, sorted_by_problem
from wowbench.results.comparison import readable_flows
from wowbench.results.published import published, published_as, published_heading
from wowbench.results.report import Table
from wowbench.results.summary import summarise
from wowbench.settings import departures, flattened

KNOWN = ["start", "last_low", "last_high", "steps", "steps_per_second", "source"]


class FlowLosses(Table):
    """First and last losses of generation flows, and their speed, beside the authors' notebooks.

    The loss is 1/2 MMD^2 of moved and target particles, before the first step ("start") and as the
    range of its values in the last 1 % of the steps ("last"), over all flows: each step draws its
    own directions, so that single values are noisy. Published losses were read from plots (to 2 %),
    published speeds are of an unnamed GPU. Under "not as published" are the parameters in which a
    row departs from the published run, of which there may be several with other momentum; a loss
    after fewer steps or along other directions is no reproduction. Quantiles are exact here unless
    the method says otherwise, the authors' are interpolated, whose loss has another lowest value.
    Flows that ran at once in one process on a GPU have no speed of their own.
    """

    reads: ClassVar[tuple[str, ...]] = ("published/flow_losses.csv",)

    def make(self, scores: pd.DataFrame) -> pd.DataFrame:
        """Gather the levels of the losses and put the published ones beside them.

        Returns
        -------
        DataFrame
            One row for each cell: its columns, ``start`` (mean over flows), ``last_low``,
            ``last_high`` (over flows), ``steps``, ``steps_per_second``, ``device``, the same with
            ``published_`` before, ``published_source``, ``unlike_published``, ``flows`` and
            ``left_out``.
        """
        scores = scores[scores.task == "generation"]
        table = summarise(scores, "steps", job="flow")
        cell = cell_columns(table)
        table = table.rename(columns={"mean": "steps"})
        for name, metric, over_flows in (
            ("start", "first_loss", "mean"),
            ("last_low", "last_loss_low", "min"),
            ("last_high", "last_loss_high", "max"),
            ("seconds", "seconds_per_step", "mean"),
        ):
            values = scores[scores.metric == metric].groupby(cell, sort=False)["value"]
            found = values.agg(over_flows).rename(name).reset_index()
            table = table.merge(found, on=cell, how="left", validate="1:1")
        table["steps_per_second"] = 1 / table.seconds
        devices = scores.groupby(cell, sort=False).device.agg(lambda d: ", ".join(sorted(set(d))))
        table = table.merge(devices.reset_index(), on=cell, how="left", validate="1:1")
        rows = [_beside_published(row) for row in table.to_dict("records")]
        own = ["start", "last_low", "last_high", "steps", "steps_per_second", "device"]
        columns = [*own, *(f"published_{c}" for c in KNOWN), "unlike_published"]
        table = pd.DataFrame(rows, columns=[*cell, *columns, "flows", "left_out"])
        return sorted_by_problem(table.astype({"published_source": object}))

    def readable(self, table: pd.DataFrame) -> pd.DataFrame:
        """Format for people."""
        heading = published_heading(table.published_source)
        columns = pd.DataFrame(
            {
                "datasets": problem_names(table),
                "images per class": table.k,
                "method": method_names(table),
                "start": _digits(table.start, ".3g"),
                f"{heading} start": _digits(table.published_start, ".3g"),
                "last": _ranges(table.last_low, table.last_high),
                f"{heading} last": _ranges(table.published_last_low, table.published_last_high),
                "steps": _digits(table.steps, ",.0f"),
                f"{heading} steps": _digits(table.published_steps, ",.0f"),
                "steps / s": _digits(table.steps_per_second, ".3g"),
                f"{heading} steps / s": _digits(table.published_steps_per_second, ".3g"),
                "device": table.device,
                "not as published": table.unlike_published,
                "flows": readable_flows(table),
            }
        )
        return columns.loc[:, (columns != "").any()]


def published_flow(row: dict) -> dict | None:
    """Find the published flow that a cell is to be compared with.

    Parameters
    ----------
    row : dict
        The columns of a cell.

    Returns
    -------
    dict or None
        A row of ``published/flow_losses.csv``, of several the one with the cell's momentum; None
        where there is none between these datasets in these units.
    """
    known = published("flow_losses")
    if known.empty or published_as(row["algorithm"]) != "mmdsw":
        return None
    # Only Gaussian noise has these parameters.
    is_noise = (row.get("source.mean"), row.get("source.std")) == ("[0.0]", "1.0")
    source = "noise" if is_noise else row["source"]
    standardised = "" if row["task.units"] == "natural" else " standardised"
    named = known.flow == f"{source} to {row['target']}{standardised}"
    known = known[named & (known.flow.str.startswith("noise ") == is_noise)]
    if known.empty:
        return None
    same = known.momentum.map(float).map(str) == row.get("method.scheme.momentum")
    return (known[same] if same.any() else known).iloc[0].to_dict()


def published_settings(flow: dict) -> dict[str, str]:
    """Parameters of a published flow, under the names of the scores' columns."""
    task = TASKS.get("generation").published_settings()
    task["images_per_class"] = int(flow["images_per_class"])
    if flow["flow"].endswith("standardised"):
        task["units"] = "own"
    method = METHODS.get("mmdsw").published_settings("generation", task["images_per_class"])
    changed = {"lr": float(flow["lr"]), "momentum": float(flow["momentum"])}
    method |= {"scheme": {**method["scheme"], **changed}, "steps": int(flow["steps"])}
    return flattened(task, "task.") | flattened(method, "method.")


def _beside_published(row: dict) -> dict:
    """Add the columns of the published flow to a cell's."""
    flow = published_flow(row)
    if flow is None:
        return {**row, "unlike_published": ""}
    unlike = "; ".join(departures(row, published_settings(flow)))
    return row | {f"published_{c}": flow[c] for c in KNOWN} | {"unlike_published": unlike}


def _digits(values: pd.Series, form: str) -> list[str]:
    return ["" if pd.isna(value) else format(value, form) for value in values]


def _ranges(lows: pd.Series, highs: pd.Series) -> list[str]:
    """Ranges as "low to high", of which one number is left where both read the same."""
    pairs = zip(_digits(lows, ".3g"), _digits(highs, ".3g"), strict=True)
    return [low if low == high else f"{low} to {high}" for low, high in pairs]
