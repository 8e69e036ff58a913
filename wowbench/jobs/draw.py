"""Draw the source and target images of one flow."""

from __future__ import annotations

from pathlib import Path

from wowbench.datasets.base import LabelledImages
from wowbench.datasets.normalisation import Normalisation
from wowbench.datasets.prepared import read_prepared
from wowbench.datasets.splits import draw_per_class
from wowbench.errors import InputError
from wowbench.evaluation.sizes import check_image_size
from wowbench.jobs.files import DrawnImages, write_draw
from wowbench.results.records import recorded


def run(spec: dict, *, source: Path, target: Path, out: Path, record: Path) -> None:
    """Draw ``spec["n"]`` source and ``spec["k"]`` target training images a class.

    Parameters
    ----------
    spec : dict
        Keys ``n``, ``source_seed``, ``k`` (None for as many as the smallest class has),
        ``target_seed``, ``normalise`` (whether images are to be standardised by the target's
        training images), ``minimum_size`` (smallest height and width that the evaluation takes),
        ``minimum_k`` (fewest target images a class that a step takes) and ``axes``.
    source, target : Path
        Prepared datasets.
    out, record : Path
        Files to write.

    Raises
    ------
    InputError
        For a class with too few images, images that are too small for the evaluation, or source
        and target images of different shapes.
    """
    with recorded(record, "draw", spec):
        train, _ = read_prepared(source)
        drawn_source = draw_per_class(train, spec["n"], seed=spec["source_seed"])
        train, _ = read_prepared(target)
        images = f"target {spec['axes']['target']}"
        check_image_size(images, train.image_shape, spec["minimum_size"], "the evaluation")
        k = _smallest_class(train) if spec["k"] is None else spec["k"]
        if k < spec["minimum_k"]:
            raise InputError(
                f"{images} has {k} images in its smallest class; expected at least "
                f"{spec['minimum_k']}, the `batch_size` of a step"
            )
        drawn_target = draw_per_class(train, k, seed=spec["target_seed"])
        shapes = tuple(drawn_source.shape[2:]), tuple(drawn_target.shape[2:])
        if shapes[0] != shapes[1]:
            axes = spec["axes"]
            raise InputError(
                f"source {axes['source']} has images of shape {shapes[0]} and target "
                f"{axes['target']} of shape {shapes[1]}; they must be equal (set `image_size`)"
            )
        normalisation = Normalisation.of(train.images) if spec["normalise"] else None
        write_draw(out, DrawnImages(drawn_source, drawn_target, train.classes, normalisation))


def _smallest_class(labelled: LabelledImages) -> int:
    return int(labelled.labels.bincount(minlength=len(labelled.classes)).min())
