"""Accuracies of domain adaptation over the steps of a flow, beside the published ones."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pandas as pd

from wowbench.registry import METHODS, TASKS
from wowbench.results.cells import (
    cell_columns,
    method_names,
    problem_names,
    sorted_by_problem,
)
from wowbench.results.comparison import readable_flows
from wowbench.results.published import published, published_as, published_heading
from wowbench.results.report import Table
from wowbench.results.summary import summarise
from wowbench.settings import departures, flattened

PUBLISHED_FLOWS = 3
NUMBERS = ["published_mean", "published_error"]


class AdaptationAccuracy(Table):
    """Accuracy of a frozen classifier on flowed source particles, beside Figure 3 of the paper.

    A classifier is trained on the target particles that the flow moves towards, and tested on the
    moved source particles against the labels that they have by then: by default each source class
    is aligned with a target class by the WoW coupling. It says whether a class has arrived whole,
    not whether a digit came to be the same digit; of a source whose labels are from clustering, it
    says so of the clusters. Rows are the steps that are both measured and published, and the last
    step.

    The mean is over flows, which differ in their source particles and share target and classifier;
    "±" is two standard errors, 2 sd / sqrt(flows), with the standard deviation of n - 1; a single
    flow has none. Published means are over 3 flows; their standard deviation, given with n, is
    taken with n - 1 here too, so that "±" is 1.22 times the half width of the paper's band. The
    published value of OTDD is that of its end. Differences are in percentage points. "Unflowed" is
    the accuracy on the source as it is, "test set" that of the classifier on the target's own test
    set. Under "not as published" are the parameters in which a row departs from the authors' code;
    quantiles are exact here unless the method says otherwise, theirs are interpolated.
    """

    reads: ClassVar[tuple[str, ...]] = ("published/adaptation_accuracy.csv",)

    def make(self, scores: pd.DataFrame) -> pd.DataFrame:
        """Summarise the accuracies at the published steps and at the last one.

        Returns
        -------
        DataFrame
            One row for each cell and step: the columns of cells, ``step``, ``mean`` and ``error``
            (over flows), ``published_mean``, ``published_error`` and ``published_source``,
            ``difference``, ``unflowed``, ``test_accuracy``, ``unlike_published``, ``flows`` and
            ``left_out``. Accuracies are in [0, 1].
        """
        scores = scores[scores.task == "adaptation"]
        table = summarise(scores, "accuracy")
        cell = cell_columns(table)
        curves = accuracy_curves(scores)
        ends = curves.groupby(cell, sort=False).step.max().reset_index()
        table = table.merge(ends, on=cell, how="left").assign(is_last=True)
        before = curves.merge(ends.rename(columns={"step": "end"}), on=cell)
        before = before[before.step < before.end].assign(is_last=False)
        table = _beside_published(pd.concat([table, before], ignore_index=True))
        table = table[table.is_last | table.published_mean.notna()]
        unflowed = curves[curves.step == 0]
        tested = summarise(scores, "test_accuracy")
        for name, values in (("unflowed", unflowed), ("test_accuracy", tested)):
            known = values[[*cell, "mean"]].rename(columns={"mean": name})
            table = table.merge(known, on=cell, how="left", validate="m:1")
        table["difference"] = table["mean"] - table.published_mean
        table["left_out"] = table.left_out.fillna("")
        columns = ["step", "mean", "error", *NUMBERS, "published_source", "difference", "unflowed"]
        columns += ["test_accuracy", "unlike_published", "flows", "left_out"]
        return sorted_by_problem(table[[*cell, *columns]], "experiment", "method", "step")

    def readable(self, table: pd.DataFrame) -> pd.DataFrame:
        """Format for people: accuracies in percent."""
        columns = pd.DataFrame(
            {
                "datasets": problem_names(table),
                "method": method_names(table),
                "step": ["" if pd.isna(step) else f"{step:,}" for step in table.step],
                "accuracy (%)": _percent(table["mean"], table.error),
                f"{published_heading(table.published_source)} (%)": _percent(
                    table.published_mean, table.published_error
                ),
                "difference": [
                    "" if pd.isna(value) else f"{100 * value:+.1f}" for value in table.difference
                ],
                "unflowed (%)": _percent(table.unflowed),
                "test set (%)": _percent(table.test_accuracy),
                "not as published": table.unlike_published,
                "flows": readable_flows(table),
            }
        )
        return columns.loc[:, (columns != "").any()]


def accuracy_curves(scores: pd.DataFrame) -> pd.DataFrame:
    """Mean and standard error of the accuracy of each cell after each step; see `summarise`."""
    scores = scores[scores.task == "adaptation"]
    if "step" not in scores:
        scores = scores.assign(step=pd.Series(pd.NA, scores.index, "Int64"))
    return summarise(scores, "accuracy_at_step", by=("step",)).astype({"step": "Int64"})


def published_curves() -> pd.DataFrame:
    """Read the published accuracies over steps.

    Returns
    -------
    DataFrame
        Columns source, target, ``published_as`` (the method), step (missing for a level that has
        none), ``published_mean`` and ``published_error`` (of the mean, in [0, 1]) and
        ``published_source``.
    """
    columns = ["source", "target", "published_as", "step", *NUMBERS, "published_source"]
    known = published("adaptation_accuracy")
    if known.empty:
        types = {"step": "Int64", **dict.fromkeys(NUMBERS, float)}
        return pd.DataFrame({c: pd.Series(dtype=types.get(c, str)) for c in columns})
    names = {"source": "published_source", "method": "published_as"}
    names |= {"source_dataset": "source", "target_dataset": "target"}
    known = known.rename(columns=names).astype({"step": "Int64"})
    return known.assign(
        published_mean=known["mean"] / 100,
        # The variance with n is n / (n - 1) times as much with n - 1.
        published_error=known["std"] / 100 / np.sqrt(PUBLISHED_FLOWS - 1),
    )[columns]


def published_settings(target: str, algorithm: str) -> dict[str, str]:
    """Parameters of the authors' runs, under the names of the scores' columns.

    The numbers of steps and of snapshots are left out: accuracies are compared step by step.

    Parameters
    ----------
    target : str
        Dataset that the flow goes to: CIFAR10 has settings of its own.
    algorithm : {"mmdsw", "otdd"}
        Registered name of the published method.
    """
    task = TASKS.get("adaptation").published_settings()
    del task["snapshot_every"]
    if target == "CIFAR10":
        task |= {"images_per_class": 100, "units": "own"}
        task["classifier"] = {**task["classifier"], "network": "convnet"}
    method = METHODS.get(algorithm).published_settings("adaptation", task["images_per_class"])
    del method["steps"]
    if algorithm == "mmdsw":
        # For CIFAR10 the paper says 0.1, and its code has 1.
        method["scheme"] = {**method["scheme"], "lr": 1.0 if target == "CIFAR10" else 0.1}
    return flattened(task, "task.") | flattened(method, "method.")


def _beside_published(table: pd.DataFrame) -> pd.DataFrame:
    """Add the published values of each row's step, or else of the end for its last row."""
    known = published_curves()
    places = ["source", "target", "published_as"]
    table = table.assign(published_as=table.algorithm.map(published_as))
    at_step = table.merge(
        known.dropna(subset="step"), on=[*places, "step"], how="left", validate="m:1"
    )
    ends = table.merge(
        known[known.step.isna()].drop(columns="step"), on=places, how="left", validate="m:1"
    )
    columns = [*NUMBERS, "published_source"]
    use_end = table.is_last & at_step.published_mean.isna() & ends.published_mean.notna()
    at_step[columns] = at_step[columns].where(~use_end, ends[columns])
    at_step["unlike_published"] = [
        "; ".join(departures(row, published_settings(row["target"], row["published_as"])))
        if not pd.isna(row["published_mean"])
        else ""
        for row in at_step.to_dict("records")
    ]
    return at_step


def _percent(means: pd.Series, errors: pd.Series | None = None) -> list[str]:
    """Fractions as percentages, with two standard errors where there are any."""
    errors = pd.Series(np.nan, means.index) if errors is None else errors
    return [
        ""
        if pd.isna(mean)
        else f"{100 * mean:.1f}" + ("" if pd.isna(error) else f" ± {200 * error:.1f}")
        for mean, error in zip(means, errors, strict=True)
    ]
