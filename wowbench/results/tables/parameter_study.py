"""What a parameter of a method does: an ablation of any task's methods."""

from __future__ import annotations

from typing import ClassVar

import pandas as pd

from wowbench.results.cells import WHOLE, problem_names
from wowbench.results.paired import CONFIDENCE
from wowbench.results.report import Table
from wowbench.results.studies import parameter_study


class ParameterStudy(Table):
    """Test accuracy by the value of one parameter, all others being those of the reference.

    The reference of an algorithm is the first of its methods in an experiment, and has a row among
    the values of each parameter. A kernel or a scheme of another name counts as one parameter,
    with all of its own. Methods that differ from the reference in several parameters are left out.

    The mean is over flows. "s.e." is its standard error in points, clustered by flow:
    sd(means of flows) / sqrt(flows). "Minus reference" is the mean over draws of the difference to
    the reference on the same draw, with Student's 95 % confidence interval over draws:
    mean ± t sd(differences) / sqrt(draws).
    """

    metric: ClassVar[str] = "accuracy"
    """Metric of the scores."""

    job: ClassVar[str] = "evaluate"
    """Verb of the job that measures it."""

    quantity: ClassVar[str] = "test accuracy (%)"
    """What the metric is called, with its unit."""

    scale: ClassVar[float] = 100.0
    """Value of the metric in this unit, per value in the scores."""

    form: ClassVar[str] = ".1f"
    """How numbers in this unit are formatted."""

    def make(self, scores: pd.DataFrame) -> pd.DataFrame:
        """Compare the methods of each experiment that differ in one parameter.

        Returns
        -------
        DataFrame
            As from `wowbench.results.studies.parameter_study`, in units of the scores.
        """
        return parameter_study(scores, self.metric, job=self.job)

    def readable(self, table: pd.DataFrame) -> pd.DataFrame:
        """Format for people, in the unit of `quantity`."""
        several = table.experiment.nunique() > 1
        columns = {
            "experiment": list(table.experiment) if several else [],
            "problem": list(problem_names(table)),
            "k": ["all" if k == WHOLE else str(k) for k in table.k],
            "protocol": list(table.get("protocol", [])),
            "algorithm": list(table.algorithm),
            "parameter": list(table.parameter),
            "value": list(table.value),
            self.quantity: self._numbers(table["mean"]),
            "s.e.": self._numbers(table.error),
            "minus reference": [
                "reference" if is_reference else number
                for is_reference, number in zip(
                    table.is_reference, self._numbers(table.difference, "+"), strict=True
                )
            ],
            f"{CONFIDENCE:.0%} interval": [
                f"[{low}, {high}]" if low else ""
                for low, high in zip(
                    self._numbers(table.low, "+"), self._numbers(table.high, "+"), strict=True
                )
            ],
            "flows": [
                f"{flows} ({left_out})" if left_out else str(flows)
                for flows, left_out in zip(table.flows, table.left_out, strict=True)
            ],
        }
        return pd.DataFrame({name: column for name, column in columns.items() if any(column)})

    def _numbers(self, values: pd.Series, sign: str = "") -> list[str]:
        scaled = self.scale * values
        return ["" if pd.isna(v) else format(v, f"{sign}{self.form}") for v in scaled]
