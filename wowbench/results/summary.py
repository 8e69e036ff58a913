"""Mean and error of each cell of the scores: flows are the independent units."""

from __future__ import annotations

import pandas as pd
from pandas.api.typing import SeriesGroupBy

from wowbench.results.cells import cell_columns


def summarise(
    scores: pd.DataFrame, metric: str, by: tuple[str, ...] = (), *, job: str = "evaluate"
) -> pd.DataFrame:
    """Mean, spread and standard error of a metric for each cell.

    With y_ft the value of training t of flow f, F flows, and y_f the mean over the trainings of
    flow f, the mean is that of the y_f. Trainings of one flow share its images, so that the
    standard error is that of F independent means, ``sd(y_f) / sqrt(F)``: clustered by flow. A
    single flow has a mean and no more.

    Parameters
    ----------
    scores : DataFrame
        Tidy scores.
    metric : str
        Metric to summarise.
    by : tuple of str
        Columns that tell rows apart beside those of cells.
    job : {"evaluate", "flow"}
        Verb of the job that measures it, whose failures are counted.

    Returns
    -------
    DataFrame
        One row for each cell, in the order of the scores: the columns of cells and `by`, then
        ``mean``, ``std`` (over all trainings, with n - 1), ``error``, ``lowest_flow`` and
        ``highest_flow`` (of the y_f), ``flows``, ``draws`` (different ones that they start
        from), ``trainings`` (a flow; 0 where nothing is trained) and ``left_out`` (jobs without a
        value, by status).
    """
    failed = (scores.status != "ok") & (scores.metric == job) & (not by)
    rows = scores[failed | (scores.metric == metric)]
    cell = [*cell_columns(rows), *by]
    groups = rows.groupby(cell, sort=False)
    flows = groups_of_flows(rows, cell)
    summary = pd.DataFrame(
        {
            "mean": flows.mean(),
            "std": groups["value"].std(),
            "error": flows.sem(),
            "lowest_flow": flows.min(),
            "highest_flow": flows.max(),
            "flows": flows.count(),
            "draws": rows[rows.status == "ok"].groupby(cell).draw.nunique(),
            "trainings": groups["training_seed"].nunique(),
        }
    ).reindex(groups["value"].count().index)
    summary["draws"] = summary.draws.fillna(0).astype(int)
    single = summary.flows < 2
    spread = ["std", "error", "lowest_flow", "highest_flow"]
    summary[spread] = summary[spread].mask(single)
    summary["left_out"] = groups["status"].agg(_left_out)
    return summary.reset_index()


def groups_of_flows(rows: pd.DataFrame, cell: list[str]) -> SeriesGroupBy:
    """Take the mean over each flow's trainings, and group these means.

    Parameters
    ----------
    rows : DataFrame
        Scores of one metric.
    cell : list of str
        Columns to group by; within them a flow is known by its number.

    Returns
    -------
    SeriesGroupBy
        One value per flow.
    """
    means = rows.groupby([*cell, "flow_seed"], sort=False)["value"].mean().reset_index()
    return means.groupby(cell, sort=False)["value"]


def _left_out(statuses: pd.Series) -> str:
    counts = statuses[statuses != "ok"].value_counts(sort=False)
    return ", ".join(f"{count} {status}" for status, count in counts.items())
