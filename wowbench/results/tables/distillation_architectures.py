"""Accuracies of distilled sets with networks of several architectures."""

from __future__ import annotations

import numpy as np
import pandas as pd

from wowbench.results.cells import (
    WHOLE,
    cell_columns,
    method_names,
    problem_names,
    sorted_by_problem,
    with_evaluation,
)
from wowbench.results.comparison import readable_counts, readable_percent
from wowbench.results.report import Table
from wowbench.results.scenarios import SCENARIO, with_scenario
from wowbench.results.summary import summarise

NETWORK = "protocol.network"
STATISTICS = ["mean", "std", "error"]


class DistillationArchitectures(Table):
    """Test accuracy of networks of several architectures trained on each distilled set alone.

    One row for each set and way to train, one column for each network: convnet is ConvNet-3, on
    whose features those methods rely that embed, mlp has two hidden layers of 128, lenet5 is
    LeNet-5, and resnet18 is ResNet-18 with instance normalisation. Optimiser and number of steps
    are those of ConvNet-3, also where another network would be better off with others. The mean, in
    percent, is over flows; "±" is the standard deviation over all trainings, a spread. Of a single
    flow there is the mean alone. Images per class "all" is the whole training set.
    """

    def make(self, scores: pd.DataFrame) -> pd.DataFrame:
        """Put the accuracies of all networks on one set side by side.

        Returns
        -------
        DataFrame
            One row for each set: the columns of its cell but for the network (``protocol`` without
            it, and no ``departures``), `SCENARIO`, ``flows``, ``trainings`` and ``left_out``; then
            ``N_mean``, ``N_std`` and ``N_error`` for each network N, as from
            `wowbench.results.summary.summarise`, missing where it was not trained.
        """
        scores = with_evaluation(scores[scores.task == "distillation"])
        if NETWORK not in scores:  # as where no experiment of a run trains by a protocol
            scores = scores.assign(**{NETWORK: ""})
        table = with_scenario(summarise(scores, "accuracy"))
        table["protocol"] = [
            label.removesuffix(f" ({network})")
            for label, network in zip(table.protocol, table[NETWORK], strict=True)
        ]
        cell = [c for c in cell_columns(table) if c not in (NETWORK, "departures")]
        # Networks are trained by one job a flow, so that they share these numbers.
        cell += [*SCENARIO, "flows", "trainings", "left_out"]
        sets = table[cell].drop_duplicates()
        for network, rows in table.groupby(NETWORK, sort=False):
            names = {statistic: f"{network}_{statistic}" for statistic in STATISTICS}
            rows = rows[[*cell, *STATISTICS]].rename(columns=names)
            sets = sets.merge(rows, on=cell, how="left", validate="1:1")
        sets = sets.assign(number=sets.k.mask(sets.k == WHOLE, np.inf))
        return sorted_by_problem(sets, "number").drop(columns="number")

    def readable(self, table: pd.DataFrame) -> pd.DataFrame:
        """Format for people: accuracies in percent as "mean ± std"."""
        networks = [c.removesuffix("_mean") for c in table if c.endswith("_mean")]
        return pd.DataFrame(
            {
                "dataset": problem_names(table),
                "images per class": ["all" if k == WHOLE else str(k) for k in table.k],
                "method": method_names(table),
                "augmentation": table.augmentation,
                "embedding": table.embedding,
                "protocol": table.protocol,
                **{
                    f"{network} (%)": readable_percent(
                        table[f"{network}_mean"], table[f"{network}_std"]
                    )
                    for network in networks
                },
                "flows x trainings": readable_counts(table),
            }
        )
