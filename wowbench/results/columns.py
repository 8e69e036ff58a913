"""The columns of tidy scores: what each holds, and of which type it is."""

from __future__ import annotations

from typing import NamedTuple


class Column(NamedTuple):
    """A column of the scores.

    Attributes
    ----------
    name : str
        Its name.
    meaning : str
        What a row has in it, in Markdown.
    dtype : str
        Type in pandas: "str", whose values are empty where there is nothing to say, or a number's,
        which is missing there.
    """

    name: str
    meaning: str
    dtype: str = "str"


FIRST = (
    Column("task", "Registered name of the task."),
    Column("experiment", "The experiment's `id`, else the name of its task."),
    Column("source", "Label of the source dataset: its `id`, else its registered name."),
    Column("target", "Label of the target dataset; that of the source where there is only one."),
    Column("method", "Label of the method or distance: its `id`, else its registered name."),
    Column(
        "k",
        "Target images of a class (transfer), synthetic ones (distillation), or particles of a "
        "class. 0 stands for a whole training set.",
        "int64",
    ),
    Column("flow_seed", "Number of the flow, from 0: a draw and a seed of its own.", "int64"),
    Column("training_seed", "Number of the training on a flow's outcome, where one is.", "Int64"),
    Column("metric", "What was measured; the verb of the job where it has no result."),
    Column("value", "The measurement. Accuracies and shares lie in [0, 1].", "float64"),
    Column(
        "draw",
        "First 16 digits of the SHA-256 of the particles that the flow started from: equal for "
        "methods that saw the same images.",
    ),
    Column("algorithm", "Registered name of the method or distance, whatever its label."),
    Column("departures", "Where parameters are not the published ones, in words."),
    Column("status", "`ok`, `diverged`, `refused`, or `failed` for a job that left no record."),
    Column("message", "Why the status is not `ok`."),
    Column("device", "Name of the GPU, or `cpu`."),
    Column("commit", "Commit of the code that ran; empty outside a repository."),
)
"""Columns of all scores, in their order."""

OWN = (
    Column("protocol", "Name of the protocol of a training, with its network if not the usual."),
    Column("budget", "`own` or `matched`: the optimiser steps that a training may take."),
    Column("step", "Step of the flow that was scored.", "Int64"),
    Column("epoch", "Epoch of the training that was scored.", "Int64"),
    Column("pair", "Number of the pair of subsets whose distance was measured.", "Int64"),
    Column("source_size", "Points in the first subset of a pair.", "Int64"),
    Column("target_size", "Points in the second subset of a pair.", "Int64"),
)
"""Columns that scores have where their tasks need them."""

PARTS = {
    "task": "Parameters of the experiment that make the problem.",
    "source": "Parameters of the source dataset, without paths.",
    "target": "Parameters of the target dataset, without paths.",
    "protocol": "Parameters of the training.",
    "method": "Parameters of the method or distance; those of its kernel and scheme as in "
    "`method.scheme.lr`.",
}
"""Beginnings of dotted columns, with what these hold: all parameters of a cell, as text."""

FIRST_COLUMNS = tuple(column.name for column in FIRST)
"""Names of the columns of all scores."""

NUMBERS = {column.name: column.dtype for column in (*FIRST, *OWN) if column.dtype != "str"}
"""Types of the columns that are no text."""
