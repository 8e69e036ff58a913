"""Training of many classifiers of one architecture on the same images."""

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, stack_module_state, vmap
from torch.nn.functional import cross_entropy

from wowbench.evaluation.networks import build_network
from wowbench.geometry.validation import check_finite, check_positive

TEST_BATCH = 1000
"""Images a forward pass of `accuracy`; the result does not depend on it."""

PROGRESS_EVERY = 50
"""Optimiser steps between two calls of `progress`."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class TrainedClassifiers:
    """Networks of one architecture that differ by their seed alone.

    Attributes
    ----------
    networks : tuple of torch.nn.Module
        T networks that map images `(N, channels, height, width)` to logits `(N, n_classes)`.
    seeds : tuple of int
        The seed of each network.
    losses : Tensor
        Mean cross-entropy of the batch at each step, in nats, `(T, steps)`, on the CPU.
    """

    networks: tuple[nn.Module, ...]
    seeds: tuple[int, ...]
    losses: Tensor


def train_classifiers(
    images: Tensor,
    labels: Tensor,
    *,
    n_classes: int,
    seeds: Sequence[int],
    network: str = "lenet5",
    epochs: int = 50,
    batch_size: int = 64,
    lr: float = 3e-4,
    weight_decay: float = 1e-4,
    steps: int | None = None,
    device: torch.device | str = "cpu",
    stacked: bool | None = None,
    progress: Progress | None = None,
) -> TrainedClassifiers:
    """Train one network a seed by AdamW on the mean cross-entropy.

    An epoch is a fresh permutation of the samples in `ceil(N / batch_size)` batches, the last one
    short. The seed of a network alone fixes its initial parameters and its batches, so that it
    does not depend on the networks trained beside it, up to rounding.

    Parameters
    ----------
    images : Tensor
        Training images, `(N, channels, height, width)`, float32 or float64.
    labels : Tensor
        Their classes, `(N,)`, int64 in 0..n_classes-1.
    n_classes : int
        Number of classes.
    seeds : sequence of int
        Seeds of the T networks, integers of at least 0.
    network : str, default "lenet5"
        A key of `wowbench.evaluation.networks.NETWORKS`.
    epochs : int, default 50
        Passes over the samples; not used where `steps` is given.
    batch_size : int, default 64
        Samples a step.
    lr, weight_decay : float, default 3e-4 and 1e-4
        Of AdamW; `lr * weight_decay` is the share of a parameter that decays at each step.
    steps : int, optional
        Number of optimiser steps; epochs follow one another until it is reached.
    device : torch.device or str, default "cpu"
        Where to train.
    stacked : bool, optional
        Whether the networks are one computation (True), or are trained one by one, in as many
        threads at a time as torch has, of one core each (False: on a CPU the outcome then depends
        on no number of threads). By default False on a CPU, where that is faster, otherwise True.
    progress : callable, optional
        ``progress(done, total)`` in optimiser steps of all networks together; calls may come from
        several threads.

    Returns
    -------
    TrainedClassifiers

    Raises
    ------
    InputError
        For an unknown network, or one that cannot take such images.
    ValueError
        For images, labels or numbers that cannot be used.
    ArithmeticError
        If the loss of a network is not finite.

    Notes
    -----
    The defaults are those of the transfer experiment of Bonet, Vauthier and Korba,
    arXiv:2506.07534, appendix D; the weight decay is optax's default, not torch's.
    """
    _check_samples(images, labels, n_classes)
    seeds = _check_seeds(seeds)
    for name, value in (("epochs", epochs), ("batch_size", batch_size), ("steps", steps)):
        _check_count(name, 1 if value is None else value)
    if not 0 <= weight_decay < math.inf:
        raise ValueError(f"weight_decay is {weight_decay:g}; expected a number of at least 0")
    steps = epochs * math.ceil(len(images) / batch_size) if steps is None else steps
    device = torch.device(device)
    stacked = device.type != "cpu" if stacked is None else stacked

    images, labels = images.to(device), labels.to(device)
    built = [_build(network, tuple(images.shape[1:]), n_classes, seed) for seed in seeds]
    networks = tuple(net.to(device, images.dtype) for net, _ in built)
    generators = [generator for _, generator in built]
    run = _Training(
        images,
        labels,
        steps,
        batch_size,
        check_positive("lr", lr),
        weight_decay,
        _Counter(progress, steps * len(seeds)),
    )
    if stacked:
        losses = run.train_together(networks, generators)
    else:
        losses = torch.stack(_map(run.train_alone, networks, generators, device=device))
    _check_losses(losses, seeds)
    return TrainedClassifiers(networks, seeds, losses)


@torch.no_grad()
def accuracy(classifiers: TrainedClassifiers, images: Tensor, labels: Tensor) -> Tensor:
    """Share of the images that each network classifies correctly.

    Parameters
    ----------
    classifiers : TrainedClassifiers
        T trained networks.
    images : Tensor
        Test images, `(N, channels, height, width)`, of the training images' range.
    labels : Tensor
        Their classes, `(N,)`, int64.

    Returns
    -------
    Tensor
        Accuracies `(T,)` in [0, 1], float64 on the CPU. Every image counts once, so that they
        do not depend on how images are batched.

    Raises
    ------
    ValueError
        For images or labels that cannot be used.
    """
    parameter = next(classifiers.networks[0].parameters())
    _check_samples(images, labels, None)
    expected = classifiers.networks[0].image_shape
    if tuple(images.shape[1:]) != expected:
        raise ValueError(
            f"images have shape {tuple(images.shape)}; expected {('N', *expected)}, as trained on"
        )
    images = images.to(parameter.device, parameter.dtype)
    labels = labels.to(parameter.device)

    @torch.no_grad()  # gradient mode belongs to a thread
    def count(network: nn.Module) -> Tensor:
        batches = zip(images.split(TEST_BATCH), labels.split(TEST_BATCH), strict=True)
        return sum((network(x).argmax(1) == y).sum() for x, y in batches)

    counts = _map(count, classifiers.networks, device=parameter.device)
    return torch.stack(counts).double().cpu() / len(labels)


def _build(
    name: str, image_shape: tuple[int, ...], n_classes: int, seed: int
) -> tuple[nn.Module, torch.Generator]:
    """Build a network from its seed; the same stream goes on to order its batches."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        network = build_network(name, image_shape, n_classes)
        generator = torch.Generator().set_state(torch.get_rng_state())
    return network, generator


@dataclass(frozen=True)
class _Training:
    """What the networks of one call share."""

    images: Tensor
    labels: Tensor
    steps: int
    batch_size: int
    lr: float
    weight_decay: float
    counter: "_Counter"

    def train_alone(self, network: nn.Module, generator: torch.Generator) -> Tensor:
        """Train one network; its losses, `(steps,)`."""
        optimiser = self._optimiser(network.parameters())
        losses = []
        for (batch,) in self._batches([generator]):
            optimiser.zero_grad()
            loss = cross_entropy(network(self.images[batch]), self.labels[batch])
            loss.backward()
            optimiser.step()
            losses.append(loss.detach())
            self.counter.add(1)
        return torch.stack(losses).cpu()

    def train_together(
        self, networks: Sequence[nn.Module], generators: Sequence[torch.Generator]
    ) -> Tensor:
        """Train networks as one, with their parameters stacked; their losses, `(T, steps)`."""
        parameters, _ = stack_module_state(networks)
        parameters = {name: tensor.detach() for name, tensor in parameters.items()}
        optimiser = self._optimiser(parameters.values())
        template = networks[0]

        def batch_loss(parameters: dict[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
            return cross_entropy(functional_call(template, parameters, (x,)), y)

        grad_and_loss = vmap(grad_and_value(batch_loss))
        losses = []
        for batches in self._batches(generators):
            grads, loss = grad_and_loss(parameters, self.images[batches], self.labels[batches])
            for name, tensor in parameters.items():
                tensor.grad = grads[name]
            optimiser.step()
            losses.append(loss.detach())
            self.counter.add(len(networks))
        for i, network in enumerate(networks):
            network.load_state_dict({name: tensor[i] for name, tensor in parameters.items()})
        return torch.stack(losses, dim=1).cpu()

    def _optimiser(self, parameters) -> torch.optim.Optimizer:
        return torch.optim.AdamW(
            list(parameters), lr=self.lr, weight_decay=self.weight_decay, fused=True
        )

    def _batches(self, generators: Sequence[torch.Generator]) -> Iterator[Tensor]:
        """Yield the samples of each step, `(T, batch_size or fewer)`."""

        def cycle() -> Iterator[Tensor]:
            n = len(self.images)
            while True:
                orders = torch.stack([torch.randperm(n, generator=g) for g in generators])
                yield from orders.to(self.images.device).split(self.batch_size, dim=1)

        return islice(cycle(), self.steps)


class _Counter:
    """Optimiser steps done, over all threads."""

    def __init__(self, progress: Progress | None, total: int):
        self._progress = progress
        self._total = total
        self._done = 0
        self._lock = threading.Lock()

    def add(self, steps: int) -> None:
        if self._progress is None:
            return
        with self._lock:
            before, self._done = self._done, self._done + steps
            due = before // PROGRESS_EVERY != self._done // PROGRESS_EVERY
            if due or self._done == self._total:
                self._progress(self._done, self._total)


def _map(task: Callable, *arguments: Sequence, device: torch.device) -> list:
    """Apply `task` to each network: on a CPU in threads of one core each."""
    if device.type != "cpu":
        return [task(*each) for each in zip(*arguments, strict=True)]
    threads = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            return list(pool.map(task, *arguments))
    finally:
        torch.set_num_threads(threads)


def _check_samples(images: Tensor, labels: Tensor, n_classes: int | None) -> None:
    if images.dim() != 4 or 0 in images.shape:
        raise ValueError(
            f"images have shape {tuple(images.shape)}; expected (N, channels, height, width)"
        )
    if not images.is_floating_point():
        raise ValueError(f"images have dtype {images.dtype}; expected a floating-point dtype")
    check_finite("images", images)
    if labels.shape != images.shape[:1]:
        raise ValueError(
            f"labels have shape {tuple(labels.shape)}; expected ({len(images)},), one an image"
        )
    if labels.dtype != torch.int64:
        raise ValueError(f"labels have dtype {labels.dtype}; expected torch.int64")
    if n_classes is not None and (labels.min() < 0 or labels.max() >= n_classes):
        raise ValueError(
            f"labels go from {labels.min()} to {labels.max()}; expected 0 to {n_classes - 1}"
        )


def _check_seeds(seeds: Sequence[int]) -> tuple[int, ...]:
    if len(seeds) == 0:
        raise ValueError("seeds is empty; expected one seed a network")
    for i, seed in enumerate(seeds):
        if not isinstance(seed, int) or not 0 <= seed < 2**63:
            raise ValueError(f"seeds[{i}] is {seed!r}; expected an integer from 0 to 2**63 - 1")
    return tuple(seeds)


def _check_count(name: str, value: int) -> None:
    if not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} is {value!r}; expected an integer of at least 1")


def _check_losses(losses: Tensor, seeds: Sequence[int]) -> None:
    for seed, curve in zip(seeds, losses, strict=True):
        if not curve.isfinite().all():
            step = int(curve.isfinite().int().argmin()) + 1
            raise ArithmeticError(
                f"the training with seed {seed} diverged: its loss is not finite at step {step}; "
                "a smaller learning rate is needed"
            )
