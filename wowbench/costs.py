"""What jobs cost where they ran: seconds, memory and disk, by n, k, directions and device.

Estimates of other jobs are scaled from these by `Work.size`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd

from wowbench.errors import InputError, one_line
from wowbench.files import atomic_path
from wowbench.results.published import RESULTS
from wowbench.results.records import Record, read_record
from wowbench.results.scores import read_scores

COSTS = RESULTS / "measured" / "costs.csv"
ALONE = "train_on_target"


@dataclass(frozen=True)
class Work:
    """What a job has to do, as far as its cost depends on it.

    Attributes
    ----------
    job : str
        Its verb.
    task, name : str
        Task, and what runs: a method, a distance, evaluators, a network, a dataset.
    n, k : int
        Source and target particles per class; particles of a side for distances.
    directions : str
        Number of directions of a step, or their kind; empty where there are none.
    embedding : str
        "True" where a step has the passes of a network.
    amount : float
        Steps at most, trainings, or pairs; 1 for what is done once.
    effort : float
        Images per class times epochs of a training, over all evaluators of a flow; 1 for all else.
    frames : int
        States that a flow keeps.
    """

    job: str
    task: str
    name: str
    n: int
    k: int
    directions: str = ""
    embedding: str = ""
    amount: float = 1
    effort: float = 1
    frames: int = 1

    @property
    def size(self) -> float:
        """What the seconds of a unit of `amount` are taken to be proportional to.

        ``(n + k) L`` for a step or a distance with L directions, `effort` for an evaluation, and
        n + k for all else. The numbers of classes and of coordinates are left out.
        """
        if self.job == "evaluate":
            return self.effort
        directions = float(self.directions) if self.directions.isdecimal() else 1.0
        return max(self.n + self.k, 1) * directions

    @property
    def stored(self) -> float:
        """What the bytes on disk are taken to be proportional to: particles times states."""
        return {"draw": self.n + self.k, "flow": self.n * self.frames}.get(self.job, 1) or 1


@dataclass(frozen=True)
class Cost(Work):
    """What work has cost: the median over jobs that did the same.

    Attributes
    ----------
    device : str
        "cpu", or the name of a GPU.
    rate : float
        Seconds of each unit of `amount`, on so many cores as the job had threads, or on a GPU.
    memory, disk : float
        Most bytes of memory, and bytes of files; missing where that was not measured.
    jobs : int
        Number of jobs behind it.
    run : str
        Archive or run that they are from.
    """

    device: str = "cpu"
    rate: float = 0.0
    memory: float = float("nan")
    disk: float = float("nan")
    jobs: int = 1
    run: str = ""


def work_of(verb: str, spec: Mapping[str, Any]) -> Work:
    """Read from a job's spec what it has to do."""
    axes = spec["axes"]
    task, k = axes.get("task", ""), int(axes.get("k", 0))
    n = int(_draw(verb, spec).get("n", k))
    if verb == "flow":
        method = spec["method"]
        return Work(
            **{"job": verb, "task": task, "name": method["name"], "n": n, "k": k},
            directions=str(method.get("n_directions") or ""),
            embedding=str(bool(method.get("embedding"))),
            amount=float(method.get("steps") or 1),
            frames=len(spec["snapshots"]) + 1,
        )
    if verb == "evaluate":
        name = " + ".join(sorted({entry["name"] for entry in spec["evaluators"]}))
        effort = sum(_effort(entry, spec, n, k) for entry in spec["evaluators"])
        amount = float(max(len(spec["seeds"]), 1))
        return Work(verb, task, name, n, k, amount=amount, effort=effort)
    if verb == "train":
        training = spec["training"]
        return Work(verb, task, training["network"], 0, k, amount=float(training.get("steps", 1)))
    if verb == "distance":
        distance, subsets = spec["distance"], spec["subsets"]
        directions = str(distance.get("n_directions") or "")
        size = _particles(subsets.get("sizes"), subsets.get("per_class"))
        amount = float(subsets["pairs"])
        return Work(verb, task, distance["name"], size, size, directions, amount=amount)
    name = spec["dataset"]["name"] if verb == "prepare" else ""
    return Work(verb, task, name, n, k)


def _draw(verb: str, spec: Mapping[str, Any]) -> Mapping[str, Any]:
    return spec if verb == "draw" else spec.get("inputs", {}).get("draw", {})


def _effort(entry: Mapping[str, Any], spec: Mapping[str, Any], n: int, k: int) -> float:
    """Images per class times epochs of one evaluator's training."""
    method = spec["inputs"]["flow"]["method"]["name"]
    alone = method == ALONE and entry.get("budget", "own") == "own"
    training = entry.get("training") or {}
    return float(max(k if alone else n + k, 1)) * float(training.get("epochs") or 1)


def _particles(sizes: Sequence[int] | None, per_class: int | None) -> int:
    """Particles of one side of a distance, of ten classes where only those of a class are known."""
    return int(sum(sizes) / len(sizes)) if sizes else 10 * (per_class or 1)


def archived_costs(archives: Path) -> list[Cost]:
    """Read what flows and distances of archived runs cost, from their scores."""
    costs = []
    for path in sorted(archives.glob("*/scores.csv")):
        scores = read_scores(path)
        rows = scores[scores.metric.isin(["flow_seconds", "seconds"])]
        for row in rows.to_dict("records"):
            costs.append(_archived(row, path.parent.name))
    return costs


def _archived(row: Mapping[str, Any], archive: str) -> Cost:
    named = {"task": row["task"], "name": row["algorithm"]}
    directions = row.get("method.n_directions", "")
    if row["metric"] == "seconds":
        within = row.get("task.mode", "within") == "within"
        sizes = json.loads(row.get("task.sizes") or "[]") if within else None
        size = _particles(sizes, int(row.get("task.per_class") or 1))
        work = Work("distance", **named, n=size, k=size, directions=directions)
    else:
        work = Work(
            "flow",
            **named,
            n=int(row.get("task.images_per_class") or row["k"]),
            k=int(row["k"]),
            directions=directions,
            embedding=row.get("method.embedding") or "False",
            amount=float(row.get("method.steps") or 1),
        )
    return _cost(work, row["device"], row["value"], archive)


def recorded_costs(run: Path) -> list[Cost]:
    """Read what the jobs of a finished run cost, from its records."""
    paths = sorted((run / "records").rglob("*.json"))
    if not paths:
        raise InputError(f"{run}: no records in it; expected the folder of a run")
    return list(_recorded(run, paths))


def _recorded(run: Path, paths: list[Path]) -> Iterator[Cost]:
    for path in paths:
        record = read_record(path)
        if record.status != "ok":
            continue
        work = work_of(record.job, record.spec)
        device = record.provenance["device"]
        yield _cost(
            work,
            device,
            record.seconds,
            run.name,
            memory=float(record.peak_memory_bytes or "nan"),
            disk=float(path.stat().st_size + _written(run, path, record)),
        )


def _written(run: Path, path: Path, record: Record) -> int:
    """Bytes of the files that a job wrote beside its record."""
    from wowbench.graph import OUTPUTS

    name = path.relative_to(run / "records" / record.job).with_suffix(".safetensors")
    files = (run / folder / name for folder in OUTPUTS[record.job].values())
    return sum(file.stat().st_size for file in files if file.exists())


def _cost(work: Work, device: str, seconds: float, run: str, **beside: float) -> Cost:
    return Cost(**asdict(work), device=device, rate=seconds / work.amount, run=run, **beside)


def write_costs(costs: list[Cost], out: Path) -> None:
    """Write the median of all jobs that did the same in one run, as CSV."""
    table = pd.DataFrame([asdict(cost) for cost in costs])
    key = [field.name for field in fields(Work)] + ["device", "run"]
    groups = table.groupby(key, sort=True)
    medians = groups[["rate", "disk"]].median()
    medians["memory"] = groups.memory.max()
    medians["jobs"] = groups.size()
    with atomic_path(out) as temporary:
        medians.reset_index().to_csv(temporary, index=False, float_format="%.4g")


def read_costs(path: Path = COSTS) -> list[Cost]:
    """Read what `write_costs` wrote; nothing where the package runs without the repository.

    Raises
    ------
    InputError
        If the file is something else.
    """
    if not path.exists():
        return []
    text = dict.fromkeys(("job", "task", "name", "directions", "embedding", "device", "run"), str)
    try:
        table = pd.read_csv(
            path, dtype=text, keep_default_na=False, na_values={"memory": "", "disk": ""}
        )
        return [Cost(**row) for row in table.to_dict("records")]
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"costs {path}: {one_line(error)}") from None
