"""The smallest images that each network takes, known without torch."""

from wowbench.errors import InputError

MINIMUM_SIZE = {"lenet5": 28, "resnet18": 9, "convnet": 8, "adaptation_cnn": 5, "mlp": 1}
"""Smallest height and width, by a network's name in `wowbench.evaluation.networks`."""


def check_image_size(images: str, shape: tuple[int, ...], minimum_size: int, reader: str) -> None:
    """Refuse images that are too small, and points where images of some size are needed.

    Parameters
    ----------
    images : str
        Whose images they are.
    shape : tuple of int
        Channels, height and width; or another shape, of points.
    minimum_size : int
        Smallest height and width that can be read; 0 where points can be read too.
    reader : str
        What reads them.

    Raises
    ------
    InputError
        If height or width is less than `minimum_size`, or there is neither.
    """
    if minimum_size == 0:
        return
    if len(shape) != 3:
        raise InputError(
            f"{images} has points of shape {shape}, and {reader} needs images of at least "
            f"{minimum_size} x {minimum_size} pixels"
        )
    _, height, width = shape
    if min(height, width) < minimum_size:
        raise InputError(
            f"{images} has images of {height} x {width} pixels, and {reader} needs at least "
            f"{minimum_size} x {minimum_size} (set `image_size`)"
        )
