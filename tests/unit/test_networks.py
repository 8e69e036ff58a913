import pytest
import torch
from torch.nn.functional import avg_pool2d, conv2d

from wowbench.errors import InputError
from wowbench.evaluation.networks import NETWORKS, build_network
from wowbench.evaluation.sizes import MINIMUM_SIZE


@pytest.mark.parametrize(
    ("name", "count"),
    [
        # 6 (1+1); 16 (150+1); 120 (400+1); 84 (120+1); 10 (84+1)
        ("lenet5", 12 + 2_416 + 48_120 + 10_164 + 850),
        # 128 (9+1); twice 128 (1152+1); three norms of 2 x 128; 10 (2048+1)
        ("convnet", 1_280 + 2 * 147_584 + 3 * 256 + 20_490),
        # 3 (16+1); 512 (1728+1); 64 (512+1); 10 (64+1)
        ("adaptation_cnn", 51 + 885_248 + 32_832 + 650),
        # 128 (784+1); 128 (128+1); 10 (128+1)
        ("mlp", 100_480 + 16_512 + 1_290),
        # 64 x 9 and a norm; four stages of 3x3 convolutions and norms, with 1x1 ones on the way
        # from one to the next; 10 (512+1)
        (
            "resnet18",
            (576 + 128)
            + 4 * (64 * 576 + 128)
            + (128 * 576 + 3 * 128 * 1_152 + 128 * 64 + 5 * 256)
            + (256 * 1_152 + 3 * 256 * 2_304 + 256 * 128 + 5 * 512)
            + (512 * 2_304 + 3 * 512 * 4_608 + 512 * 256 + 5 * 1_024)
            + 5_130,
        ),
    ],
)
def test_number_of_parameters_on_mnist(name, count):
    network = build_network(name, (1, 28, 28), 10)
    assert sum(parameter.numel() for parameter in network.parameters()) == count


@pytest.mark.parametrize("name", sorted(NETWORKS))
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (1, 28, 40), (3, 33, 29)])
def test_logits_of_any_shape_that_fits(name, shape):
    network = build_network(name, shape, 7)
    images = torch.rand(2, *shape)
    assert network(images).shape == (2, 7)
    assert network.head(network.embed(images)).equal(network(images))


@pytest.mark.parametrize(
    ("name", "size"), [("lenet5", 28), ("resnet18", 9), ("convnet", 8), ("adaptation_cnn", 5)]
)
def test_smallest_images(name, size):
    assert build_network(name, (1, size, size), 2)(torch.rand(1, 1, size, size)).shape == (1, 2)
    expected = f"cannot take images of {size - 1}x{size}; its layers need at least {size}x{size}"
    with pytest.raises(InputError, match=expected):
        build_network(name, (1, size - 1, size), 2)


def test_the_sizes_known_without_torch_are_those_of_all_networks():
    assert {name: net.minimum_size for name, net in NETWORKS.items()} == MINIMUM_SIZE


def test_pointwise_convolution_is_a_convolution():
    layer = build_network("lenet5", (3, 28, 28), 10).features[0]
    images = torch.rand(4, 3, 28, 30)
    torch.testing.assert_close(layer(images), conv2d(images, layer.weight, layer.bias))


@pytest.mark.parametrize("size", [(5, 5), (6, 8), (5, 7)])
def test_convolution_of_a_whole_image_is_a_convolution(size):
    layer = build_network("lenet5", (1, 28, 28), 10).double().features[6]
    images = torch.rand(4, 16, *size, dtype=torch.float64, requires_grad=True)
    inputs = (images, layer.weight, layer.bias)
    expected = conv2d(*inputs)
    torch.testing.assert_close(layer(images), expected)
    slopes = torch.rand_like(expected)
    grads, wanted = (torch.autograd.grad(y, inputs, slopes) for y in (layer(images), expected))
    torch.testing.assert_close(grads, wanted)


@pytest.mark.parametrize("shape", [(6, 28, 28), (2, 5, 4), (1, 2, 7)])
def test_average_pool_is_torchs(shape):
    layer = build_network("lenet5", (1, 28, 28), 10).features[2]
    images = torch.rand(3, *shape)
    torch.testing.assert_close(layer(images), avg_pool2d(images, 2))


def test_convnet_pads_28_to_32():
    network = build_network("convnet", (1, 28, 28), 10)
    assert network.features[0](torch.rand(1, 1, 28, 28)).shape == (1, 128, 32, 32)
    assert build_network("convnet", (3, 32, 32), 10).features[0].padding == (1, 1)


def test_resnet_normalises_each_image_by_itself():
    network = build_network("resnet18", (1, 12, 12), 5).double()
    images = torch.rand(3, 1, 12, 12, dtype=torch.float64)
    torch.testing.assert_close(network(images)[1:2], network(images[1:2]))
    assert not list(network.buffers())
    means = network.features.bn1(network.features.conv1(images)).mean((2, 3))
    torch.testing.assert_close(means, torch.zeros_like(means))


def test_resnet_keeps_the_size_of_images_up_to_its_second_stage():
    features = build_network("resnet18", (3, 28, 28), 10).features
    images = torch.rand(2, 3, 28, 28)
    stem = features.maxpool(features.relu(features.bn1(features.conv1(images))))
    assert stem.shape == features.layer1(stem).shape == (2, 64, 28, 28)
    assert features(images).shape == (2, 512)


def test_one_pixel_is_enough_for_an_mlp():
    assert build_network("mlp", (1, 1, 1), 2)(torch.rand(3, 1, 1, 1)).shape == (3, 2)


def test_unknown_network_names_the_closest():
    with pytest.raises(InputError, match="unknown network 'LeNet'; did you mean 'lenet5'"):
        build_network("LeNet", (1, 28, 28), 10)


@pytest.mark.parametrize("shape", [(28, 28), (0, 28, 28), (1, 28, -1)])
def test_image_shape_that_is_none(shape):
    with pytest.raises(InputError, match="expected three positive sizes"):
        build_network("lenet5", shape, 10)


def test_one_class_is_too_few():
    with pytest.raises(InputError, match="n_classes is 1"):
        build_network("lenet5", (1, 28, 28), 1)
