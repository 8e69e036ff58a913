"""Times of steps on a card, as ratios to their products alone, with memory and TF32."""

from __future__ import annotations

import dataclasses

from wowbench.bench.card.part import Job, Row, Rows
from wowbench.bench.distillation import DistillationSetting
from wowbench.bench.timing import Setting, measure, median_times, start_step

SIZES = ((200, 100), (500, 500), (6000, 100))
"""Particles n and k of a class; the first are Table 2's."""

PRECISIONS = ("highest", "high")
"""Of torch's float32 products: float32 itself, and TF32 where a card has it."""

REPEATS = 20
TINY_SIZES = ((4, 3), (6, 6), (8, 3))
TINY = {"classes": 2, "dim": 64, "directions": 6}
TINY_DISTILLATION = TINY | {"n": 2, "k": 5, "batch_size": 3}


def steps(job: Job) -> Rows:
    """Time steps of MMDSW of three sizes, and tell their memory."""
    for setting in _settings(job):
        yield "steps", _time(setting, job)


def distillation(job: Job) -> Rows:
    """Time steps of distillation, of pixels and of an embedding."""
    sizes = TINY_DISTILLATION if job.tiny else {}
    for embedding in (False, True):
        setting = DistillationSetting(device=job.device, embedding=embedding, **sizes)
        yield "steps", _time(setting, job)


def tf32(job: Job) -> Rows:
    """Compare steps with TF32 products with those in single precision: results, then times."""
    import torch

    settings = list(_settings(job))[:2]
    for setting in settings:
        exact, rounded = (_value_and_gradient(setting, precision) for precision in PRECISIONS)
        for quantity, of_exact, of_rounded in zip(
            ("value", "gradient"), exact, rounded, strict=True
        ):
            yield (
                "agreement",
                {
                    "quantity": f"{quantity}, TF32 against float32, n = {setting.n}",
                    "kernel": "riesz",
                    "quantiles": "exact",
                    "difference": relative_difference(of_rounded, of_exact),
                },
            )
    for precision in PRECISIONS:
        torch.set_float32_matmul_precision(precision)
        for setting in settings:
            yield "steps", _time(setting, job)


def relative_difference(found, expected) -> float:
    """Largest difference of two tensors, relative to the largest entry of the second one."""
    found, expected = found.double().cpu(), expected.double().cpu()
    return float((found - expected).abs().max() / expected.abs().max())


def reset_peak_memory(device: str) -> None:
    """Forget the largest memory so far: of a process on a CPU it cannot be forgotten."""
    if device.startswith("cuda"):
        import torch

        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)


def peak_gib(device: str) -> float:
    """Largest memory since `reset_peak_memory`, in GiB."""
    from wowbench.provenance import peak_memory_bytes

    return peak_memory_bytes(device) / 2**30


def _settings(job: Job):
    sizes, others = (TINY_SIZES, TINY) if job.tiny else (SIZES, {})
    return (Setting(n=n, k=k, device=job.device, **others) for n, k in sizes)


def _time(setting: Setting, job: Job) -> Row:
    import torch

    from wowbench.flows.graph import CapturedStep

    reset_peak_memory(job.device)
    step, state, generator = start_step(setting)
    runs = {"step": lambda: step(state, generator), "floor": setting.floor()}
    repeats = dict.fromkeys(runs, 2 if job.tiny else REPEATS)
    medians = median_times(measure(runs, repeats, job.device))
    return {
        "task": "distillation" if isinstance(setting, DistillationSetting) else "transfer",
        "n": setting.n,
        "k": setting.k,
        "embedding": getattr(setting, "embedding", False),
        "products": torch.get_float32_matmul_precision(),
        "step_ms": medians["step"],
        "floor_ms": medians["floor"],
        "ratio": medians["step"] / medians["floor"],
        "captured": isinstance(step, CapturedStep),
        "peak_gib": peak_gib(job.device),
        "setting": dataclasses.asdict(setting),
    }


def _value_and_gradient(setting: Setting, precision: str):
    import torch

    from wowbench.geometry import sample_directions

    torch.set_float32_matmul_precision(precision)
    x, y = setting.draw()
    generator = torch.Generator(x.device).manual_seed(0)
    theta = sample_directions(
        setting.directions, setting.dim, generator=generator, device=setting.device
    )
    return setting.functional(y).evaluate(x, theta)
