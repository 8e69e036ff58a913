"""What a run will take before it begins: jobs, hours, memory and disk."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from wowbench.costs import Cost, Work, read_costs, work_of
from wowbench.plan import Plan

ABOUT = 0.1
"""Costs count together whose work is as much alike, in logarithms."""


@dataclass(frozen=True)
class Estimate:
    """What a job will take, or what several will.

    Attributes
    ----------
    low, high : float
        Seconds.
    unknown : int
        Jobs without a measured cost: their seconds are the least and the most of any job of that
        verb, of the same task if there are any, and missing where there is none.
    memory, disk : float
        Bytes: of the largest job, and of all; missing where nothing was measured.
    """

    low: float = 0.0
    high: float = 0.0
    unknown: int = 0
    memory: float = float("nan")
    disk: float = float("nan")


def estimate(work: Work, costs: Sequence[Cost], *, on_gpu: bool) -> Estimate:
    """Estimate what a job will take from what others took.

    From jobs of the same verb and what runs there, on the same kind of device, those of the same
    task if there are any: the ones whose `Work.size` is closest, scaled by it, and by `amount`.

    Parameters
    ----------
    work : Work
        What it has to do.
    costs : sequence of Cost
        What others took.
    on_gpu : bool
        Whether it runs on a GPU.
    """
    same_verb = [cost for cost in costs if cost.job == work.job]
    on_device = [cost for cost in same_verb if (cost.device != "cpu") == on_gpu]
    alike = [c for c in on_device if (c.name, c.embedding) == (work.name, work.embedding)]
    alike = [cost for cost in alike if cost.task == work.task] or alike
    alike = [c for c in alike if c.directions.isdecimal() == work.directions.isdecimal()]
    memory, disk = _closest(work, same_verb, "memory"), _closest(work, same_verb, "disk")
    held = max((cost.memory for cost in memory), default=math.nan)
    stored = [cost.disk * work.stored / cost.stored for cost in disk]
    bytes_ = max(stored, default=math.nan)
    if not alike:
        others = [cost for cost in on_device if cost.embedding == work.embedding]
        others = [cost for cost in others if cost.task == work.task] or others
        rates = [work.amount * cost.rate for cost in others] or [math.nan]
        return Estimate(min(rates), max(rates), 1, held, bytes_)
    nearest = _nearest(work, alike)
    seconds = [work.amount * cost.rate * work.size / cost.size for cost in nearest]
    return Estimate(min(seconds), max(seconds), 0, held, bytes_)


def _closest(work: Work, costs: Sequence[Cost], measured: str) -> list[Cost]:
    """Costs in which something was measured: of what runs if there are any, else of the verb."""
    known = [cost for cost in costs if not math.isnan(getattr(cost, measured))]
    named = [cost for cost in known if (cost.name, cost.task) == (work.name, work.task)]
    return _nearest(work, named or known)


def _nearest(work: Work, costs: Sequence[Cost]) -> list[Cost]:
    apart = [abs(math.log(cost.size / work.size)) for cost in costs]
    least = min(apart, default=0.0)
    return [cost for cost, far in zip(costs, apart, strict=True) if far <= least + ABOUT]


def total(estimates: Sequence[Estimate]) -> Estimate:
    """Add up what several jobs will take."""
    known = [e for e in estimates if not math.isnan(e.low)]
    memory = [e.memory for e in estimates if not math.isnan(e.memory)]
    disk = [e.disk for e in estimates if not math.isnan(e.disk)]
    return Estimate(
        sum(e.low for e in known),
        sum(e.high for e in known),
        sum(e.unknown for e in estimates),
        max(memory, default=math.nan),
        sum(disk) if disk else math.nan,
    )


def estimates(plan: Plan, costs: Sequence[Cost]) -> dict[tuple[str, str], list[Estimate]]:
    """Estimate all jobs of a run, by experiment and verb."""
    found: dict[tuple[str, str], list[Estimate]] = {}
    for verb, jobs in plan.jobs.items():
        on_gpu = bool(plan.gpus) and verb not in ("prepare", "draw")
        for job in jobs.values():
            experiment = job.spec["axes"].get("experiment", "")
            one = estimate(work_of(verb, job.spec), costs, on_gpu=on_gpu)
            found.setdefault((experiment, verb), []).append(one)
    return found


def describe(plan: Plan) -> str:
    """Write for people what a run will take."""
    import pandas as pd

    costs = read_costs()
    found = estimates(plan, costs)
    rows = []
    for (experiment, verb), jobs in sorted(found.items(), key=lambda item: item[0][0]):
        rows.append({"experiment": experiment, "jobs": f"{len(jobs)} {verb}"} | _row(total(jobs)))
    everything = [one for jobs in found.values() for one in jobs]
    rows.append({"experiment": "all", "jobs": str(len(everything))} | _row(total(everything)))
    unit = "time of a GPU" if plan.gpus else "time of a core"
    table = pd.DataFrame(rows).rename(columns={"time": unit})
    text = table.to_markdown(index=False, disable_numparse=True)
    return f"{text}\n\n{_caption(plan, costs, total(everything))}"


def _row(sum_: Estimate) -> dict[str, str]:
    return {
        "time": _time(sum_),
        "no measured cost": str(sum_.unknown or ""),
        "memory of a job": _bytes(sum_.memory),
        "disk": _bytes(sum_.disk),
    }


def _time(sum_: Estimate) -> str:
    if sum_.high == 0 and sum_.unknown:
        return "unknown"
    low, high = (_duration(seconds) for seconds in (sum_.low, sum_.high))
    return low if low == high else f"{low} to {high}"


def _duration(seconds: float) -> str:
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds:.2g} s"


def _bytes(number: float) -> str:
    if math.isnan(number):
        return ""
    for unit, size in (("GiB", 2**30), ("MiB", 2**20)):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return f"{number / 2**10:.3g} KiB"


def _caption(plan: Plan, costs: Sequence[Cost], sum_: Estimate) -> str:
    devices = ", ".join(sorted({cost.device for cost in costs})) or "nothing"
    lines = [
        f"Scaled from jobs that were measured on {devices}: a step by (n + k) x directions, a "
        "training by its images and epochs, a distance by its particles, each from the closest "
        "that was measured. A flow that stops by itself is taken to stop as early as those did. "
        "The start of each process, some two seconds, comes on top.",
    ]
    if sum_.unknown:
        lines.append(
            f"Jobs without a measured cost: {sum_.unknown}. They stand with the least and the most "
            "that jobs of their verb took on such a device, for as many steps or trainings."
        )
    if plan.config.threads > 1:
        lines.append(f"Each job has {plan.config.threads} threads; costs are those of one.")
    return "\n".join(lines)
