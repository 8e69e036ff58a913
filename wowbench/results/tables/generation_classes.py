"""How many classes stay together when a dataset is flowed to another one."""

from __future__ import annotations

import pandas as pd

from wowbench.results.cells import cell_columns, method_names, problem_names, sorted_by_problem
from wowbench.results.comparison import readable_flows
from wowbench.results.report import Table
from wowbench.results.summary import summarise


class GenerationClasses(Table):
    """Source classes that go whole to one target class, and the purity of where classes go.

    A moved particle goes to the class of the target particle that is nearest to it at the end. A
    class is whole if all its particles go to one class. Purity is the share of a class's particles
    that go where most of them do, over all classes: 1 where all are whole. Means are over flows,
    "±" is the standard error sd / sqrt(flows); a single flow has none. Classes of noise differ in
    nothing at the start. Nothing of this is in the paper.
    """

    def make(self, scores: pd.DataFrame) -> pd.DataFrame:
        """Summarise both metrics.

        Returns
        -------
        DataFrame
            One row for each cell: its columns, ``source_classes``, ``whole_classes`` and
            ``purity`` with ``whole_classes_error`` and ``purity_error``, ``flows`` and
            ``left_out``.
        """
        scores = scores[scores.task == "generation"]
        table = summarise(scores, "whole_classes")
        cell = cell_columns(table)
        table = table.rename(columns={"mean": "whole_classes", "error": "whole_classes_error"})
        for metric in ("purity", "source_classes"):
            other = summarise(scores, metric)[[*cell, "mean", "error"]]
            names = {"mean": metric, "error": f"{metric}_error"}
            table = table.merge(other.rename(columns=names), on=cell, how="left", validate="1:1")
        columns = ["source_classes", "whole_classes", "whole_classes_error"]
        columns += ["purity", "purity_error", "flows", "left_out"]
        return sorted_by_problem(table[[*cell, *columns]])

    def readable(self, table: pd.DataFrame) -> pd.DataFrame:
        """Format for people."""
        columns = pd.DataFrame(
            {
                "datasets": problem_names(table),
                "images per class": table.k,
                "method": method_names(table),
                "source classes": _with_errors(table.source_classes, None, ".0f"),
                "whole": _with_errors(table.whole_classes, table.whole_classes_error, ".1f"),
                "purity": _with_errors(table.purity, table.purity_error, ".3f"),
                "flows": readable_flows(table),
            }
        )
        return columns.loc[:, (columns != "").any()]


def _with_errors(values: pd.Series, errors: pd.Series | None, form: str) -> list[str]:
    errors = [None] * len(values) if errors is None else errors
    return [
        ""
        if pd.isna(value)
        else format(value, form) + ("" if pd.isna(error) else f" ± {error:{form}}")
        for value, error in zip(values, errors, strict=True)
    ]
