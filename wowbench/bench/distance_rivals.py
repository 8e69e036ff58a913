"""Distances between labelled datasets by other people's code, for comparison."""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from wowbench.errors import InputError, one_line

if TYPE_CHECKING:
    from torch import Tensor


def sotdd(checkout: Path, a: list[Tensor], b: list[Tensor], directions: int) -> Callable[[], float]:
    """Return s-OTDD by a checkout of github.com/hainn2803/s-OTDD, with its five moments.

    Parameters
    ----------
    checkout : Path
        Its folder.
    a, b : list of Tensor
        Classes ``(n_c, d)``.
    directions : int
        Number of directions.

    Raises
    ------
    InputError
        If it cannot be imported from there.
    """
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    code = _import(checkout, "otdd.pytorch.sotdd", "--sotdd-code")
    loaders = []
    for points, labels in map(_flat, (a, b)):
        loaders.append(DataLoader(TensorDataset(points, labels), batch_size=len(points)))

    def run() -> float:
        torch.manual_seed(0)
        found = code.compute_pairwise_distance(
            list_D=loaders,
            num_projections=directions,
            dimension=a[0].shape[1],
            num_moments=5,
            device=str(a[0].device),
        )
        return float(found.squeeze()) ** 2

    return run


def swb1dg(
    checkout: Path, a: list[Tensor], b: list[Tensor], directions: int
) -> Callable[[], float]:
    """Return SWB1DG by a checkout of its authors' code, as `sotdd`.

    It is github.com/clbonet/Busemann_Functions_in_the_Wasserstein_Space.
    """
    import torch

    name = "lib_torch.sliced_busemann_semi_gaussian_1d"
    code = _import(checkout, name, "--swb1dg-code")
    (x, x_labels), (y, y_labels) = _flat(a), _flat(b)

    def run() -> float:
        torch.manual_seed(0)
        return float(
            code.busemann_sliced_semi_gaussian_1d_diff_labels(x, y, x_labels, y_labels, directions)
        )

    return run


def pot_solver(a: list[Tensor], b: list[Tensor]) -> Callable[[], float]:
    """Return POT's network simplex on the cost of each pair of classes, and on that of all.

    The costs of points are computed beforehand and not timed.
    """
    import numpy as np
    import ot

    costs = [[ot.dist(x.double().cpu().numpy(), y.double().cpu().numpy()) for y in b] for x in a]

    def run() -> float:
        inner = np.array([[ot.emd2([], [], cost) for cost in row] for row in costs])
        return float(ot.emd2([], [], inner))

    return run


def _flat(classes: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Points ``(N, d)`` of all classes, and their labels."""
    import torch

    sizes = torch.tensor([len(points) for points in classes])
    labels = torch.arange(len(classes)).repeat_interleave(sizes)
    return torch.cat(classes), labels.to(classes[0].device)


def _import(checkout: Path, name: str, option: str) -> ModuleType:
    """Import a module from a checkout."""
    if not checkout.joinpath(*name.split(".")).with_suffix(".py").is_file():
        raise InputError(
            f"{option}: {checkout} has no {name.replace('.', '/')}.py; expected a checkout of the "
            "authors' repository"
        )
    sys.path.insert(0, str(checkout))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(name)
    except ImportError as error:
        raise InputError(
            f"{option}: {one_line(error)}; install what the authors' code needs"
        ) from None
    finally:
        sys.path.remove(str(checkout))
