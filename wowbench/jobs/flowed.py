"""The file that a flow hands on."""

from __future__ import annotations

from pathlib import Path

from wowbench.methods.trajectory import Frame, Trajectory
from wowbench.origin import Origin
from wowbench.tensorfile import read_tensors, write_tensors

PARTS = ("particles", "labels", "weights")


def write_flow(path: Path, trajectory: Trajectory, spec: dict) -> str:
    """Write the trajectory, in natural units, of the flow job with this spec.

    What it measured is left to the record, so that equal trajectories give equal files.

    Returns
    -------
    str
        SHA-256 of the contents.
    """
    tensors = {"losses": trajectory.losses}
    for step, frame in trajectory.frames.items():
        parts = {part: getattr(frame, part) for part in PARTS}
        tensors |= {f"{step}.{part}": t for part, t in parts.items() if t is not None}
    contents = {"status": trajectory.status, "message": trajectory.message}
    return write_tensors(path, tensors, contents, Origin("flow", spec))


def read_flow(path: Path, spec: dict | None = None) -> tuple[Trajectory, str]:
    """Read what `write_flow` wrote.

    Returns
    -------
    trajectory : Trajectory
        In natural units, without seconds and metrics.
    digest : str
        SHA-256 of the contents.

    Raises
    ------
    InputError
        If there is no such file, or it was altered, or made by a job with another spec than
        `spec`, where that is given.
    """
    file = read_tensors(path, "flow", None if spec is None else Origin("flow", spec))
    steps = sorted({int(name.split(".")[0]) for name in file.tensors if "." in name})
    frames = {
        step: Frame(*(file.tensors.get(f"{step}.{part}") for part in PARTS)) for step in steps
    }
    return Trajectory(frames, file.tensors["losses"], **file.contents), file.digest
