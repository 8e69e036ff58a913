"""What a result was computed with: code, versions, machine."""

import hashlib
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from wowbench.cards import ask_driver
from wowbench.plugins import plugin_digests

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("numpy", "scipy", "torch", "torchvision", "pot", "geomloss", "scikit-learn")
SWITCHES = (
    "ATEN_CPU_CAPABILITY",
    "CUBLAS_WORKSPACE_CONFIG",
    "DNNL_MAX_CPU_ISA",
    "MKL_CBWR",
    "MKL_ENABLE_INSTRUCTIONS",
    "NVIDIA_TF32_OVERRIDE",
    "ONEDNN_MAX_CPU_ISA",
    "OPENBLAS_CORETYPE",
)
"""Environment variables that choose among kernels of unlike rounding."""

DRIVER = ("--query-gpu=driver_version", "--format=csv,noheader")
"""What `nvidia-smi` is asked for."""


def provenance(device: str) -> dict:
    """Describe this process and its code: all that may change a bit of its result.

    Torch is asked where it is loaded, and not loaded for it.

    Parameters
    ----------
    device : str
        Torch device that the job computes on.

    Returns
    -------
    dict
        JSON types only: wowbench's version, commit and whether the tree had changes, versions
        of the numerical packages and the hash of the lock file (None where there is none), digests
        of the code of plug-in files where there are any (no commit has these),
        machine, the name of the GPU and the version of its driver ("cpu" and None without one),
        threads as used and the switches of torch's libraries, such as TF32 and determinism (None
        where the process had no torch), and the time in UTC.
    """
    torch = sys.modules.get("torch")
    on_gpu = device.startswith("cuda")
    return {
        "wowbench": version("wowbench"),
        **_revision(),
        "lock": _lock_hash(),
        **({"plugins": plugins} if (plugins := plugin_digests()) else {}),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "system": platform.platform(),
        "processor": _processor(),
        "device": torch.cuda.get_device_name(device) if on_gpu else "cpu",
        "driver": next(iter(ask_driver(*DRIVER)), None) if on_gpu else None,
        "threads": torch and torch.get_num_threads(),
        "arithmetic": torch and (_gpu_arithmetic() if on_gpu else _cpu_arithmetic()),
        "cores": os.cpu_count(),
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def peak_memory_bytes(device: str) -> int | None:
    """Most memory this process had, in bytes: of the GPU on a GPU, resident memory elsewhere."""
    if device.startswith("cuda"):
        import torch

        return torch.cuda.max_memory_allocated(device)
    try:
        import resource
    except ImportError:  # Windows
        import psutil

        return psutil.Process().memory_info().peak_wset
    # Bytes on macOS, KiB elsewhere.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (
        1 if sys.platform == "darwin" else 1024
    )


def _cpu_arithmetic() -> dict:
    """Which kernels torch takes on this processor, and what in the environment chooses others."""
    import torch

    return {
        "capability": torch.backends.cpu.get_cpu_capability(),
        "mkl": torch.backends.mkl.is_available(),
        "onednn": torch.backends.mkldnn.is_available() and torch.backends.mkldnn.enabled,
        "float32_matmul_precision": torch.get_float32_matmul_precision(),
        "environment": {name: os.environ[name] for name in SWITCHES if name in os.environ},
    }


def _gpu_arithmetic() -> dict:
    """Which kernels torch may take on a GPU."""
    import torch

    return {
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
        "tf32_matmul": torch.backends.cuda.matmul.allow_tf32,
        "tf32_convolution": torch.backends.cudnn.allow_tf32,
        "float32_matmul_precision": torch.get_float32_matmul_precision(),
        "cudnn_deterministic": torch.backends.cudnn.deterministic,
        "cudnn_benchmark": torch.backends.cudnn.benchmark,
        "deterministic_algorithms": torch.are_deterministic_algorithms_enabled(),
        "environment": {name: os.environ[name] for name in SWITCHES if name in os.environ},
    }


def _lock_hash() -> str | None:
    """SHA-256 of the lock file of the checkout that the package runs from."""
    try:
        return hashlib.sha256((ROOT / "envs" / "requirements.lock").read_bytes()).hexdigest()
    except OSError:
        return None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _revision() -> dict:
    """Commit of the checkout the package runs from; None where it was installed otherwise."""
    commit = _git(ROOT, "rev-parse", "HEAD") if (ROOT / ".git").exists() else None
    if commit is None:
        return {"commit": None, "dirty": None}
    return {"commit": commit, "dirty": bool(_git(ROOT, "status", "--porcelain", "--", "wowbench"))}


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
