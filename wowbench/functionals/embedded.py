"""Functionals of embedded images, compared with new batches of a target at each step."""

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from wowbench.augmentation import Augmentation
from wowbench.errors import InputError
from wowbench.functionals.base import Functional
from wowbench.state import State

CHUNK = 256
"""Target images embedded at a time, which bounds the memory of their activations."""

Map = Callable[[Tensor], Tensor]


class RandomFeatures:
    """Features of a network whose parameters are drawn anew.

    Parameters
    ----------
    network : torch.nn.Module
        Maps images ``(N, channels, height, width)`` to features of any shape. Its convolutions
        are drawn as torch initialises them; other layers keep their parameters. All lose their
        gradients.
    bfloat16 : bool, default False
        Whether images that need no gradient pass through the network in bfloat16, which has 8
        bits of precision. Those that need one do not: the error of a slope adds up over layers.
    """

    def __init__(self, network: nn.Module, *, bfloat16: bool = False):
        self._network = network.requires_grad_(False)
        self._bfloat16 = bfloat16
        self._convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d)]

    def redraw(self, generator: torch.Generator) -> None:
        """Draw weights and biases uniformly in ``+- 1 / sqrt(inputs of a unit)``."""
        for layer in self._convolutions:
            bound = 1 / math.sqrt(layer.weight[0].numel())
            for parameter in layer.parameters():
                parameter.uniform_(-bound, bound, generator=generator)

    def __call__(self, images: Tensor) -> Tensor:
        """Map images ``(N, channels, height, width)`` to features ``(N, D)``."""
        rounded = self._bfloat16 and not images.requires_grad
        with torch.autocast(images.device.type, torch.bfloat16, enabled=rounded):
            return self._network(images).flatten(1)


class Embedded(Functional):
    """A functional of phi(A(x)): augmented, embedded images, against a batch of the target.

    Each step draws a batch of target images of every class, without replacement, an augmentation
    A and the parameters of phi, all shared by the particles and the target. The functional's
    gradient at the features is carried to the images by a vector-Jacobian product: automatic
    differentiation goes through A and phi alone. Since each particle has features of its own, a
    WoW gradient in features becomes one in images.

    Parameters
    ----------
    functional : callable
        Makes, of target features ``(C', m, D)``, a `Functional` of features ``(C, n, D)``. It is
        called once, and what it is given then holds the batch of each step.
    target : Tensor (C', N, channels, height, width)
        Target images.
    batch_size : int, optional
        Images m of each class in a batch; all N by default.
    augmentation : Augmentation, optional
        None leaves images as they are.
    features : RandomFeatures, optional
        None takes the pixels themselves.

    Raises
    ------
    InputError
        If a batch is larger than a class.
    """

    def __init__(
        self,
        functional: Callable[[Tensor], Functional],
        target: Tensor,
        *,
        batch_size: int | None = None,
        augmentation: Augmentation | None = None,
        features: RandomFeatures | None = None,
    ):
        classes, size = target.shape[:2]
        self._image_shape = target.shape[2:]
        self._batch_size = size if batch_size is None else batch_size
        if not 1 <= self._batch_size <= size:
            raise InputError(
                f"batch_size is {batch_size}; expected 1 to {size}, the target images of a class"
            )
        self._images = target.flatten(0, 1)
        self._class_starts = size * torch.arange(classes, device=target.device)[:, None]
        self._size = size
        self._augmentation = augmentation
        self._features = features
        dim = self._embed(self._images[:1], lambda images: images).shape[1]
        self._batch = target.new_zeros(classes, self._batch_size, dim)
        self._functional = functional(self._batch)
        self.capturable = self._functional.capturable

    def start(self, **parts: Tensor) -> State:
        """Return the state of the functional, for images ``x``."""
        return self._functional.start(**parts)

    def value_and_grad(
        self, state: State, generator: torch.Generator
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Evaluate the functional at images ``(C, n, d)``, flattened.

        Parameters
        ----------
        state : dict of str to Tensor
            The images as ``x``, and what the functional keeps beside them.
        generator : torch.Generator
            Source of the batch, the augmentation, the embedding and of the functional's own
            randomness.

        Returns
        -------
        value : Tensor ()
        grads : dict
            Gradient at ``x``, ``(C, n, d)``.
        """
        chosen = self._draw_batch(generator)
        if self._augmentation is None and self._features is None:
            torch.index_select(self._images.flatten(1), 0, chosen, out=self._batch.flatten(0, 1))
            return self._functional.value_and_grad(state, generator)
        x = state["x"]
        augment = self._draw_maps(generator, x)
        for rows, part in zip(
            self._batch.flatten(0, 1).split(CHUNK), chosen.split(CHUNK), strict=True
        ):
            rows.copy_(self._embed(self._images[part], augment))
        x = x.detach().requires_grad_()
        images = x.reshape(-1, *self._image_shape)
        features = self._embed(images, augment).unflatten(0, x.shape[:2])
        value, slopes = self._functional.value_and_grad(
            {**state, "x": features.detach()}, generator
        )
        (grad,) = torch.autograd.grad(features, x, slopes["x"])
        return value, {"x": grad}

    def _draw_batch(self, generator: torch.Generator) -> Tensor:
        """Numbers of the chosen images, class by class."""
        orders = [
            torch.randperm(self._size, generator=generator, device=self._images.device)
            for _ in self._class_starts
        ]
        return (torch.stack(orders)[:, : self._batch_size] + self._class_starts).flatten()

    def _draw_maps(self, generator: torch.Generator, like: Tensor) -> Map:
        if self._features is not None:
            self._features.redraw(generator)
        if self._augmentation is None:
            return lambda images: images
        return self._augmentation.draw(generator, like)

    def _embed(self, images: Tensor, augment: Map) -> Tensor:
        images = augment(images)
        return images.flatten(1) if self._features is None else self._features(images)
