"""Image files in folders of classes."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from wowbench.errors import InputError

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
_SYSTEM_FILES = ("thumbs.db", "desktop.ini")
_PILLOW_MODES = {1: "L", 3: "RGB"}
_EIGHT_BIT_MODES = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr"}


def visible_entries(folder: Path, label: str) -> list[Path]:
    """List what is in a folder and not hidden, sorted.

    Hidden are names with a dot in front, Thumbs.db and desktop.ini.

    Raises
    ------
    InputError
        If it cannot be read; begins with `label`, as the messages of all functions here.
    """
    try:
        return sorted(entry for entry in folder.iterdir() if not _is_hidden(entry.name))
    except OSError as error:
        raise InputError(f"{label}: cannot read {folder}: {error.strerror}") from None


def image_files(folder: Path, label: str) -> list[Path]:
    """List the images of one class, sorted: all that is visible in its folder.

    Raises
    ------
    InputError
        If there is none, or something else.
    """
    files = visible_entries(folder, label)
    for file in files:
        if file.is_dir():
            raise InputError(
                f"{label}: {file} is a folder; expected image files alone in the folder of a class"
            )
        if file.suffix.lower() not in SUFFIXES or not file.is_file():
            raise InputError(
                f"{label}: {file} is no image; expected files ending in {', '.join(SUFFIXES)}"
            )
    if not files:
        raise InputError(f"{label}: {folder} is empty; expected images of this class")
    return files


def read_image(file: Path, channels: int, label: str) -> np.ndarray:
    """Read one image.

    Parameters
    ----------
    file : Path
        Its file.
    channels : {1, 3}
        Grey or colour; an image of the other kind is converted.
    label : str
        What messages begin with.

    Returns
    -------
    numpy.ndarray, uint8, shape (channels, height, width)

    Raises
    ------
    InputError
        If it cannot be read, or its pixels have not 8 bits.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            # Other warnings are about what does not change the pixels, such as EXIF data.
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file) as image:
                if image.mode not in _EIGHT_BIT_MODES:
                    raise ValueError(f"pixels of mode {image.mode}, not of 8 bits")
                converted = image.convert(_PILLOW_MODES[channels])
    except Exception as error:  # Pillow's readers raise errors of all kinds for damaged files.
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{label}: cannot read the image {file}: {reason}") from error
    pixels = np.array(converted)
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in _SYSTEM_FILES
