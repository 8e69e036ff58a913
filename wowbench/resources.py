"""Memory and minutes that a job asks a scheduler for, by its verb and its spec.

All numbers are upper ends of what runs took on a CPU thread, in part on a machine that was busy:
seconds of flows are in ``results/measured/*/scores.csv``, those of others and memory in records.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

PARTICLES, DIRECTIONS, BATCH = 500, 500, 256
"""Particles a class, directions, and images a step, up to which the numbers hold as they are."""

ALL = 6000
"""Particles of a class where all are taken: as many as MNIST has."""

SECONDS_A_STEP = {
    "dm": 0.02,
    "dm_authors": 0.02,
    "m3d": 0.02,
    "ncfm": 0.02,
    "mmd_product": 0.3,
    "mmdsw_fast": 0.15,
    "mmdsw_sprint": 0.8,
    "otdd": 0.1,
}
"""Seconds of a step of a flow, by method."""

SECONDS_OF_OTHERS = 0.35
"""The same for the other methods, of which flows along directions take the longest."""

SECONDS_EMBEDDED, SECONDS_OF_OTHERS_EMBEDDED = {"dm_authors": 17.0}, 4.0
"""The same where a step goes through a network."""

MINUTES_A_TRAINING = {"distilled": 10, "few_shot": 5, "few_shot_by_epoch": 5}
"""Minutes of an evaluator for each of its trainings; the others train nothing."""

PARTICLES_OF_TRAININGS = {"distilled": 10}
"""Particles a class up to which they hold, where these are fewer than `PARTICLES`."""

MINUTES_A_PAIR = 1.0
"""Minutes of a distance for a pair of subsets of up to `PARTICLES_OF_PAIRS` particles in all."""

PARTICLES_OF_PAIRS, DIRECTIONS_OF_PAIRS = 2000, 1000

MARGIN = 2
"""How much more than its longest steps a flow asks for."""

FASTER_ON_GPU = 4
"""How much less time is asked for beside a GPU, on which flows were some ten times as fast."""

MINUTES = {"prepare": 60, "draw": 15, "train": 60, "flow": 15, "evaluate": 30, "distance": 30}
"""What a job has beside its steps, trainings and pairs; one that prepares may download."""

MEGABYTES = {"prepare": 4000, "draw": 2000}
"""What the others ask for is more than twice what any took."""

MEGABYTES_OF_OTHERS = 4000

MEGABYTES_A_PARTICLE, MEGABYTES_A_FRAME = 0.5, 0.04
"""What particles of a class take in a step of 10 classes and 784 dimensions, and in a snapshot."""

AT_ONCE = ("flow",)
"""Verbs of which jobs of one process may run at once; those of others follow one another."""

REPORT_MEGABYTES, REPORT_MINUTES = 4000, 30
"""What a table or a figure asks for, which may read all flows of a run."""


class Needs(NamedTuple):
    """What a job asks for: memory in megabytes, and time in minutes."""

    mem_mb: int
    minutes: int

    def on(self, attempt: int) -> Needs:
        """As much again for each attempt after the first."""
        return Needs(self.mem_mb * attempt, self.minutes * attempt)


def together(verb: str, needs: Sequence[Needs]) -> Needs:
    """Ask for several jobs of one process: time for all, and room for those that run at once."""
    room = sum if verb in AT_ONCE else max
    return Needs(room(each.mem_mb for each in needs), sum(each.minutes for each in needs))


REPORT = Needs(REPORT_MEGABYTES, REPORT_MINUTES)


def needs(verb: str, spec: dict[str, Any], *, gpus: int = 0) -> Needs:
    """Memory and time of a job, which should be more than it takes.

    Parameters
    ----------
    verb : str
        "prepare", "draw", "train", "flow", "evaluate" or "distance".
    spec : dict
        The job's ``--spec``.
    gpus : int
        GPUs that it takes.

    Returns
    -------
    Needs
        Of the first attempt.
    """
    work = {"flow": _flow_minutes, "evaluate": _evaluate_minutes, "distance": _distance_minutes}
    memory = {"flow": _moved_megabytes, "evaluate": _moved_megabytes, "distance": _pair_megabytes}
    minutes = work[verb](spec) / (FASTER_ON_GPU if gpus else 1) if verb in work else 0
    megabytes = MEGABYTES.get(verb, MEGABYTES_OF_OTHERS)
    megabytes += memory[verb](spec) if verb in memory else 0
    return Needs(math.ceil(megabytes), math.ceil(MINUTES[verb] + minutes))


def _flow_minutes(spec: dict[str, Any]) -> float:
    method, batch = spec["method"], spec["problem"].get("batch_size")
    if method.get("embedding"):
        seconds = SECONDS_EMBEDDED.get(method["name"], SECONDS_OF_OTHERS_EMBEDDED)
        seconds *= _over(batch or 0, BATCH)
    else:
        n, k = _particles(spec)
        seconds = SECONDS_A_STEP.get(method["name"], SECONDS_OF_OTHERS)
        seconds *= _over(max(n, min(batch or k, k)), PARTICLES)
        seconds *= _over(_directions(method), DIRECTIONS)
    return MARGIN * method.get("steps", 0) * seconds / 60


def _evaluate_minutes(spec: dict[str, Any]) -> float:
    n, _ = _particles(spec)
    names = [evaluator["name"] for evaluator in spec["evaluators"]]
    return len(spec["seeds"]) * sum(
        MINUTES_A_TRAINING.get(name, 0) * _over(n, PARTICLES_OF_TRAININGS.get(name, PARTICLES))
        for name in names
    )


def _distance_minutes(spec: dict[str, Any]) -> float:
    # Transport between all particles takes some time more than the square of their number.
    minutes = MINUTES_A_PAIR * _over(_pair(spec), PARTICLES_OF_PAIRS) ** 2
    minutes *= _over(_directions(spec["distance"]), DIRECTIONS_OF_PAIRS)
    return spec["subsets"]["pairs"] * minutes


def _moved_megabytes(spec: dict[str, Any]) -> float:
    frames = len(spec.get("snapshots") or spec["inputs"].get("flow", {}).get("snapshots", ()))
    n, k = _particles(spec)
    return n * (MEGABYTES_A_PARTICLE + MEGABYTES_A_FRAME * frames) + k * MEGABYTES_A_PARTICLE


def _pair_megabytes(spec: dict[str, Any]) -> float:
    # Costs between all particles and the transport, in double precision, and a copy of each.
    return 4 * 8 * _pair(spec) ** 2 / 2**20


def _particles(spec: dict[str, Any]) -> tuple[int, int]:
    """Particles of a class that move, and that there are of the target."""
    draw = spec["inputs"]["draw"]
    n, k = (ALL if draw[size] is None else draw[size] for size in ("n", "k"))
    return n, k


def _pair(spec: dict[str, Any]) -> int:
    """Particles of the largest subsets of a distance, of up to ten classes."""
    subsets = spec["subsets"]
    return subsets["sizes"][1] if subsets.get("sizes") else 10 * subsets["per_class"]


def _directions(parameters: dict[str, Any]) -> int:
    """Most directions at once; 0 where none are drawn, or a frame of them."""
    numbers = (parameters.get(name) for name in ("n_directions", "n_directions_end"))
    return max((number for number in numbers if isinstance(number, int)), default=0)


def _over(size: int, measured: int) -> float:
    """How many times as large as what was measured; 1 where it is smaller."""
    return max(1.0, size / measured)
