"""Baselines of distillation that choose real images of the target."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from wowbench.errors import InputError
from wowbench.methods.base import Method
from wowbench.methods.problem import Pairing, Problem, RunContext
from wowbench.methods.trajectory import Frame, Trajectory
from wowbench.registry import METHODS

if TYPE_CHECKING:
    from torch import Tensor


class Selection(Method):
    """Base of methods whose outcome is real images."""

    pairings: ClassVar[frozenset[Pairing]] = frozenset({"by_number"})
    unpaired: ClassVar[str] = "it chooses among the target's images, which there are known already"
    label_rule: ClassVar[str] = "class numbers"

    def choose(self, problem: Problem, seed: int) -> Tensor:
        """Return the chosen images ``(C, n, *shape)``."""
        raise NotImplementedError

    def run(self, problem: Problem, context: RunContext) -> Trajectory:
        """Choose the images; their classes are known."""
        import time

        import torch

        start = time.perf_counter()
        chosen = self.choose(problem, context.seed)
        seconds = time.perf_counter() - start
        classes, n = chosen.shape[:2]
        frame = Frame(chosen.flatten(0, 1), torch.arange(classes).repeat_interleave(n))
        return Trajectory({0: frame}, losses=torch.empty(0), seconds=seconds)


@METHODS.register
class Random(Selection):
    """The images that every method starts from, chosen at random (Bonet et al. 2025, Table 1)."""

    name: ClassVar[str] = "random"
    summary: ClassVar[str] = "no flow: real images chosen at random"
    deterministic: ClassVar[bool] = True

    def choose(self, problem: Problem, seed: int) -> Tensor:
        """Return the source."""
        return problem.source


@METHODS.register
class FullData(Selection):
    """All of the target: what distillation would come to (Bonet et al. 2025, Table 1)."""

    name: ClassVar[str] = "full_data"
    summary: ClassVar[str] = "no distillation: all target images"
    deterministic: ClassVar[bool] = True
    whole_target: ClassVar[bool] = True

    def choose(self, problem: Problem, seed: int) -> Tensor:
        """Return the target."""
        return problem.target


@METHODS.register
class Herding(Selection):
    """Images whose mean comes closest to that of their class, one after the other.

    Welling (2009), in the form of Rebuffi et al. (2017): the next image is the one that brings
    the mean of those chosen closest to the mean of the class; pixels are the features.
    """

    name: ClassVar[str] = "herding"
    summary: ClassVar[str] = "no flow: real images chosen greedily to match the class mean"
    deterministic: ClassVar[bool] = True

    def choose(self, problem: Problem, seed: int) -> Tensor:
        """Choose as many images per class as the source has."""
        import torch

        n = _count(problem)
        images = problem.target.flatten(2).double()
        mean = images.mean(1)
        squares = images.square().sum(-1)
        total = torch.zeros_like(mean)
        chosen = []
        for i in range(1, n + 1):
            # |i mean - total - x|^2 without what is the same for all x.
            costs = squares - 2 * (images @ (i * mean - total).unsqueeze(-1)).squeeze(-1)
            if chosen:
                costs.scatter_(1, torch.stack(chosen, 1), torch.inf)
            best = costs.argmin(1)
            chosen.append(best)
            total += images[torch.arange(len(images)), best]
        return _take(problem.target, torch.stack(chosen, 1))


@METHODS.register
class KMeans(Selection):
    """The image nearest to each centre of k-means, run on the pixels of each class.

    A common baseline of coreset selection (Sener and Savarese 2018 et al.). Each image is the
    nearest of its own cluster, so that none is chosen twice.
    """

    name: ClassVar[str] = "kmeans"
    summary: ClassVar[str] = "no flow: the real images nearest to the centres of k-means"

    def choose(self, problem: Problem, seed: int) -> Tensor:
        """Choose as many images per class as the source has."""
        import torch

        n = _count(problem)
        chosen = [
            _nearest_to_centres(images.flatten(1).double().cpu().numpy(), n, seed)
            for images in problem.target
        ]
        return _take(problem.target, torch.tensor(chosen, device=problem.target.device))


def _count(problem: Problem) -> int:
    n, size = problem.source.shape[1], problem.target.shape[1]
    if n > size:
        raise InputError(
            f"{n} images per class are to be chosen; expected at most {size}, the target's"
        )
    return n


def _take(target: Tensor, chosen: Tensor) -> Tensor:
    """Images ``(C, n, *shape)`` of the given numbers ``(C, n)``."""
    import torch

    return target[torch.arange(len(target), device=target.device)[:, None], chosen]


def _nearest_to_centres(points, n: int, seed: int) -> list[int]:
    import numpy as np
    from sklearn.cluster import KMeans as Clustering

    state = np.random.RandomState(np.random.MT19937(np.random.SeedSequence(seed)))
    clustering = Clustering(n, n_init=1, random_state=state).fit(points)
    distances = clustering.transform(points)
    distances[np.arange(n) != clustering.labels_[:, None]] = np.inf
    return distances.argmin(0).tolist()
