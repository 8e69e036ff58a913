"""The scores of DD-Ranking, by which distilled sets of all kinds are ranked."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from wowbench.results.cells import (
    WHOLE,
    cell_columns,
    method_names,
    problem_columns,
    problem_names,
    sorted_by_problem,
    with_evaluation,
)
from wowbench.results.report import Table
from wowbench.results.scenarios import SCENARIO, with_scenario
from wowbench.results.summary import groups_of_flows

RANDOM, WHOLE_DATA = "random", "full_data"
"""Registered names of the methods that the others are compared with."""

WEIGHT = 0.5
"""Weight of the improvement over random in the label-robust score, as on the leaderboard."""

SCORES = ["ior", "hlr", "lrs"]


class DistillationRanking(Table):
    """Scores of DD-Ranking for each distilled set, the best of a problem first.

    IOR, the improvement over random, is the accuracy on the set minus that on as many random real
    images, on the same draw. HLR, the hard-label recovery, is the accuracy on all images that
    methods see (`full_data`) minus that on the set: less is better. LRS, the label-robust score, is
    (exp(a) - exp(-1)) / (exp(1) - exp(-1)) with a = (IOR - HLR) / 2, for accuracies in [0, 1]; it
    is shown in percent. All labels are hard here, and all three accuracies are by one protocol,
    where DD-Ranking tunes the step size for each set and takes the best epoch: compare within this
    table, not with its leaderboard. Scores are means over draws, with their standard error in
    parentheses, sd(draws) / sqrt(draws), where there are several; it leaves out the luck of
    `full_data`.

    IOR and LRS are empty where the run has no `random` on the same draws and by the same protocol,
    HLR and LRS where it has no `full_data`.
    """

    def make(self, scores: pd.DataFrame) -> pd.DataFrame:
        """Compare each set with random images and all images of its problem.

        Returns
        -------
        DataFrame
            One row for each cell of another method than these: its columns, `SCENARIO`,
            ``accuracy``, ``random``, ``full_data`` (means over draws, in [0, 1]), ``ior``, ``hlr``,
            ``lrs``, the standard errors ``ior_error``, ``hlr_error`` and ``lrs_error`` (missing on
            one draw), and ``draws``.
        """
        rows = scores[(scores.task == "distillation") & (scores.metric == "accuracy")]
        rows = with_scenario(with_evaluation(rows[rows.status == "ok"]))
        cell = [*cell_columns(rows), *SCENARIO]
        units = groups_of_flows(rows, [*cell, "draw"]).mean().rename("accuracy").reset_index()
        sets = _with_references(units)
        sets["ior"] = sets.accuracy - sets.random
        sets["hlr"] = sets.full_data - sets.accuracy
        sets["lrs"] = label_robust_score(sets.ior, sets.hlr)
        groups = sets.groupby(cell, sort=False)
        table = groups[["accuracy", RANDOM, WHOLE_DATA, *SCORES]].mean()
        table = table.join(groups[SCORES].sem().add_suffix("_error")).join(
            groups.draw.nunique().rename("draws")
        )
        table = table.reset_index()
        table = table.assign(order=-table.lrs.fillna(table.ior).fillna(-table.hlr))
        return sorted_by_problem(table, "k", "protocol", "order").drop(columns="order")

    def readable(self, table: pd.DataFrame) -> pd.DataFrame:
        """Format for people: accuracies and scores in percent."""
        return pd.DataFrame(
            {
                "dataset": problem_names(table),
                "images per class": table.k,
                "method": method_names(table),
                "augmentation": table.augmentation,
                "embedding": table.embedding,
                "protocol": table.protocol,
                "accuracy (%)": _percent(table.accuracy),
                "random (%)": _percent(table[RANDOM]),
                "full data (%)": _percent(table[WHOLE_DATA]),
                "IOR": _percent(table.ior, table.ior_error, "+"),
                "HLR": _percent(table.hlr, table.hlr_error, "+"),
                "LRS": _percent(table.lrs, table.lrs_error),
                "draws": table.draws,
            }
        )


def label_robust_score(ior: pd.Series, hlr: pd.Series, weight: float = WEIGHT) -> pd.Series:
    """Label-robust score of DD-Ranking (arXiv:2505.13300).

    ``(exp(a) - exp(-1)) / (exp(1) - exp(-1))`` with ``a = weight * ior - (1 - weight) * hlr``,
    which is 1 for a set as good as all data where random images teach nothing, and 0 the other way
    around.

    Parameters
    ----------
    ior, hlr : Series
        Improvement over random, and hard-label recovery: differences of accuracies in [0, 1].
    weight : float
        Of `ior`.
    """
    balance = weight * ior - (1 - weight) * hlr
    return (np.exp(balance) - math.exp(-1)) / (math.exp(1) - math.exp(-1))


def _with_references(units: pd.DataFrame) -> pd.DataFrame:
    """Accuracies of sets on their draws, with those of random and of all images beside them."""
    problem = problem_columns(units)
    whole = [column for column in problem if column != "k"]
    is_whole = units.algorithm == WHOLE_DATA
    is_random = units.algorithm == RANDOM
    on_draws = units[is_random].groupby([*problem, "draw"])["accuracy"].mean().rename(RANDOM)
    # The experiment's own, or else that of the first one which has one.
    own = units[is_whole].groupby([*whole, "experiment"], sort=False)["accuracy"].mean()
    first = own.groupby(whole, sort=False).first()
    sets = units[~is_whole & ~is_random & (units.k != WHOLE)]
    sets = sets.merge(on_draws.reset_index(), on=[*problem, "draw"], how="left")
    sets = sets.merge(own.rename("own").reset_index(), on=[*whole, "experiment"], how="left")
    sets = sets.merge(first.rename("first").reset_index(), on=whole, how="left")
    return sets.assign(full_data=sets.own.fillna(sets["first"])).drop(columns=["own", "first"])


def _percent(values: pd.Series, errors: pd.Series | None = None, sign: str = "") -> list[str]:
    """Fractions in percent with one decimal and their errors; empty where they are missing."""
    errors = pd.Series(np.nan, index=values.index) if errors is None else errors
    return [
        ""
        if pd.isna(value)
        else f"{100 * value:{sign}.1f}" + ("" if pd.isna(error) else f" ({100 * error:.1f})")
        for value, error in zip(values, errors, strict=True)
    ]
