"""Augmentations against their definitions, SciPy's interpolation and finite differences."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy import ndimage

from wowbench.augmentation import OPERATIONS, Augmentation, oversized_cutout

EVERY = OPERATIONS | {"oversized_cutout": oversized_cutout}


def images(*shape, dtype=torch.float64):
    return torch.rand(shape, generator=torch.Generator().manual_seed(0), dtype=dtype)


def draws(*rows):
    return torch.tensor([[*row, *[0.0] * (3 - len(row))] for row in rows], dtype=torch.float64)


def test_color_is_brightness_then_saturation_then_contrast():
    x = images(1, 3, 4, 5)
    given = OPERATIONS["color"](x, draws((0.9, 0.2, 0.7)))[0].numpy()
    expected = x[0].numpy() + 0.4
    grey = expected.mean(0)
    expected = grey + 0.4 * (expected - grey)
    expected = expected.mean() + 1.2 * (expected - expected.mean())
    np.testing.assert_allclose(given, expected)


def test_saturation_leaves_one_channel_as_it_is():
    x = images(2, 1, 4, 4)
    strong, weak = (OPERATIONS["color"](x, draws((0.5, u, 0.5))) for u in (0.0, 0.9))
    torch.testing.assert_close(strong, x)
    torch.testing.assert_close(weak, x)


@pytest.mark.parametrize("shape", [(28, 28), (16, 24)])
def test_crop_shifts_by_every_whole_number_up_to_an_eighth(shape):
    x = images(1, 2, *shape)
    # 3.5, 2 and 3 pixels, halves rounded up
    most = [{28: 4, 16: 2, 24: 3}[size] for size in shape]
    padded = np.pad(x[0].numpy(), [(0, 0), *((m, m) for m in most)])
    counts = [2 * m + 1 for m in most]
    for i, j in itertools.product(*map(range, counts)):
        given = OPERATIONS["crop"](x, draws(((i + 0.5) / counts[0], (j + 0.5) / counts[1])))
        np.testing.assert_array_equal(
            given[0].numpy(), padded[:, i : i + shape[0], j : j + shape[1]]
        )


@pytest.mark.parametrize(
    ("operation", "rows"),
    [
        # Centres 0..28; a window of 14 keeps 7..13, 14 fifteen times, then 13..7 rows of it.
        ("cutout", (2 * sum(range(7, 14)) + 15 * 14) / 29),
        # Starts -7..21; a window of 28 keeps 21..28, then 27..7 rows of it.
        ("oversized_cutout", (sum(range(21, 29)) + sum(range(7, 28))) / 29),
    ],
)
def test_masked_area_over_all_places(operation, rows):
    every = [(i + 0.5) / 29 for i in range(29)]
    places = draws(*itertools.product(every, every))
    kept = EVERY[operation](torch.ones(len(places), 1, 28, 28), places)
    assert set(kept.unique().tolist()) == {0.0, 1.0}
    masked = 1 - kept.mean().item()
    assert masked == pytest.approx((rows / 28) ** 2, abs=1e-6)
    published = {"cutout": 0.186, "oversized_cutout": 0.464}[operation]
    assert masked == pytest.approx(published, abs=5e-4)


def test_cutout_masks_one_window():
    # Offset floor(0.5 * 29) = 14: rows 7..20; 0: columns -7..6.
    kept = OPERATIONS["cutout"](torch.ones(1, 3, 28, 28), draws((0.5, 0.0)))
    expected = torch.ones(1, 3, 28, 28)
    expected[..., 7:21, :7] = 0
    torch.testing.assert_close(kept, expected)


def test_flip_mirrors_every_other_time():
    x = images(2, 1, 3, 4)
    flipped = OPERATIONS["flip"](x, draws((0.49,), (0.5,)))
    assert torch.equal(flipped, torch.stack([x[0].flip(2), x[1]]))


def scipy_sample(x, matrix):
    """Resample around the centre with places (row, column) = matrix @ (row, column)."""
    centre = (np.array(x.shape[2:]) - 1) / 2
    offset = centre - matrix @ centre
    return np.array(
        [
            ndimage.affine_transform(
                channel, matrix, offset=offset, order=1, mode="grid-constant", cval=0.0
            )
            for channel in x[0].numpy()
        ]
    )


@pytest.mark.parametrize("shape", [(28, 28), (9, 14)])
@pytest.mark.parametrize("u", [(0.0, 0.99), (0.7, 0.2)])
def test_scale_is_bilinear_with_zeros_outside(shape, u):
    x = images(1, 2, *shape)
    across, down = (1 / 1.2 + (1.2 - 1 / 1.2) * value for value in u)
    given = OPERATIONS["scale"](x, draws(u))[0]
    np.testing.assert_allclose(given, scipy_sample(x, np.diag([down, across])), atol=1e-12)


@pytest.mark.parametrize("shape", [(28, 28), (9, 14)])
@pytest.mark.parametrize("u", [0.0, 0.8])
def test_rotation_is_rigid_in_pixels(shape, u):
    x = images(1, 2, *shape)
    angle = math.radians(15) * (2 * u - 1)
    cos, sin = math.cos(angle), math.sin(angle)
    given = OPERATIONS["rotate"](x, draws((u,)))[0]
    # (x, y) turns into (cos x - sin y, sin x + cos y).
    expected = scipy_sample(x, np.array([[cos, sin], [-sin, cos]]))
    np.testing.assert_allclose(given, expected, atol=1e-12)


@pytest.mark.parametrize("name", EVERY)
def test_gradients_are_those_of_finite_differences(name):
    x = images(2, 3, 6, 7).requires_grad_()
    for n in (1, 2):
        u = images(n, 3)
        assert torch.autograd.gradcheck(lambda x, u=u: EVERY[name](x, u), x)


@pytest.mark.parametrize("name", EVERY)
def test_one_draw_for_all_is_the_same_draw_for_each(name):
    x, u = images(4, 1, 8, 8), images(1, 3)
    torch.testing.assert_close(EVERY[name](x, u), EVERY[name](x, u.expand(4, 3)))


@pytest.mark.parametrize("name", EVERY)
def test_a_draw_an_image_is_that_image_alone(name):
    x, u = images(3, 2, 8, 8), images(3, 3)
    alone = torch.cat([EVERY[name](x[i : i + 1], u[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(EVERY[name](x, u), alone)


def test_one_draw_treats_two_sets_of_images_alike():
    generator = torch.Generator().manual_seed(3)
    x = images(6, 1, 28, 28)
    for _ in range(20):
        transform = Augmentation(list(OPERATIONS)).draw(generator, x)
        torch.testing.assert_close(torch.cat([transform(x[:2]), transform(x[2:])]), transform(x))


def test_operations_are_equally_likely():
    generator = torch.Generator().manual_seed(0)
    augmentation = Augmentation(["flip", "cutout"])
    x, n = torch.arange(1.0, 785.0).reshape(1, 1, 28, 28), 400
    cuts = sum(bool((augmentation.draw(generator, x)(x) == 0).any()) for _ in range(n))
    # Binomial, 4 standard deviations; a cutout always masks something.
    assert abs(cuts - n / 2) < 4 * math.sqrt(n) / 2


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_chooses_among_the_same_operations():
    generator = torch.Generator("cuda").manual_seed(0)
    x = images(2, 1, 28, 28).cuda()
    for name in OPERATIONS:
        state = generator.get_state()
        given = Augmentation([name]).draw(generator, x)(x)
        generator.set_state(state)
        torch.randint(1, (1,), generator=generator, device="cuda")
        u = torch.rand(1, 3, generator=generator, device="cuda", dtype=x.dtype)
        torch.testing.assert_close(given, OPERATIONS[name](x, u))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_draws_on_the_cpu_are_the_same_for_images_on_a_gpu():
    x, augmentation = images(5, 1, 28, 28), Augmentation(list(OPERATIONS))
    on_cpu, on_gpu = (
        [augmentation.draw(generator, y, n=5)(y).cpu() for _ in range(12)]
        for y, generator in ((y, torch.Generator().manual_seed(0)) for y in (x, x.cuda()))
    )
    torch.testing.assert_close(on_gpu, on_cpu)


def test_the_authors_cutout_stands_in_for_cutout_alone():
    x = torch.ones(1, 1, 28, 28)
    areas = []
    for authors in (False, True):
        augmentation = Augmentation(["cutout"], authors_cutout=authors)
        transform = augmentation.draw(torch.Generator().manual_seed(0), x)
        areas.append(transform(x).mean().item())
    assert areas[0] > areas[1]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["crop", "colour"], r"operations\[1\] is 'colour'; did you mean 'color'"),
        ([], "operations is empty; expected some of color, crop"),
    ],
)
def test_operations_that_are_none(names, message):
    with pytest.raises(ValueError, match=message):
        Augmentation(names)
