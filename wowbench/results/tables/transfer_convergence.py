"""How far transfer flows have come, and what it took."""

from __future__ import annotations

import pandas as pd

from wowbench.results.cells import method_names, problem_names, sorted_by_problem
from wowbench.results.report import Table
from wowbench.results.summary import summarise

METRICS = ("steps", "flow_seconds", "held_out_loss")


class TransferConvergence(Table):
    """Steps, seconds and held-out loss of each flow of transfer.

    Means over flows. The held-out loss is the method's own functional after the last step, along
    directions or on draws that no step has seen; the highest of the flows is that of the one that
    has come least far. Losses of methods with different functionals do not compare. Flows that
    ran at once in one process on a GPU have no seconds of their own. Flows may have run beside
    other jobs: ratios within a run mean more than the seconds.
    """

    def make(self, scores: pd.DataFrame) -> pd.DataFrame:
        """Put the three means of each cell into a row.

        Returns
        -------
        DataFrame
            One row for each cell whose method steps: the columns of cells, ``device``, ``steps``,
            ``flow_seconds``, ``held_out_loss`` (missing where none was recorded), its
            ``highest_flow`` and ``flows``.
        """
        scores = scores[scores.task == "transfer"]
        steps, seconds, loss = (summarise(scores, name, by=("device",)) for name in METRICS)
        rest = ["std", "error", "lowest_flow", "highest_flow", "trainings", "draws", "left_out"]
        table = steps.rename(columns={"mean": "steps"}).drop(columns=rest)
        cell = [column for column in table.columns if column not in ("steps", "flows")]
        for name, summary, kept in (
            ("flow_seconds", seconds, ["mean"]),
            ("held_out_loss", loss, ["mean", "highest_flow"]),
        ):
            columns = summary.reindex(columns=[*cell, *kept]).rename(columns={"mean": name})
            table = table.merge(columns, on=cell, how="left", validate="1:1")
        table["highest_flow"] = table.highest_flow.fillna(table.held_out_loss)
        return sorted_by_problem(table[table.steps > 0], "k")

    def readable(self, table: pd.DataFrame) -> pd.DataFrame:
        """Format for people."""

        def form(values: pd.Series, spec: str) -> list[str]:
            return ["" if pd.isna(value) else format(value, spec) for value in values]

        columns = pd.DataFrame(
            {
                "datasets": problem_names(table),
                "k": table.k,
                "method": method_names(table),
                "steps": form(table.steps, ",.0f"),
                "seconds": form(table.flow_seconds, ".2f"),
                "held-out loss": form(table.held_out_loss, ".1e"),
                "highest of the flows": form(table.highest_flow, ".1e"),
                "device": table.device,
                "flows": table.flows,
            }
        )
        return columns.loc[:, (columns != "").any()]
