"""The flows of a run as a table, for figures that show images and losses."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from wowbench.jobs.drawn import Drawn, read_draw
from wowbench.jobs.flowed import read_flow
from wowbench.methods.trajectory import Trajectory
from wowbench.plan import Plan
from wowbench.results.cells import method_names, problem_names


def flows_of(plan: Plan, task: str | None = None) -> pd.DataFrame:
    """List the flow jobs of a run, with what distinguishes them.

    Parameters
    ----------
    plan : Plan
        The run.
    task : str, optional
        Task whose flows are listed; by default all.

    Returns
    -------
    DataFrame
        One row per flow: ``job`` (its name in the plan), its axes, the columns of its cell, and
        ``problem`` and ``name``, which say for people what differs.
    """
    rows = [
        {"job": name, **job.spec["axes"], **job.columns[0]}
        for name, job in plan.jobs["flow"].items()
        if task in (None, job.spec["axes"]["task"])
    ]
    if not rows:
        return pd.DataFrame(columns=["job"])
    table = pd.DataFrame(rows).fillna("")
    return table.assign(problem=problem_names(table), name=method_names(table))


def trajectory_of(plan: Plan, name: str) -> Trajectory:
    """Read what a flow job wrote, in natural units, and see that it is the plan's."""
    path = plan.path("flows", f"{name}.safetensors")
    return read_flow(Path(path), plan.jobs["flow"][name].spec)[0]


def drawn_of(plan: Plan, name: str) -> Drawn:
    """Read the draw that a flow job starts from, and see that it is the plan's."""
    path = plan.inputs("flow", name)["draw"]
    return read_draw(Path(path), plan.jobs["flow"][name].spec["inputs"]["draw"])
