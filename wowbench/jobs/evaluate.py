"""Score what one method made of one draw."""

from __future__ import annotations

from pathlib import Path

from wowbench.datasets.prepared import read_prepared
from wowbench.errors import InputError
from wowbench.jobs.drawn import read_draw
from wowbench.jobs.files import read_flowed
from wowbench.jobs.machine import limit_threads, resolve_device
from wowbench.jobs.specs import EvaluateSpec
from wowbench.registry import TASKS
from wowbench.results.records import Measurement, recorded


def run(values: dict, *, draw: Path, flow: Path, target: Path, out: Path, device: str) -> None:
    """Score a flow by the rules of its task.

    A training that diverges, or that cannot take what the flow made, is recorded as such.

    Parameters
    ----------
    values : dict
        See `wowbench.jobs.specs.EvaluateSpec`.
    draw, flow : Path
        Files of the draw and of the method's outcome.
    target : Path
        Prepared target dataset, whose test set is used.
    out : Path
        File of the record, which holds the scores.
    device : str
        Torch device.

    Raises
    ------
    InputError
        For a file that is not of the jobs that the spec names.
    """
    spec = EvaluateSpec.parse(values, "--spec")
    task = TASKS.get(spec.task)
    evaluation = task.evaluation.parse(spec.evaluation, "--spec: evaluation")
    device = resolve_device(device)
    with limit_threads(spec.threads), recorded(out, "evaluate", values, device) as entry:
        flowed = read_flowed(flow, spec.inputs.flow)
        drawn = read_draw(draw, spec.inputs.draw)
        prepared = read_prepared(target, spec.inputs.target)
        entry.inputs = {"draw": drawn.digest, "flow": flowed.digest, "target": prepared.digest}
        if flowed.diverged:
            entry.status, entry.message = "diverged", "the flow diverged; nothing to evaluate"
            return
        try:
            rows = task.evaluate(evaluation, spec.seeds, drawn, flowed, prepared.test, device)
        except ArithmeticError as error:
            entry.status, entry.message = "diverged", str(error)
        except InputError as error:
            entry.status, entry.message = "refused", str(error)
        else:
            entry.measurements = [Measurement(**row) for row in rows]
