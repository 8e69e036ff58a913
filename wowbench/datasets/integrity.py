"""Data files that are truncated or altered, named with what was expected and found."""

import bz2
import hashlib
import math
import zlib
from pathlib import Path

from wowbench.errors import InputError

_ADVICE = "put the original in its place, or delete it to have it downloaded"


def checksum(path: Path, algorithm: str) -> str:
    """Checksum of a file, in hexadecimal; `algorithm` is "md5" or "sha256"."""
    with path.open("rb") as file:
        return hashlib.file_digest(
            file, lambda: hashlib.new(algorithm, usedforsecurity=False)
        ).hexdigest()


def verify_checksum(path: Path, algorithm: str, expected: str, *, advice: str = _ADVICE) -> None:
    """Compare a file with its known checksum.

    Raises
    ------
    InputError
        If they differ; names the file and both checksums.
    """
    found = checksum(path, algorithm)
    if found != expected:
        raise InputError(
            f"{path} is truncated or altered: {algorithm} expected {expected}, found {found}; "
            f"{advice}"
        )


def verify_idx(path: Path, shape: tuple[int, ...]) -> None:
    """Check the header and the length of an idx file of bytes, the format of MNIST.

    Parameters
    ----------
    path : Path
        File without compression.
    shape : tuple of int
        Shape of the array that it must hold.

    Raises
    ------
    InputError
        If the length or the header is another; names the file and both.
    """
    header = bytes((0, 0, 8, len(shape))) + b"".join(side.to_bytes(4, "big") for side in shape)
    size = len(header) + math.prod(shape)
    found_size = path.stat().st_size
    if found_size != size:
        raise InputError(
            f"{path} is truncated or altered: expected {size} bytes, found {found_size}; {_ADVICE}"
        )
    with path.open("rb") as file:
        found_header = file.read(len(header))
    if found_header != header:
        raise InputError(
            f"{path} is altered: header expected {header.hex()} (bytes of shape {shape}), "
            f"found {found_header.hex()}; {_ADVICE}"
        )


def verify_against_gzip(path: Path, archive: Path) -> None:
    """Compare a file with the CRC-32 that the gzip archive it came from has in its last 8 bytes.

    Raises
    ------
    InputError
        If they differ; names the file and both.
    """
    expected = int.from_bytes(archive.read_bytes()[-8:-4], "little")
    found = zlib.crc32(path.read_bytes())
    if found != expected:
        raise InputError(
            f"{path} is altered: crc32 expected {expected:08x} (from {archive.name}), "
            f"found {found:08x}; {_ADVICE}"
        )


def verify_libsvm_images(
    path: Path, *, n_images: int, n_pixels: int, n_classes: int, official_md5: str
) -> None:
    """Check a bzip2 file of images in the libsvm text format, the format of USPS.

    A file with the official checksum passes. So does any other that decompresses (bzip2 has a
    checksum of its own in each block) and has the right numbers of images and pixels and labels
    in 1..`n_classes`: copies of USPS that were compressed again are as good as the original.

    Raises
    ------
    InputError
        If it is neither; names the file, what is wrong in it, and both checksums.
    """
    found_md5 = checksum(path, "md5")
    if found_md5 == official_md5:
        return
    try:
        lines = bz2.decompress(path.read_bytes()).decode("ascii").splitlines()
        if len(lines) != n_images:
            raise ValueError(f"{len(lines)} images instead of {n_images}")
        for number, line in enumerate(lines, 1):
            label, *pixels = line.split()
            if len(pixels) != n_pixels:
                raise ValueError(f"line {number} has {len(pixels)} pixels instead of {n_pixels}")
            if not 1 <= int(label) <= n_classes:
                raise ValueError(f"line {number} has label {label}, not in 1..{n_classes}")
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path} is truncated or altered ({error}): md5 expected {official_md5}, "
            f"found {found_md5}; {_ADVICE}"
        ) from error
