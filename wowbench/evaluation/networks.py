"""Image classifiers that score a flowed dataset."""

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from wowbench.errors import InputError, closest
from wowbench.evaluation.sizes import MINIMUM_SIZE

ImageShape = tuple[int, int, int]

_drawing = threading.Lock()
"""Held while a thread draws from torch's global generator."""


class _ImageClassifier(nn.Module):
    """Features of an image, then layers that end in one logit per class.

    Parameters
    ----------
    image_shape : (channels, height, width)
        Shape of one image.
    n_classes : int
        Number of classes.

    Raises
    ------
    InputError
        If the shape is not three positive sizes, or the images are smaller than `minimum_size`.
    """

    minimum_size: ClassVar[int]
    """Smallest height and width that the layers can take."""

    def __init__(self, image_shape: ImageShape, n_classes: int):
        super().__init__()
        self._check_shape(image_shape)
        self.image_shape = tuple(image_shape)
        self.features = self._make_features()
        self.head = self._make_head(self._n_features(), n_classes)

    def _make_features(self) -> nn.Module:
        """Make the layers that map images to features of any shape."""
        raise NotImplementedError

    def _make_head(self, n_features: int, n_classes: int) -> nn.Module:
        """Make the layers that map flattened features to logits."""
        raise NotImplementedError

    def _check_shape(self, image_shape: ImageShape) -> None:
        name, least = type(self).__name__, self.minimum_size
        if len(image_shape) != 3 or min(image_shape) < 1:
            raise InputError(
                f"{name}: image_shape is {tuple(image_shape)}; "
                "expected three positive sizes (channels, height, width)"
            )
        _, height, width = image_shape
        if min(height, width) < least:
            raise InputError(
                f"{name} cannot take images of {height}x{width}; "
                f"its layers need at least {least}x{least} pixels"
            )

    @torch.no_grad()
    def _n_features(self) -> int:
        return self.features(torch.zeros(1, *self.image_shape)).numel()

    def embed(self, images: Tensor) -> Tensor:
        """Return the flattened features: ``(N, channels, height, width) -> (N, n_features)``."""
        return self.features(images).flatten(1)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits: ``(N, channels, height, width) -> (N, n_classes)``."""
        return self.head(self.embed(images))


class _PointwiseConv2d(nn.Conv2d):
    """A 1x1 convolution as a matrix product: on a CPU several times faster for few channels."""

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__(in_channels, out_channels, kernel_size=1)

    def forward(self, images: Tensor) -> Tensor:
        weight = self.weight.flatten(1).expand(len(images), -1, -1)
        products = torch.baddbmm(self.bias[:, None], weight, images.flatten(2))
        return products.unflatten(2, images.shape[2:])


class _WholeConv2d(nn.Conv2d):
    """A convolution that is a linear map where its kernel covers the image: faster on a CPU."""

    def forward(self, images: Tensor) -> Tensor:
        if images.shape[2:] != self.kernel_size:
            return super().forward(images)
        return linear(images.flatten(1), self.weight.flatten(1), self.bias)[..., None, None]


class _AveragePool2d(nn.Module):
    """Means over 2x2 cells, an odd last row or column left out; on a CPU faster than torch's."""

    def forward(self, images: Tensor) -> Tensor:
        height, width = (size // 2 * 2 for size in images.shape[-2:])
        upper, lower = images[..., :height, :width].unflatten(-2, (-1, 2)).unbind(-2)
        rows = upper + lower
        return (rows[..., 0::2] + rows[..., 1::2]).div_(4)


class LeNet5(_ImageClassifier):
    """LeNet-5 with a 1x1 first convolution and ReLU, for the transfer experiment.

    Three convolutions (6 channels 1x1, 16 channels 5x5, 120 channels 5x5), each followed by ReLU,
    the first two by an average pool of 2; then linear layers of 84 and `n_classes`. At 28x28 the
    third convolution leaves one pixel, as in the original network.

    Parameters
    ----------
    image_shape : (channels, height, width)
        Shape of one image, at least 28x28 pixels.
    n_classes : int
        Number of classes.

    Raises
    ------
    InputError
        If an image is smaller than 28x28.

    References
    ----------
    LeCun et al., "Gradient-based learning applied to document recognition", 1998; in the variant
    of Bonet, Vauthier and Korba, arXiv:2506.07534, appendix D (transfer learning).
    """

    minimum_size = MINIMUM_SIZE["lenet5"]

    def _make_features(self) -> nn.Module:
        return nn.Sequential(
            _PointwiseConv2d(self.image_shape[0], 6),
            nn.ReLU(),
            _AveragePool2d(),
            nn.Conv2d(6, 16, kernel_size=5),
            nn.ReLU(),
            _AveragePool2d(),
            _WholeConv2d(16, 120, kernel_size=5),
            nn.ReLU(),
        )

    def _make_head(self, n_features: int, n_classes: int) -> nn.Module:
        return nn.Sequential(nn.Linear(n_features, 84), nn.ReLU(), nn.Linear(84, n_classes))


class ConvNet(_ImageClassifier):
    """ConvNet-3 of the dataset-distillation literature.

    Three blocks of a 3x3 convolution with 128 channels, instance normalisation with a learned
    scale, ReLU and an average pool of 2; then one linear layer. The first convolution pads images
    of 28x28 to 32x32.

    Parameters
    ----------
    image_shape : (channels, height, width)
        Shape of one image, at least 8x8 pixels.
    n_classes : int
        Number of classes.

    Raises
    ------
    InputError
        If an image is smaller than 8x8.

    References
    ----------
    Zhao and Bilen, "Dataset condensation with distribution matching", WACV 2023.
    """

    minimum_size = MINIMUM_SIZE["convnet"]

    def _make_features(self) -> nn.Module:
        width, channels = 128, self.image_shape[0]
        padding = 3 if self.image_shape[1:] == (28, 28) else 1
        layers: list[nn.Module] = []
        for _ in range(3):
            layers += [
                nn.Conv2d(channels, width, kernel_size=3, padding=padding),
                nn.GroupNorm(width, width),
                nn.ReLU(inplace=True),
                _AveragePool2d(),
            ]
            channels, padding = width, 1
        return nn.Sequential(*layers)

    def _make_head(self, n_features: int, n_classes: int) -> nn.Module:
        return nn.Linear(n_features, n_classes)


class AdaptationCNN(_ImageClassifier):
    """The small network of the domain-adaptation experiment.

    One 4x4 convolution with 3 channels, a max pool of 2 with stride 1, ReLU; linear layers of 512
    (sigmoid), 64 (ReLU) and `n_classes`. The stride of 1 gives the published 1,728 features at
    28x28; a stride of 2 would give 432.

    Parameters
    ----------
    image_shape : (channels, height, width)
        Shape of one image, at least 5x5 pixels.
    n_classes : int
        Number of classes.

    Raises
    ------
    InputError
        If an image is smaller than 5x5.

    References
    ----------
    Bonet, Vauthier and Korba, arXiv:2506.07534, appendix D (domain adaptation).
    """

    minimum_size = MINIMUM_SIZE["adaptation_cnn"]

    def _make_features(self) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(self.image_shape[0], 3, kernel_size=4),
            nn.MaxPool2d(2, stride=1),
            nn.ReLU(),
        )

    def _make_head(self, n_features: int, n_classes: int) -> nn.Module:
        return nn.Sequential(
            nn.Linear(n_features, 512),
            nn.Sigmoid(),
            nn.Linear(512, 64),
            nn.ReLU(),
            nn.Linear(64, n_classes),
        )


class MLP(_ImageClassifier):
    """The three-layer perceptron of the dataset-distillation literature.

    Two linear layers of 128 with ReLU on the flattened pixels, then one of `n_classes`.

    Parameters
    ----------
    image_shape : (channels, height, width)
        Shape of one image.
    n_classes : int
        Number of classes.

    References
    ----------
    Zhao, Mopuri and Bilen, "Dataset condensation with gradient matching", ICLR 2021.
    """

    minimum_size = MINIMUM_SIZE["mlp"]

    def _make_features(self) -> nn.Module:
        width = 128
        return nn.Sequential(
            nn.Flatten(),
            nn.Linear(math.prod(self.image_shape), width),
            nn.ReLU(),
            nn.Linear(width, width),
            nn.ReLU(),
        )

    def _make_head(self, n_features: int, n_classes: int) -> nn.Module:
        return nn.Linear(n_features, n_classes)


class ResNet18(_ImageClassifier):
    """ResNet-18 for small images, with instance normalisation, as in dataset distillation.

    That of torchvision, with its initialisation, but for three things: the first convolution is
    3x3 of stride 1, there is no max pool after it, and every batch normalisation is an instance
    normalisation with a learned scale. So no layer keeps running statistics, and trainings can be
    stacked.

    Parameters
    ----------
    image_shape : (channels, height, width)
        Shape of one image, at least 9x9 pixels: at 8x8 the last normalisations would have single
        pixels to normalise, and leave nothing.
    n_classes : int
        Number of classes.

    Raises
    ------
    InputError
        If an image is smaller than 9x9.

    References
    ----------
    He et al., "Deep residual learning for image recognition", CVPR 2016; in the variant of Zhao,
    Mopuri and Bilen, "Dataset condensation with gradient matching", ICLR 2021.
    """

    minimum_size = MINIMUM_SIZE["resnet18"]

    def _make_features(self) -> nn.Module:
        from torchvision.models import resnet18

        network = resnet18(norm_layer=lambda width: nn.GroupNorm(width, width))
        stem = network.conv1
        network.conv1 = nn.Conv2d(
            self.image_shape[0], stem.out_channels, kernel_size=3, padding=1, bias=False
        )
        nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")
        network.maxpool = network.fc = nn.Identity()
        return network

    def _make_head(self, n_features: int, n_classes: int) -> nn.Module:
        return nn.Linear(n_features, n_classes)


NETWORKS: dict[str, type[_ImageClassifier]] = {
    "lenet5": LeNet5,
    "convnet": ConvNet,
    "adaptation_cnn": AdaptationCNN,
    "mlp": MLP,
    "resnet18": ResNet18,
}


@contextmanager
def own_random_state() -> Iterator[None]:
    """Leave torch's global generator as it was, and to one thread at a time."""
    with _drawing, torch.random.fork_rng(devices=[]):
        yield


def build_network(name: str, image_shape: ImageShape, n_classes: int) -> nn.Module:
    """Build the classifier called `name`, initialised from torch's global generator.

    Parameters
    ----------
    name : str
        A key of `NETWORKS`.
    image_shape : (channels, height, width)
        Shape of one image.
    n_classes : int
        Number of classes.

    Returns
    -------
    torch.nn.Module
        Maps images ``(N, channels, height, width)`` to logits ``(N, n_classes)``.

    Raises
    ------
    InputError
        If there is no such network or it cannot take such images.
    """
    if name not in NETWORKS:
        raise InputError(f"unknown network {name!r}; {closest(name, NETWORKS)}")
    if n_classes < 2:
        raise InputError(f"n_classes is {n_classes}; a classifier needs at least 2 classes")
    return NETWORKS[name](image_shape, n_classes)
