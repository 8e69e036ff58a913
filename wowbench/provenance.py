"""What a result was computed with: code, versions, machine."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("numpy", "scipy", "torch", "torchvision", "pot", "geomloss", "scikit-learn")


def provenance(device: str) -> dict:
    """Describe this process and its code.

    Parameters
    ----------
    device : str
        Torch device that the job computes on.

    Returns
    -------
    dict
        JSON types only: wowbench's version, commit and whether the tree had changes, versions
        of the numerical packages, machine, threads, and the time in UTC.
    """
    import torch

    on_gpu = device.startswith("cuda")
    return {
        "wowbench": version("wowbench"),
        **_revision(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "system": platform.platform(),
        "processor": _processor(),
        "device": torch.cuda.get_device_name(device) if on_gpu else "cpu",
        "threads": torch.get_num_threads(),
        "cores": os.cpu_count(),
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def peak_memory_bytes(device: str) -> int:
    """Most memory this process had: of the GPU on a GPU, resident memory elsewhere."""
    import resource

    import torch

    if device.startswith("cuda"):
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _revision() -> dict:
    """Commit of the checkout the package runs from; None where it was installed otherwise."""
    root = Path(__file__).resolve().parents[1]
    commit = _git(root, "rev-parse", "HEAD") if (root / ".git").exists() else None
    if commit is None:
        return {"commit": None, "dirty": None}
    return {"commit": commit, "dirty": bool(_git(root, "status", "--porcelain", "--", "wowbench"))}


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
