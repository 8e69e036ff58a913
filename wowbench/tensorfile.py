"""Files of tensors: safetensors with a checksum, and with the job that wrote them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from wowbench.errors import InputError, one_line
from wowbench.files import atomic_path
from wowbench.origin import Origin

if TYPE_CHECKING:
    from torch import Tensor

KEY = "wowbench"
"""Where the metadata of a file holds what is no tensor, as JSON."""


@dataclass(frozen=True)
class TensorFile:
    """What a file holds.

    Attributes
    ----------
    tensors : dict of str to Tensor or numpy.ndarray
        On the CPU.
    contents : dict
        What is no tensor, as JSON types.
    origin : Origin
        The job that wrote the file.
    digest : str
        SHA-256 of tensors and contents, in hexadecimal: equal for equal contents, whichever job
        wrote them.
    """

    tensors: dict[str, Tensor] | dict[str, np.ndarray]
    contents: dict[str, Any]
    origin: Origin
    digest: str


def write_tensors(
    path: Path,
    tensors: Mapping[str, Tensor | np.ndarray],
    contents: Mapping[str, Any],
    origin: Origin,
) -> str:
    """Write a file whole or not at all.

    An array gives the bytes and the digest of the tensor of the same values; torch is not imported.

    Parameters
    ----------
    path : Path
        File to write.
    tensors : mapping of str to Tensor or numpy.ndarray
        On any device.
    contents : mapping
        What is no tensor, as JSON types.
    origin : Origin
        The job that writes it.

    Returns
    -------
    str
        The digest of the contents, as in `TensorFile`.

    Raises
    ------
    OSError
        If it cannot be written, as on a full disk.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    arrays = {name: _array(tensor) for name, tensor in tensors.items()}
    digest = content_digest(arrays, contents)
    header = {
        "contents": contents,
        "job": origin.job,
        "spec": origin.spec,
        "sha256": digest,
    }
    with atomic_path(path) as temporary:
        try:
            save_file(arrays, temporary, metadata={KEY: json.dumps(header)})
        except SafetensorError as error:
            raise OSError(f"{path}: {error}") from None
    return digest


def read_tensors(
    path: Path,
    kind: str,
    expected: Origin | None = None,
    framework: Literal["pt", "np"] = "pt",
) -> TensorFile:
    """Read a file that `write_tensors` wrote, and see that nothing in it has changed since.

    Parameters
    ----------
    path : Path
        File to read.
    kind : str
        Verb of the job that writes such files.
    expected : Origin, optional
        The job that should have written it.
    framework : {"pt", "np"}, default "pt"
        Whether to read tensors, or arrays without importing torch.

    Raises
    ------
    InputError
        If the file is absent, truncated, altered, of another kind, or another job's.
    """
    from safetensors import SafetensorError, safe_open

    again = f"run its {kind} job again"
    try:
        with safe_open(path, framework=framework) as file:
            header = json.loads(file.metadata()[KEY])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        contents, digest = header["contents"], header["sha256"]
        origin = Origin(header["job"], header["spec"])
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path}: not a readable file of a job ({one_line(error)}); {again}"
        ) from None
    if origin.job != kind:
        raise InputError(f"{path}: a {origin.job} job wrote it; expected the file of a {kind} job")
    found = content_digest(tensors, contents)
    if found != digest:
        raise InputError(
            f"{path}: its contents have changed since it was written (SHA-256 {found[:16]}, "
            f"expected {digest[:16]}); remove it and {again}"
        )
    if expected is not None:
        origin.require(path, expected.job, expected.spec)
    return TensorFile(tensors, contents, origin, digest)


def read_header(path: Path) -> tuple[Origin, str] | None:
    """Read the job that wrote a file and the digest that it had then, and none of its tensors.

    Returns
    -------
    tuple of (Origin, str) or None
        None for a file that `write_tensors` has not written.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            header = json.loads(file.metadata()[KEY])
        return Origin(header["job"], header["spec"]), header["sha256"]
    except (OSError, SafetensorError, ValueError, KeyError, TypeError):
        return None


def content_digest(tensors: Mapping[str, Tensor | np.ndarray], contents: Any = None) -> str:
    """SHA-256 of names, dtypes, shapes and bytes of tensors or arrays, and of JSON values."""
    digest = hashlib.sha256(json.dumps(contents, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        array = _array(tensor)
        digest.update(f"\0{name}\0torch.{array.dtype}\0{list(array.shape)}\0".encode())
        digest.update(array.reshape(-1).view(np.uint8))
    return digest.hexdigest()


def _array(tensor: Tensor | np.ndarray) -> np.ndarray:
    """Array of the same values whose bytes are in their order."""
    if not isinstance(tensor, np.ndarray):
        tensor = tensor.detach().cpu().numpy()
    return np.asarray(tensor, order="C")
