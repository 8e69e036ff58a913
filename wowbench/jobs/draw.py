"""Draw the source and target particles of one flow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field

from wowbench.datasets.base import LabelledParticles
from wowbench.datasets.prepared import Prepared, read_prepared
from wowbench.datasets.splits import draw_per_class, smallest_class
from wowbench.errors import InputError
from wowbench.evaluation.sizes import check_image_size
from wowbench.jobs.drawn import Drawn, write_draw
from wowbench.parameters import Count, Parameters, Seed
from wowbench.plugins import JobSpec
from wowbench.results.records import recorded
from wowbench.space import Chart, Units


class _DrawInputs(Parameters):
    source: dict
    target: dict
    test: dict | None = None


class DrawSpec(JobSpec):
    """Spec of ``wowbench draw``.

    Parameters
    ----------
    n, k : int
        Source and target particles per class; a `k` of None is the size of the smallest class.
    source_seed, target_seed : int
        Seeds of the two draws.
    units : {"natural", "target", "own"}
        What the flow moves: natural values, or values that are standardised by the target's
        training particles, or each side's by its own.
    equal_classes : bool
        Whether source and target must have equally many classes.
    minimum_size : int
        Smallest height and width that the evaluation takes; 0 where it takes points too.
    minimum_k : int
        Fewest target particles per class that a step takes.
    axes : dict
        The columns of the scores that the job belongs to.
    inputs : dict
        Specs of the jobs that prepare ``source`` and ``target``, and ``test``, if another dataset's
        test split scores the outcome.
    """

    n: Count
    source_seed: Seed
    k: Count | None
    target_seed: Seed
    units: Units
    equal_classes: bool
    minimum_size: int = Field(ge=0, le=10**6)
    minimum_k: Count
    axes: dict[str, Any]
    inputs: _DrawInputs


def run(
    values: dict, *, source: Path, target: Path, test: Path | None, out: Path, record: Path
) -> None:
    """Draw source and target training particles of each class.

    Parameters
    ----------
    values : dict
        See `DrawSpec`.
    source, target : Path
        Prepared datasets.
    test : Path or None
        Prepared dataset whose test split will score the outcome, where it is not the target's: it
        is checked here, before any flow, and nothing of it is drawn.
    out, record : Path
        Files to write.

    Raises
    ------
    InputError
        For a file of another job, a class with too few particles, images that are too small for the
        evaluation, or datasets of shapes or numbers of classes that do not go together.
    """
    spec = DrawSpec.parse(values, "--spec")
    with recorded(record, "draw", values) as entry:
        parts = {}
        for role, prepared in _read(spec, {"source": source, "target": target, "test": test}):
            entry.inputs[role] = prepared.digest
            parts[role] = prepared.test if role == "test" else prepared.train
        _check(spec, **parts)
        drawn = _draw(spec, parts["source"], parts["target"])
        entry.outputs["draw"] = write_draw(out, drawn, values)


def _read(spec: DrawSpec, paths: dict[str, Path | None]) -> list[tuple[str, Prepared]]:
    """Read the prepared datasets that the spec names."""
    found = []
    for role, path in paths.items():
        made_by = getattr(spec.inputs, role)
        if path is None and made_by is not None:
            raise InputError(
                f"--{role} is missing; the spec's `inputs` have a job that prepares it"
            )
        if path is not None and made_by is None:
            raise InputError(f"--{role} {path}: the spec's `inputs` have no job that prepares it")
        if path is not None:
            found.append((role, read_prepared(path, made_by)))
    return found


def _check(
    spec: DrawSpec,
    source: LabelledParticles,
    target: LabelledParticles,
    test: LabelledParticles | None = None,
) -> None:
    """Refuse datasets that do not go together, or that the evaluation or a step cannot take."""
    check_image_size(f"target {target.dataset}", target.shape, spec.minimum_size, "the evaluation")
    k = smallest_class(target) if spec.k is None else spec.k
    if k < spec.minimum_k:
        raise InputError(
            f"target {target.dataset} has {k} {target.noun} in its smallest class; expected at "
            f"least {spec.minimum_k}, the `batch_size` of a step"
        )
    _require_equal_shapes("source", source, target)
    if spec.equal_classes:
        _require_equal_classes("source", source, target)
    if test is not None:
        _require_equal_shapes("test", test, target)
        _require_equal_classes("test", test, target)


def _require_equal_shapes(role: str, other: LabelledParticles, target: LabelledParticles) -> None:
    if other.shape != target.shape:
        hint = " (set `image_size`)" if len(other.shape) == len(target.shape) == 3 else ""
        raise InputError(
            f"{role} {other.dataset} has {other.noun} of shape {other.shape} and target "
            f"{target.dataset} of shape {target.shape}; they must be equal{hint}"
        )


def _require_equal_classes(role: str, other: LabelledParticles, target: LabelledParticles) -> None:
    if len(other.classes) != len(target.classes):
        raise InputError(
            f"{role} {other.dataset} has {len(other.classes)} classes and target "
            f"{target.dataset} has {len(target.classes)}; they must be equal here"
        )


def _draw(spec: DrawSpec, source: LabelledParticles, target: LabelledParticles) -> Drawn:
    k = smallest_class(target) if spec.k is None else spec.k
    return Drawn(
        source=draw_per_class(source, spec.n, seed=spec.source_seed),
        target=draw_per_class(target, k, seed=spec.target_seed),
        classes=target.classes,
        chart=None if spec.units == "natural" else Chart.of(target.particles),
        source_chart=Chart.of(source.particles) if spec.units == "own" else None,
    )
