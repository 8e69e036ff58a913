from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from wowbench.augmentation import Augmentation
from wowbench.errors import InputError
from wowbench.evaluation import groups, training
from wowbench.evaluation.accuracy import accuracy
from wowbench.evaluation.networks import NETWORKS
from wowbench.evaluation.optimisers import SGD, AdamW
from wowbench.evaluation.samples import draw_batches
from wowbench.evaluation.sizes import MINIMUM_SIZE
from wowbench.evaluation.training import train_classifiers
from wowbench.operations import OPERATIONS

PAPER = AdamW(lr=3e-4, weight_decay=1e-4)
STANDSTILL = AdamW(lr=1e-300, weight_decay=1e-4)
ALL = Augmentation(OPERATIONS)


def samples(n, size=28, n_classes=3, dtype=torch.float32):
    """Noise with a bright band that tells the class."""
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(n, 1, size, size, generator=generator, dtype=dtype)
    labels = torch.arange(n) % n_classes
    for image, label in zip(images[:, 0], labels, strict=True):
        image[label * (size // n_classes) :][: size // n_classes] += 1
    return images, labels


def train(images, labels, **options):
    options = {"n_classes": 3, "seeds": [0], "optimiser": PAPER, "network": "lenet5", **options}
    return train_classifiers(images, labels, **options)


def state(trained, i):
    return trained.networks[i].state_dict()


@pytest.mark.parametrize(
    ("optimiser", "augmentation"),
    [
        (AdamW(lr=1e-2, weight_decay=1e-4), None),
        (SGD(lr=1e-2, momentum=0.9, weight_decay=5e-4, halfway=0.1), ALL),
    ],
)
@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_stacked_training_equals_training_alone(name, optimiser, augmentation):
    size = MINIMUM_SIZE[name]
    images, labels = samples(13, size, dtype=torch.float64)
    options = {"network": name, "batch_size": 5, "epochs": 2}
    options |= {"optimiser": optimiser, "augmentation": augmentation}
    stack = train(images, labels, seeds=[3, 4], stacked=True, **options)
    alone = train(images, labels, seeds=[4], stacked=False, **options)
    torch.testing.assert_close(stack.losses[1:], alone.losses, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(state(stack, 1), state(alone, 0), rtol=1e-6, atol=1e-9)
    assert not torch.allclose(stack.losses[0], stack.losses[1])


@pytest.mark.parametrize("augmentation", [None, ALL])
def test_a_seed_alone_fixes_the_outcome(augmentation):
    images, labels = samples(20)
    options = {"epochs": 2, "batch_size": 8, "augmentation": augmentation}
    together = train(images, labels, seeds=[7, 8, 9], **options)
    threads = torch.get_num_threads()
    other = 1 if threads > 1 else 2
    try:
        torch.set_num_threads(other)
        alone = train(images, labels, seeds=[9], **options)
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(torch.get_num_threads).result() == other
    finally:
        torch.set_num_threads(threads)
    assert together.losses[2].equal(alone.losses[0])
    assert all(state(together, 2)[key].equal(value) for key, value in state(alone, 0).items())


@pytest.fixture
def same_start(monkeypatch):
    """Give all networks the same initial parameters."""

    def build(name, image_shape, n_classes):
        network = NETWORKS[name](image_shape, n_classes)
        for parameter in network.parameters():
            nn.init.constant_(parameter, 0.01)
        return network

    monkeypatch.setattr(training, "build_network", build)


@pytest.mark.usefixtures("same_start")
def test_seeds_have_orders_of_their_own():
    images, labels = samples(13)
    first, second, again = train(
        images, labels, seeds=[1, 2, 1], batch_size=5, epochs=1, network="adaptation_cnn"
    ).losses
    assert first.equal(again)
    assert not torch.allclose(first, second)


@pytest.mark.usefixtures("same_start")
def test_seeds_have_augmentations_of_their_own():
    images, labels = samples(13, dtype=torch.float64)  # one batch, so that no order is left
    options = {"seeds": [1, 2, 1], "batch_size": 13, "steps": 4, "network": "adaptation_cnn"}
    plain = train(images, labels, **options).losses
    torch.testing.assert_close(plain[0], plain[1])
    first, second, again = train(images, labels, augmentation=ALL, **options).losses
    assert first.equal(again)
    assert not torch.allclose(first, second)
    assert not torch.allclose(first, plain[0])


def test_a_batch_has_one_operation_and_an_image_its_own_strength():
    images = samples(1, size=16)[0].expand(24, -1, -1, -1) + 2
    generators = [torch.Generator().manual_seed(seed) for seed in range(3)]
    batches = draw_batches(
        images,
        torch.arange(24),
        generators,
        batch_size=8,
        steps=12,
        augmentation=Augmentation(["cutout", "color"]),
    )
    cut = []
    for x, _ in batches:
        assert x.shape == (3, 8, 1, 16, 16)
        assert all(len(of_one.unique(dim=0)) > 4 for of_one in x)
        # Levels above 2 are 0 where they are cut out, and nowhere else.
        cut.append((x == 0).flatten(2).any(2))
    cut = torch.stack(cut)
    assert cut.all(2).equal(cut.any(2))
    # Fair coins, which agree in all of 12 batches with probability 2^-11.
    assert not cut[:, 0].equal(cut[:, 1])
    assert cut.any(0).all()
    assert not cut.all(0).any()


def test_augmented_images_keep_their_labels_and_their_epochs():
    images, _ = samples(13, dtype=torch.float64)
    generators = [torch.Generator().manual_seed(seed) for seed in (1, 2)]
    numbers = torch.arange(13)
    flip = Augmentation(["flip"])
    batches = draw_batches(images, numbers, generators, batch_size=5, steps=6, augmentation=flip)
    epochs, flipped = [], 0
    for x, chosen in batches:
        torch.testing.assert_close(x.sum(-1), images[chosen].sum(-1))
        flipped += int((x != images[chosen]).flatten(2).any(2).sum())
        epochs.append(chosen)
    assert [chosen.shape[1] for chosen in epochs] == [5, 5, 3] * 2
    for epoch in (epochs[:3], epochs[3:]):
        assert torch.cat(epoch, 1).sort(1).values.equal(numbers.expand(2, -1))
    assert 0 < flipped < 2 * 2 * 13


def test_global_generator_is_left_alone():
    images, labels = samples(6)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    train(images, labels, steps=2, augmentation=ALL)
    assert torch.rand(3).equal(expected)


def test_full_batch_steps_are_adamw():
    images, labels = samples(6, dtype=torch.float64)
    lr, decay, beta1, beta2, eps = 1e-2, 3.0, 0.9, 0.999, 1e-8
    start = train(images, labels, steps=1, batch_size=6, optimiser=STANDSTILL)
    adamw = AdamW(lr=lr, weight_decay=decay)
    trained = train(images, labels, steps=3, batch_size=6, optimiser=adamw)
    network = start.networks[0]
    parameters = list(network.parameters())
    first = [torch.zeros_like(p) for p in parameters]
    second = [torch.zeros_like(p) for p in parameters]
    for step in range(1, 4):
        grads = torch.autograd.grad(cross_entropy(network(images), labels), parameters)
        with torch.no_grad():
            for p, g, m, v in zip(parameters, grads, first, second, strict=True):
                m.copy_(beta1 * m + (1 - beta1) * g)
                v.copy_(beta2 * v + (1 - beta2) * g * g)
                adam = (m / (1 - beta1**step)) / ((v / (1 - beta2**step)).sqrt() + eps)
                p.sub_(lr * (adam + decay * p))
    for key, value in network.state_dict().items():
        torch.testing.assert_close(state(trained, 0)[key], value, rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("stacked", [False, True])
def test_full_batch_steps_are_sgd_with_a_smaller_second_half(stacked):
    images, labels = samples(6, dtype=torch.float64)
    lr, momentum, decay, halfway = 3e-2, 0.9, 0.3, 0.1
    start = train(images, labels, steps=1, batch_size=6, optimiser=STANDSTILL)
    sgd = SGD(lr=lr, momentum=momentum, weight_decay=decay, halfway=halfway)
    trained = train(images, labels, steps=5, batch_size=6, optimiser=sgd, stacked=stacked)
    network = start.networks[0]
    parameters = list(network.parameters())
    velocities = [torch.zeros_like(p) for p in parameters]
    for step_size in (lr, lr, lr, lr * halfway, lr * halfway):
        grads = torch.autograd.grad(cross_entropy(network(images), labels), parameters)
        with torch.no_grad():
            for p, g, v in zip(parameters, grads, velocities, strict=True):
                v.copy_(momentum * v + g + decay * p)
                p.sub_(step_size * v)
    for key, value in network.state_dict().items():
        torch.testing.assert_close(state(trained, 0)[key], value, rtol=1e-9, atol=1e-12)


def test_step_sizes_of_an_even_number_of_steps():
    sgd = SGD(lr=0.5, weight_decay=0, halfway=0.25)
    assert [sgd.step_size(step, 4) for step in range(4)] == [0.5, 0.5, 0.125, 0.125]
    assert [PAPER.step_size(step, 4) for step in range(4)] == [3e-4] * 4


@pytest.mark.parametrize("stacked", [False, True])
def test_every_epoch_takes_every_sample_once(stacked):
    images, labels = samples(13, dtype=torch.float64)
    trained = train(
        images, labels, seeds=[1, 2], epochs=2, batch_size=5, optimiser=STANDSTILL, stacked=stacked
    )
    sizes = torch.tensor([5, 5, 3], dtype=torch.float64)
    assert trained.losses.shape == (2, 6)
    for network, losses in zip(trained.networks, trained.losses, strict=True):
        mean = cross_entropy(network(images), labels).detach()
        for epoch in losses.split(3):
            torch.testing.assert_close((sizes * epoch).sum() / 13, mean)
        assert not torch.allclose(losses[:3], losses[3:]), "the order is the same in both epochs"


def test_steps_go_on_over_epochs_and_may_end_within_one():
    images, labels = samples(13)
    options = {"batch_size": 5, "seeds": [2]}
    assert train(images, labels, steps=7, epochs=1, **options).losses.shape == (1, 7)
    longer, shorter = (train(images, labels, steps=steps, **options) for steps in (7, 4))
    assert longer.losses[:, :4].equal(shorter.losses)


@pytest.mark.parametrize("stacked", [False, True])
def test_networks_along_the_way_are_those_of_shorter_trainings(stacked):
    images, labels = samples(13)
    options = {"batch_size": 5, "seeds": [2, 3], "stacked": stacked}
    whole = train(images, labels, steps=7, **options)
    watched = train(images, labels, steps=7, at_steps=[7, 4], **options)
    shorter = train(images, labels, steps=4, **options)
    assert whole.at_steps == {}
    assert list(watched.at_steps) == [4, 7]
    assert watched.losses.equal(whole.losses)
    for found, expected in (
        (watched.networks, whole.networks),
        (watched.at_steps[7], whole.networks),
        (watched.at_steps[4], shorter.networks),
    ):
        for network, other in zip(found, expected, strict=True):
            state, wanted = network.state_dict(), other.state_dict()
            assert all(state[key].equal(value) for key, value in wanted.items())


@pytest.mark.parametrize("step", [0, 8])
def test_networks_are_kept_at_steps_that_there_are(step):
    images, labels = samples(13)
    with pytest.raises(ValueError, match=f"at_steps has {step}; expected 1 to 7"):
        train(images, labels, steps=7, at_steps=[3, step])


def test_learns_what_can_be_learnt():
    images, labels = samples(60)
    adamw = AdamW(lr=3e-3, weight_decay=1e-4)
    trained = train(images, labels, epochs=20, batch_size=16, optimiser=adamw, seeds=[0, 1])
    assert accuracy(trained.networks, images, labels).tolist() == [1.0, 1.0]
    assert (trained.losses[:, -1] < 0.1 * trained.losses[:, 0]).all()


@pytest.mark.parametrize("stacked", [False, True])
def test_progress_ends_at_the_total(stacked):
    images, labels = samples(6)
    calls = []
    train(
        images,
        labels,
        seeds=[0, 1],
        steps=60,
        stacked=stacked,
        network="adaptation_cnn",
        progress=lambda done, total: calls.append((done, total)),
    )
    assert calls[-1] == (120, 120)
    assert calls == sorted(calls)
    assert len(calls) >= 3


@pytest.fixture
def small_card(monkeypatch):
    """A device whose memory is full at the third step of more networks than it has room for."""
    whole = training._Training._batches
    room = []

    def draw(run, generators):
        for step, batch in enumerate(whole(run, generators), 1):
            if step == 3 and len(generators) > room[-1]:
                raise torch.OutOfMemoryError("tried to allocate 2 GiB")
            yield batch

    monkeypatch.setattr(training._Training, "_batches", draw)
    groups._say_once.cache_clear()
    return room


def test_networks_that_do_not_fit_are_trained_in_groups_and_that_is_said_once(small_card, caplog):
    images, labels = samples(6)
    trainings = []
    for room in (5, 2, 2):
        small_card.append(room)
        calls = []
        trained = train(
            images,
            labels,
            seeds=[3, 4, 5, 6, 7],
            steps=40,
            at_steps=[2],
            stacked=True,
            network="adaptation_cnn",
            progress=lambda done, total, calls=calls: calls.append((done, total)),
        )
        assert calls[-1] == (200, 200)
        trainings.append(trained)
    whole, in_groups, _ = trainings
    assert [record.message for record in caplog.records] == [
        "5 networks do not fit in the memory of the GPU side by side; they are trained 2 at a time"
    ]
    torch.testing.assert_close(in_groups.losses, whole.losses)
    for i in range(5):
        torch.testing.assert_close(state(in_groups, i), state(whole, i))
        torch.testing.assert_close(
            in_groups.at_steps[2][i].state_dict(), whole.at_steps[2][i].state_dict()
        )


def test_a_network_that_does_not_fit_alone_is_an_error(small_card):
    small_card.append(0)
    with pytest.raises(torch.OutOfMemoryError, match="tried to allocate 2 GiB"):
        train(*samples(6), seeds=[0, 1], stacked=True, network="adaptation_cnn")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_epochs_on_a_gpu_make_the_host_wait_for_nothing():
    images, labels = (part.cuda() for part in samples(40))
    generators = [torch.Generator().manual_seed(seed) for seed in range(2)]
    batches = draw_batches(images, labels, generators, batch_size=16, steps=9)
    drawn = [next(batches)]
    torch.cuda.set_sync_debug_mode("error")
    try:
        drawn += batches
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert len(drawn) == 9


class BrightestPixel(nn.Module):
    """Predicts the index of the brightest pixel."""

    image_shape = (1, 1, 2)

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, images):
        return self.scale * images.flatten(1)


def test_accuracy_counts_images_and_not_batches():
    images = torch.zeros(1003, 1, 1, 2)
    images[..., 1] = 1
    labels = torch.ones(1003, dtype=torch.int64)
    labels[-3:] = 0  # all of the short last batch is wrong
    networks = BrightestPixel(), BrightestPixel()
    assert accuracy(networks, images, labels).tolist() == [1000 / 1003] * 2


def test_accuracy_refuses_images_of_another_shape():
    images, labels = samples(6)
    trained = train(images, labels, steps=1)
    with pytest.raises(ValueError, match=r"shape \(6, 1, 28, 20\); expected \('N', 1, 28, 28\)"):
        accuracy(trained.networks, images[..., :20], labels)


def with_nan(images):
    images = images.clone()
    images[4, 0, 2, 3] = float("nan")
    return images


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": lambda x: x[0]}, r"images have shape \(1, 28, 28\); expected \(N, channels"),
        ({"images": lambda x: x[:0]}, r"images have shape \(0, 1, 28, 28\)"),
        ({"images": lambda x: (255 * x).byte()}, "images have dtype torch.uint8"),
        ({"images": with_nan}, r"images\[4, 0, 2, 3\] is nan"),
        ({"labels": lambda y: y[:-1]}, r"labels have shape \(5,\); expected \(6,\)"),
        ({"labels": lambda y: y.int()}, "labels have dtype torch.int32; expected torch.int64"),
        ({"labels": lambda y: y + 1}, "labels go from 1 to 3; expected 0 to 2"),
        ({"seeds": []}, "seeds is empty"),
        ({"seeds": [0, -1]}, r"seeds\[1\] is -1; expected an integer from 0"),
        ({"epochs": 0}, "epochs is 0; expected an integer of at least 1"),
        ({"batch_size": 2.5}, "batch_size is 2.5; expected an integer"),
        ({"steps": 0}, "steps is 0; expected an integer of at least 1"),
    ],
)
def test_bad_input_is_named(change, message):
    images, labels = samples(6)
    if "images" in change:
        images = change.pop("images")(images)
    if "labels" in change:
        labels = change.pop("labels")(labels)
    with pytest.raises(ValueError, match=message):
        train(images, labels, **change)


@pytest.mark.parametrize(
    ("optimiser", "change", "message"),
    [
        (AdamW, {"lr": -1.0}, "lr is -1; expected a finite number above 0"),
        (AdamW, {"weight_decay": -1.0}, "weight_decay is -1; expected a number of at least 0"),
        (SGD, {"lr": 0.0}, "lr is 0; expected a finite number above 0"),
        (SGD, {"weight_decay": float("nan")}, "weight_decay is nan"),
        (SGD, {"momentum": 1.0}, r"momentum is 1; expected a number in \[0, 1\)"),
        (SGD, {"halfway": 0.0}, "halfway is 0; expected a finite number above 0"),
    ],
)
def test_bad_numbers_of_an_optimiser_are_named(optimiser, change, message):
    with pytest.raises(ValueError, match=message):
        optimiser(**{"lr": 0.1, "weight_decay": 0.0} | change)


def test_too_small_images_are_bad_input_of_the_user():
    images, labels = samples(6, size=16)
    with pytest.raises(InputError, match="LeNet5 cannot take images of 16x16"):
        train(images, labels)


@pytest.mark.parametrize("stacked", [False, True])
def test_divergence_names_the_seed(stacked):
    images, labels = samples(6)
    with pytest.raises(ArithmeticError, match=r"training with seed 3 diverged: .* at step 2"):
        train(
            images,
            labels,
            seeds=[3],
            steps=3,
            optimiser=AdamW(lr=1e30, weight_decay=1e-4),
            stacked=stacked,
        )
