"""Score what one method made of one draw."""

from __future__ import annotations

from pathlib import Path

from wowbench.datasets.prepared import read_prepared
from wowbench.jobs.device import resolve_device
from wowbench.jobs.files import read_draw, read_flowed
from wowbench.registry import TASKS
from wowbench.results.records import recorded


def run(spec: dict, *, draw: Path, flow: Path, target: Path, out: Path, device: str) -> None:
    """Score a flow by the rules of its task.

    Parameters
    ----------
    spec : dict
        Keys ``task``, ``seeds`` (one a training), the task's own, and ``axes``.
    draw, flow : Path
        Files of the draw and of the method's outcome.
    target : Path
        Prepared target dataset, whose test set is used.
    out : Path
        File of the record, which holds the scores.
    device : str
        Torch device.
    """
    device = resolve_device(device)
    with recorded(out, "evaluate", spec, device) as entry:
        flowed = read_flowed(flow)
        if flowed.diverged:
            entry.status, entry.message = "diverged", "the flow diverged; nothing to evaluate"
            return
        _, test = read_prepared(target)
        task = TASKS.get(spec["task"])
        entry.measurements = task.evaluate(spec, read_draw(draw), flowed, test, device)
