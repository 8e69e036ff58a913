"""Which jobs of a run share a process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING, Annotated

from pydantic import ConfigDict, Field

from wowbench.canonical import canonical_json
from wowbench.parameters import Parameters

if TYPE_CHECKING:
    from wowbench.graph import Job

MOST = 64
"""Jobs of a process, at most."""

COMMAND_LENGTH = 80_000
"""Characters of the specs of a command, at most: Linux takes 131,072 in all."""

JobCount = Annotated[int, Field(ge=1, le=MOST)]


class Together(Parameters):
    """How many jobs of a verb a process takes.

    No spec and no result depends on it. On a CPU the jobs of a process follow one another, and
    share its start. On a GPU its flows run at once, and the others follow one another.

    Parameters
    ----------
    flow : int
        Flows of one method on problems that differ by their draw and k alone.
    evaluate : int
        Evaluations of one method's flows that differ by their draw alone.
    distance : int
        Distances of one experiment between the same two datasets, which are read once.
    """

    model_config = ConfigDict(json_schema_extra={"additionalProperties": False})

    flow: JobCount = 1
    evaluate: JobCount = 1
    distance: JobCount = 1


def batches(jobs: Mapping[str, Job], verb: str, most: int) -> list[tuple[str, ...]]:
    """Share the jobs of a verb out among processes.

    Parameters
    ----------
    jobs : mapping of str to Job
        All jobs of the verb, by name.
    verb : {"flow", "evaluate", "distance"}
        What they do.
    most : int
        Jobs that a process takes; fewer where their specs are too long for one command.

    Returns
    -------
    list of tuple of str
        Names of the jobs of each process. Those that are alike are as evenly shared as can be.
    """
    if most == 1:
        return [(name,) for name in jobs]
    groups: dict[str, list[str]] = {}
    for name, job in jobs.items():
        groups.setdefault(canonical_json(_KINDS[verb](job.spec)), []).append(name)
    found = []
    for names in groups.values():
        longest = max(len(canonical_json(jobs[name].spec)) for name in names)
        at_once = min(most, max(COMMAND_LENGTH // longest, 1))
        parts = ceil(len(names) / at_once)
        bounds = [len(names) * i // parts for i in range(parts + 1)]
        found += [tuple(names[start:end]) for start, end in pairwise(bounds)]
    return found


def _kind_of_flow(spec: dict) -> list:
    """All that flows of a process have in common: they differ by the draw, its k and the seed."""
    drawn = spec["inputs"]["draw"]
    return [
        spec["axes"]["experiment"],
        spec["method"],
        spec["problem"],
        spec["snapshots"],
        drawn["n"],
        drawn["units"],
        drawn["inputs"],
    ]


def _kind_of_evaluation(spec: dict) -> list:
    flow = spec["inputs"]["flow"]
    return [_kind_of_flow(flow), flow["inputs"]["draw"]["k"], spec["evaluators"]]


def _kind_of_distance(spec: dict) -> list:
    return [spec["axes"]["experiment"], spec["inputs"]]


_KINDS: dict[str, Callable[[dict], list]] = {
    "flow": _kind_of_flow,
    "evaluate": _kind_of_evaluation,
    "distance": _kind_of_distance,
}
