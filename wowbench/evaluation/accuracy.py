"""Test accuracy of trained classifiers."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from wowbench.evaluation.parallel import map_networks
from wowbench.evaluation.samples import check_samples

TEST_BATCH = 64
"""Images a forward pass of `accuracy`: few enough for a processor's caches.

The result does not depend on it."""


@torch.no_grad()
def accuracy(networks: Sequence[nn.Module], images: Tensor, labels: Tensor) -> Tensor:
    """Share of the images that each network classifies correctly.

    Parameters
    ----------
    networks : sequence of torch.nn.Module
        T trained networks of one architecture, on one device.
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
    parameter = next(networks[0].parameters())
    check_samples(images, labels)
    expected = networks[0].image_shape
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

    counts = map_networks(count, networks, device=parameter.device)
    return torch.stack(counts).double().cpu() / len(labels)
