"""What a card computes, against the processor: values, gradients, flows, sorts, captures."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unittest.mock import patch

from wowbench.bench.card.part import Job, Row, Rows
from wowbench.bench.card.times import relative_difference

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from wowbench.kernels.base import Kernel

SIZES = {"classes": 4, "n": 50, "k": 20, "dim": 784, "directions": 100}
TINY = {"classes": 2, "n": 4, "k": 3, "dim": 5, "directions": 6}
FLOW_STEPS = 20

BANDWIDTH = 0.1
"""Of kernels that have one, in units of squared distances: about as large as those here."""


def agreement(job: Job) -> Rows:
    """Compare a device with the processor, on the same numbers; all differences are relative.

    The column ``rounding`` is the difference between single and double precision on the processor,
    with which that between two devices is to be compared.
    """
    from wowbench.registry import KERNELS

    sizes = TINY if job.tiny else SIZES
    for name in KERNELS.names():
        for quantiles in ("exact", "linear"):
            for row in _values(_kernel(name), quantiles, sizes, job.device):
                yield "agreement", {"kernel": name, "quantiles": quantiles, **row}
    for row in (_flow(sizes, job.device), _capture(sizes, job.device), *_sorts(job.device)):
        yield "agreement", row


def _kernel(name: str) -> Kernel:
    from wowbench.registry import KERNELS

    kernel = KERNELS.get(name)
    return kernel(h=BANDWIDTH) if "h" in kernel.model_fields else kernel()


def _draw(sizes: dict[str, int]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Source, target, directions and levels of quantiles, in double precision."""
    import torch

    from wowbench.geometry import sample_directions
    from wowbench.geometry.sliced import sample_levels

    generator = torch.Generator().manual_seed(0)
    x, y = (
        torch.rand(sizes["classes"], sizes[size], sizes["dim"], generator=generator).double()
        for size in ("n", "k")
    )
    theta = sample_directions(
        sizes["directions"], sizes["dim"], generator=generator, dtype=torch.float64
    )
    return x, y, theta, sample_levels(theta, generator)


def _values(kernel: Kernel, quantiles: str, sizes: dict[str, int], device: str) -> list[Row]:
    import torch

    from wowbench.functionals import SlicedMMD

    drawn = _draw(sizes)

    def evaluate(device: str, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        x, y, theta, levels = (tensor.to(device, dtype) for tensor in drawn)
        # A generator of each device would draw other levels.
        with patch("wowbench.functionals.sliced_mmd.sample_levels", lambda *_: levels):
            return SlicedMMD(y, kernel, quantiles=quantiles).evaluate(x, theta)

    found, again = evaluate(device, torch.float32), evaluate(device, torch.float32)
    processor = evaluate("cpu", torch.float32)
    exact = evaluate("cpu", torch.float64)
    return [
        {
            "quantity": quantity,
            "difference": relative_difference(found[i], processor[i]),
            "rounding": relative_difference(processor[i], exact[i]),
            "repeated": relative_difference(again[i], found[i]),
        }
        for i, quantity in enumerate(("value", "gradient"))
    ]


def _flow(sizes: dict[str, int], device: str) -> Row:
    """Compare the losses of a flow along the same directions."""
    import torch

    from wowbench.functionals import SlicedMMD
    from wowbench.kernels.riesz import Riesz
    from wowbench.schemes.momentum import Momentum

    x, y, theta, _ = _draw(sizes)
    shuffled = torch.randperm(sizes["dim"], generator=torch.Generator().manual_seed(1))

    def losses(device: str, dtype: torch.dtype) -> Tensor:
        functional, scheme = SlicedMMD(y.to(device, dtype), Riesz()), Momentum(lr=1.0, momentum=0.9)
        state = functional.start(x=x.to(device, dtype))
        state |= scheme.start(state, functional.parts, FLOW_STEPS)
        values, directions = [], theta.to(device, dtype)
        for _ in range(FLOW_STEPS):
            value, grad = functional.evaluate(state["x"], directions)
            scheme.step(state, {"x": grad}, functional.parts, value)
            values.append(value)
            directions = directions[:, shuffled.to(device)]
        return torch.stack(values)

    processor = losses("cpu", torch.float32)
    return {
        "quantity": f"losses of {FLOW_STEPS} steps",
        "kernel": "riesz",
        "quantiles": "exact",
        "difference": relative_difference(losses(device, torch.float32), processor),
        "rounding": relative_difference(processor, losses("cpu", torch.float64)),
    }


def _capture(sizes: dict[str, int], device: str) -> Row:
    """Compare a flow of captured steps with one of others, both with directions drawn."""
    import torch

    from wowbench.flows import descend
    from wowbench.functionals import SlicedMMD
    from wowbench.kernels.riesz import Riesz
    from wowbench.schemes.momentum import Momentum

    class Uncaptured(SlicedMMD):
        capturable = False

    x, y, *_ = (tensor.to(device, torch.float32) for tensor in _draw(sizes))
    captured, plain = (
        descend(
            functional(y, Riesz(), n_directions=sizes["directions"]),
            x,
            Momentum(lr=1.0, momentum=0.9),
            steps=FLOW_STEPS,
            generator=torch.Generator(device).manual_seed(0),
        ).losses
        for functional in (SlicedMMD, Uncaptured)
    )
    return {
        "quantity": f"losses of {FLOW_STEPS} captured steps against others",
        "kernel": "riesz",
        "quantiles": "exact",
        "difference": relative_difference(captured, plain),
    }


def _sorts(device: str) -> list[Row]:
    """Share of rows with ties that are not sorted as by a stable sort on the processor."""
    import torch

    from wowbench.geometry.sorting import sort_rows

    generator = torch.Generator().manual_seed(0)
    values = torch.randint(20, (50, 200), generator=generator).float()
    ordered, order = (part.cpu() for part in sort_rows(values.to(device)))
    stable = torch.sort(values, dim=-1, stable=True)
    return [
        {"quantity": "sorted rows with ties", "difference": _share(ordered, stable.values)},
        {"quantity": "order of rows with ties", "difference": _share(order, stable.indices)},
    ]


def _share(found: Tensor, expected: Tensor) -> float:
    return float((found != expected).any(-1).double().mean())
