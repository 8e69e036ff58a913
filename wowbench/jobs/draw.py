"""Draw the source and target particles of one flow."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from wowbench.datasets.base import LabelledParticles
from wowbench.datasets.prepared import read_prepared
from wowbench.datasets.splits import draw_per_class
from wowbench.errors import InputError
from wowbench.evaluation.sizes import check_image_size
from wowbench.jobs.drawn import Drawn, write_draw
from wowbench.jobs.specs import DrawSpec
from wowbench.results.records import recorded
from wowbench.space import Chart


def run(values: dict, *, source: Path, target: Path, out: Path, record: Path) -> None:
    """Draw source and target training images of each class.

    Parameters
    ----------
    values : dict
        See `wowbench.jobs.specs.DrawSpec`.
    source, target : Path
        Prepared datasets.
    out, record : Path
        Files to write.

    Raises
    ------
    InputError
        For a file of another job, a class with too few images, images that are too small for the
        evaluation, or source and target images of different shapes.
    """
    spec = DrawSpec.parse(values, "--spec")
    with recorded(record, "draw", values) as entry:
        prepared = read_prepared(source, spec.inputs.source)
        entry.inputs["source"] = prepared.digest
        drawn_source = draw_per_class(prepared.train, spec.n, seed=spec.source_seed)
        prepared = read_prepared(target, spec.inputs.target)
        entry.inputs["target"] = prepared.digest
        train = prepared.train
        images = f"target {spec.axes.get('target')}"
        check_image_size(images, train.shape, spec.minimum_size, "the evaluation")
        k = _smallest_class(train) if spec.k is None else spec.k
        if k < spec.minimum_k:
            raise InputError(
                f"{images} has {k} images in its smallest class; expected at least "
                f"{spec.minimum_k}, the `batch_size` of a step"
            )
        drawn_target = draw_per_class(train, k, seed=spec.target_seed)
        shapes = tuple(drawn_source.shape[2:]), tuple(drawn_target.shape[2:])
        if shapes[0] != shapes[1]:
            raise InputError(
                f"source {spec.axes.get('source')} has images of shape {shapes[0]} and target "
                f"{spec.axes.get('target')} of shape {shapes[1]}; they must be equal "
                "(set `image_size`)"
            )
        chart = Chart.of(train.particles) if spec.normalise else None
        drawn = Drawn(drawn_source, drawn_target, train.classes, chart)
        entry.outputs["draw"] = write_draw(out, drawn, values)


def _smallest_class(labelled: LabelledParticles) -> int:
    return int(np.bincount(labelled.labels, minlength=len(labelled.classes)).min())
