"""Training of many classifiers of one architecture on the same images."""

import math
from collections.abc import Collection, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, stack_module_state, vmap
from torch.nn.functional import cross_entropy

from wowbench.augmentation import Augmentation
from wowbench.evaluation.groups import train_in_groups
from wowbench.evaluation.networks import build_network, own_random_state
from wowbench.evaluation.optimisers import Optimiser
from wowbench.evaluation.parallel import StepCounter, TrainingProgress, map_networks
from wowbench.evaluation.samples import check_samples, draw_batches


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
    at_steps : dict of int to tuple of torch.nn.Module
        The networks as they were after the numbers of steps that were asked for.
    """

    networks: tuple[nn.Module, ...]
    seeds: tuple[int, ...]
    losses: Tensor
    at_steps: dict[int, tuple[nn.Module, ...]] = field(default_factory=dict)


def train_classifiers(
    images: Tensor,
    labels: Tensor,
    *,
    n_classes: int,
    seeds: Sequence[int],
    optimiser: Optimiser,
    augmentation: Augmentation | None = None,
    network: str = "lenet5",
    epochs: int = 50,
    batch_size: int = 64,
    steps: int | None = None,
    at_steps: Collection[int] = (),
    device: torch.device | str = "cpu",
    stacked: bool | None = None,
    progress: TrainingProgress | None = None,
) -> TrainedClassifiers:
    """Train one network per seed on the mean cross-entropy.

    An epoch is a fresh permutation of the samples in `ceil(N / batch_size)` batches, the last one
    short. The seed of a network alone fixes its initial parameters, its batches and their
    augmentations, so that it does not depend on the networks trained beside it, up to rounding.

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
    optimiser : Optimiser
        What makes a step of a gradient: `wowbench.evaluation.optimisers.AdamW` or ``SGD``.
    augmentation : Augmentation, optional
        For each batch of each network one operation is drawn, with a strength for each image. By
        default images stay as they are.
    network : str, default "lenet5"
        A key of `wowbench.evaluation.networks.NETWORKS`.
    epochs : int, default 50
        Passes over the samples; not used where `steps` is given.
    batch_size : int, default 64
        Samples a step.
    steps : int, optional
        Number of optimiser steps; epochs follow one another until it is reached.
    at_steps : collection of int
        Numbers of steps after which copies of the networks are kept, 1 to the number of steps.
    device : torch.device or str, default "cpu"
        Where to train.
    stacked : bool, optional
        Whether the networks are one computation (True; in groups, where the memory of a GPU is too
        small for all), or are trained one by one, in as many threads at a time as torch has, of one
        core each (False: on a CPU the outcome then depends on no number of threads). By default
        False on a CPU, where that is faster, otherwise True.
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
    """
    check_samples(images, labels, n_classes)
    seeds = _check_seeds(seeds)
    for name, value in (("epochs", epochs), ("batch_size", batch_size), ("steps", steps)):
        _check_count(name, 1 if value is None else value)
    steps = epochs * math.ceil(len(images) / batch_size) if steps is None else steps
    for step in at_steps:
        if not 1 <= step <= steps:
            raise ValueError(f"at_steps has {step!r}; expected 1 to {steps}, the number of steps")
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
        optimiser,
        augmentation,
        StepCounter(progress, steps * len(seeds)),
        frozenset(at_steps),
    )
    if stacked:
        losses, kept = train_in_groups(run.train_together, networks, generators, run.counter)
    else:
        alone = map_networks(run.train_alone, networks, generators, device=device)
        losses = torch.stack([of_one for of_one, _ in alone])
        kept = {step: tuple(copies[step] for _, copies in alone) for step in sorted(at_steps)}
    _check_losses(losses, seeds)
    return TrainedClassifiers(networks, seeds, losses, kept)


def _build(
    name: str, image_shape: tuple[int, ...], n_classes: int, seed: int
) -> tuple[nn.Module, torch.Generator]:
    """Build a network from its seed; the same stream goes on to draw its batches."""
    with own_random_state():
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
    optimiser: Optimiser
    augmentation: Augmentation | None
    counter: StepCounter
    at_steps: frozenset[int]

    def train_alone(
        self, network: nn.Module, generator: torch.Generator
    ) -> tuple[Tensor, dict[int, nn.Module]]:
        """Train one network; its losses, `(steps,)`, and copies of it by step."""
        optimiser = self.optimiser.build(network.parameters())
        losses, copies = [], {}
        for step, ((x,), (y,)) in enumerate(self._batches([generator])):
            optimiser.zero_grad()
            loss = cross_entropy(network(x), y)
            loss.backward()
            self._descend(optimiser, step)
            losses.append(loss.detach())
            if step + 1 in self.at_steps:
                copies[step + 1] = deepcopy(network)
            self.counter.add(1)
        return torch.stack(losses).cpu(), copies

    def train_together(
        self, networks: Sequence[nn.Module], generators: Sequence[torch.Generator]
    ) -> tuple[Tensor, dict[int, tuple[nn.Module, ...]]]:
        """Train networks as one, with their parameters stacked.

        Returns
        -------
        losses : Tensor, shape (T, steps)
        copies : dict of int to tuple of torch.nn.Module
            The networks by step.
        """
        parameters, _ = stack_module_state(networks)
        parameters = {name: tensor.detach() for name, tensor in parameters.items()}
        optimiser = self.optimiser.build(parameters.values())
        template = networks[0]

        def batch_loss(parameters: dict[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
            return cross_entropy(functional_call(template, parameters, (x,)), y)

        grad_and_loss = vmap(grad_and_value(batch_loss))
        losses, copies = [], {}
        for step, (x, y) in enumerate(self._batches(generators)):
            grads, loss = grad_and_loss(parameters, x, y)
            for name, tensor in parameters.items():
                tensor.grad = grads[name]
            self._descend(optimiser, step)
            losses.append(loss.detach())
            if step + 1 in self.at_steps:
                copies[step + 1] = deepcopy(tuple(networks))
                _unstack(parameters, copies[step + 1])
            self.counter.add(len(networks))
        _unstack(parameters, networks)
        return torch.stack(losses, dim=1).cpu(), copies

    def _descend(self, optimiser: torch.optim.Optimizer, step: int) -> None:
        for group in optimiser.param_groups:
            group["lr"] = self.optimiser.step_size(step, self.steps)
        optimiser.step()

    def _batches(self, generators: Sequence[torch.Generator]) -> Iterator[tuple[Tensor, Tensor]]:
        return draw_batches(
            self.images,
            self.labels,
            generators,
            batch_size=self.batch_size,
            steps=self.steps,
            augmentation=self.augmentation,
        )


def _unstack(parameters: dict[str, Tensor], networks: Sequence[nn.Module]) -> None:
    for i, network in enumerate(networks):
        network.load_state_dict({name: tensor[i] for name, tensor in parameters.items()})


def _check_seeds(seeds: Sequence[int]) -> tuple[int, ...]:
    if len(seeds) == 0:
        raise ValueError("seeds is empty; expected one seed per network")
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
