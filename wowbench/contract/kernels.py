"""What every kernel keeps to."""

from __future__ import annotations

from functools import partial

from wowbench.contract import descriptions
from wowbench.contract.checks import Check, require
from wowbench.kernels.base import Kernel

RELATIVE = 1e-10
"""Relative difference, in double precision, between a derivative and that by autograd."""

DESCRIPTIONS = (
    descriptions.has_a_summary,
    descriptions.documents_its_parameters,
    descriptions.keeps_its_parameters_through_json,
    descriptions.imports_no_torch,
)


def is_a_function_of_a_known_cost(kernel: Kernel) -> None:
    """Require a power for which the sliced distance is at hand."""
    require(kernel.p in (1, 2), f"p is {kernel.p!r}; expected 1 or 2")


def keeps_shape_and_dtype(kernel: Kernel) -> None:
    """Require a value and a derivative for each cost."""
    import torch

    for dtype in (torch.float32, torch.float64):
        costs = torch.linspace(0, 3, 6, dtype=dtype).reshape(2, 3)
        for name in ("value", "derivative"):
            given = getattr(kernel, name)(costs)
            found = given.dtype, tuple(given.shape)
            require(found == (dtype, (2, 3)), f"{name} of {dtype} (2, 3) is {found[0]} {found[1]}")


def has_the_derivative_of_its_value(kernel: Kernel) -> None:
    """Require what automatic differentiation gives, in double precision."""
    import torch

    costs = torch.logspace(-4, 2, 25, dtype=torch.float64).requires_grad_()
    (expected,) = torch.autograd.grad(kernel.value(costs).sum(), costs)
    found = kernel.derivative(costs.detach())
    error = (found - expected).abs() - RELATIVE * expected.abs()
    worst = int(error.argmax())
    require(
        error[worst] <= 0,
        f"its derivative at cost {costs[worst].item():g} is {found[worst].item():g}; "
        f"expected {expected[worst].item():g}, that of its value",
    )


def is_finite_at_zero(kernel: Kernel) -> None:
    """Require numbers where two classes are the same."""
    import torch

    for dtype in (torch.float32, torch.float64):
        for name in ("value", "derivative"):
            found = getattr(kernel, name)(torch.zeros(1, dtype=dtype)).item()
            require(abs(found) < float("inf"), f"its {name} at cost 0 is {found}")


def is_conditionally_positive_definite_if_it_says_so(kernel: Kernel) -> None:
    """Require it of the kernel's matrices between random classes."""
    import torch

    from wowbench.geometry import sample_directions, sliced_wasserstein_squared

    if not kernel.conditionally_positive_definite:
        return
    generator = torch.Generator().manual_seed(0)
    for spread in (0.1, 1.0, 10.0):
        x = torch.randn(12, 7, 3, generator=generator, dtype=torch.float64)
        x += spread * torch.randn(12, 1, 3, generator=generator, dtype=torch.float64)
        directions = sample_directions(40, 3, generator=generator, dtype=torch.float64)
        matrix = kernel.value(sliced_wasserstein_squared(x, x, directions, p=kernel.p))
        centred = matrix - matrix.mean(0) - matrix.mean(1, keepdim=True) + matrix.mean()
        eigenvalues = torch.linalg.eigvalsh((centred + centred.T) / 2)
        least, size = eigenvalues[0].item(), matrix.abs().max().item()
        require(
            least >= -1e-9 * size,
            f"for weights of sum 0 its matrix between random classes has the eigenvalue {least:g}; "
            "expected none below 0, or conditionally_positive_definite = False",
        )


ON_COSTS = (
    is_a_function_of_a_known_cost,
    keeps_shape_and_dtype,
    has_the_derivative_of_its_value,
    is_finite_at_zero,
    is_conditionally_positive_definite_if_it_says_so,
)


def kernel_checks(kernel: Kernel) -> list[Check]:
    """List all checks of a kernel.

    Parameters
    ----------
    kernel : Kernel
        What to check, with its parameters.

    Returns
    -------
    list of Check
    """
    return [Check.of(check, partial(check, kernel)) for check in (*DESCRIPTIONS, *ON_COSTS)]
