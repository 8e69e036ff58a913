"""Accuracies of the illustration of transfer beside the published ones."""

from __future__ import annotations

from typing import ClassVar

import pandas as pd

from wowbench.results.cells import cell_columns, method_names, problem_names, with_evaluation
from wowbench.results.published import published
from wowbench.results.report import Table
from wowbench.results.summary import summarise

TASK, METRIC = "transfer_illustration", "accuracy_at_epoch"

IMAGES = {
    "none": "target alone",
    "clipped": "flowed and clipped",
    "rescaled": "flowed and rescaled",
    "trajectory": "clipped, the whole trajectory",
}
"""What was trained on: as the evaluator calls it, and as the published values do."""

PUBLISHED_FOR = {"source": "MNIST", "target": "FashionMNIST", "k": 5}
"""The one problem that the published values are of."""


class IllustrationAccuracy(Table):
    """Test accuracy after several numbers of epochs, by what is trained on beside the target.

    "±" is the standard deviation over the trainings on one flow, with their number in the
    denominator, as published: a spread that says nothing of other draws (of several flows, the
    root of the mean square). The mean is over flows. Here one training is tested after each number
    of epochs; the published values, of one draw, are of five other trainings for each.

    Flowed images are clipped to [0, 1], or each rescaled so that its darkest pixel is 0 and its
    brightest 1. The trajectory has the images after every 250 steps and one, and the last ones,
    with the labels of these. Labels come from the WoW coupling; in the authors' notebook a class
    takes the label of the target image that is nearest to most of its images.
    """

    reads: ClassVar[tuple[str, ...]] = ("published/transfer_illustration.csv",)

    def make(self, scores: pd.DataFrame) -> pd.DataFrame:
        """Summarise the accuracies and put the published ones beside them.

        Returns
        -------
        DataFrame
            One row for each cell and number of epochs: as from
            `wowbench.results.summary.summarise`, and ``std_of_trainings``, ``images`` (as the
            published values call it), ``published_mean``, ``published_std`` (in [0, 1]) and
            ``published_source``.
        """
        scores = with_evaluation(scores[scores.task == TASK])
        if "epoch" not in scores:  # as in the scores of a run that has no such experiment
            scores = scores.assign(epoch=pd.Series(dtype="Int64"))
        table = summarise(scores, METRIC, by=("epoch",))
        cell = [*cell_columns(table), "epoch"]
        spread = _std_of_trainings(scores[scores.metric == METRIC], cell)
        table = table.merge(spread, on=cell, how="left")
        table["images"] = table.protocol.map(IMAGES)
        return table.merge(
            _published(), on=["source", "target", "k", "images", "epoch"], how="left"
        )

    def readable(self, table: pd.DataFrame) -> pd.DataFrame:
        """Format for people: accuracies in percent as "mean ± std"."""
        columns = {
            "datasets": list(problem_names(table.drop(columns="protocol"))),
            "k": list(table.k),
            "method": list(method_names(table)),
            "trained on": list(table.images),
            "epochs": list(table.epoch),
            "accuracy (%)": _percent(table["mean"], table.std_of_trainings),
            "published (%)": _percent(table.published_mean, table.published_std),
            "not as published": list(table.departures.where(table.published_mean.notna(), "")),
            "flows x trainings": [
                f"{flows} x {trainings}"
                for flows, trainings in zip(table.flows, table.trainings, strict=True)
            ],
        }
        return pd.DataFrame({name: column for name, column in columns.items() if any(column)})


def _std_of_trainings(rows: pd.DataFrame, cell: list[str]) -> pd.DataFrame:
    """Spread of the trainings on one flow: the root of the mean over flows of their variance."""
    variances = rows.groupby([*cell, "flow_seed"], sort=False)["value"].var(ddof=0)
    roots = variances.groupby(cell, sort=False).mean() ** 0.5
    return roots.rename("std_of_trainings").reset_index()


def _published() -> pd.DataFrame:
    columns = ["images", "epoch", "published_mean", "published_std", "published_source"]
    known = published("transfer_illustration")
    if known.empty:
        columns = [*PUBLISHED_FOR, *columns]
        types = {"k": "int64", "epoch": "Int64", "published_mean": float, "published_std": float}
        return pd.DataFrame({c: pd.Series(dtype=types.get(c, str)) for c in columns})
    known = known.rename(columns={"epochs": "epoch", "source": "published_source"})
    known = known.assign(published_mean=known["mean"] / 100, published_std=known["std"] / 100)
    return known[columns].astype({"epoch": "Int64"}).assign(**PUBLISHED_FOR)


def _percent(means: pd.Series, stds: pd.Series) -> list[str]:
    return [
        "" if pd.isna(mean) else f"{100 * mean:.1f} ± {100 * std:.1f}"
        for mean, std in zip(means, stds, strict=True)
    ]
