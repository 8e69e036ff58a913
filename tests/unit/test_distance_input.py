"""What distances refuse, in one line; and that a device changes nothing but rounding."""

import math

import pytest
import torch

from wowbench.distances.base import Distance
from wowbench.distances.energy import Energy
from wowbench.distances.mmdsw import MMDSW
from wowbench.distances.otdd import OTDD
from wowbench.distances.sinkhorn_matched import SinkhornMatched
from wowbench.distances.sotdd import SlicedOTDD
from wowbench.distances.swbg import SlicedBusemannGaussian
from wowbench.distances.wow import WoW
from wowbench.errors import InputError
from wowbench.registry import DISTANCES


def seeded():
    return torch.Generator().manual_seed(0)


def dataset(sizes, seed, d=4):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(n, d, generator=generator, dtype=torch.float64) for n in sizes]


EQUAL = dataset((6, 6, 6), 1)


@pytest.mark.parametrize(
    ("distance", "a", "b", "message"),
    [
        (
            OTDD(),
            dataset((3, 1), 1),
            EQUAL,
            "^distance 'otdd': class 1 of the first dataset has 1 point; expected at least 2$",
        ),
        (
            SinkhornMatched(),
            EQUAL,
            EQUAL[:2],
            "^distance 'sinkhorn_matched': the second dataset has 2 classes; expected 3, as many",
        ),
        (
            WoW(),
            EQUAL,
            dataset((3, 3), 1, d=5),
            r"^distance 'wow': points of the second dataset have shape \(5,\); expected \(4,\)",
        ),
        (
            SlicedBusemannGaussian(dim=5),
            EQUAL,
            EQUAL,
            "^distance 'swbg': points have 4 features; expected at least 5$",
        ),
        (Energy(), EQUAL, [], "^distance 'energy': the second dataset has no class; expected"),
        (Energy(), [EQUAL[0], EQUAL[1][:0]], EQUAL, "class 1 of the first dataset has 0 points"),
        (
            Energy(),
            [EQUAL[0], EQUAL[1] * math.nan],
            EQUAL,
            r"^distance 'energy': a\[1, 0, 0\] is nan; expected finite values",
        ),
        (
            SlicedOTDD(),
            [1e30 * x.float() for x in EQUAL],
            [1e29 * x.float() for x in EQUAL],
            "^distance 'sotdd': the result is (nan|inf); expected features of order 1$",
        ),
    ],
)
def test_bad_input_is_one_line(distance: Distance, a, b, message):
    with pytest.raises(InputError, match=message) as refusal:
        distance.measure(a, b, seeded())
    assert "\n" not in str(refusal.value)


def test_shapes_are_named_before_points_are_read():
    with pytest.raises(InputError, match=r"shape \(3, 32, 32\); expected \(1, 28, 28\)"):
        WoW().check((4, 4), (4, 4), (1, 28, 28), (3, 32, 32))


@pytest.mark.parametrize(
    ("cls", "values", "message"),
    [
        (SlicedOTDD, {"n_directions": 1}, "n_directions: got 1"),
        (SlicedOTDD, {"rates": ()}, "rates: got"),
        (SlicedOTDD, {"rates": (-1,)}, r"rates\[0\]: got -1"),
        (OTDD, {"epsilon": 0}, "epsilon: got 0"),
        (MMDSW, {"kernel": "riesc"}, "did you mean 'riesz'"),
    ],
)
def test_bad_parameters_are_one_line(cls, values, message):
    with pytest.raises(InputError, match=message):
        cls(**values)


def test_a_generator_elsewhere_is_refused():
    a = b = [x.to("meta") for x in EQUAL]
    with pytest.raises(
        InputError, match="the generator is on cpu; expected meta, where points are"
    ):
        WoW().measure(a, b, seeded())


@pytest.mark.gpu
@pytest.mark.parametrize("name", DISTANCES.names())
def test_a_device_gives_the_same_within_the_error(name):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    distance, (a, b) = DISTANCES.get(name)(), (dataset((9, 9, 9), s) for s in (1, 2))
    here = distance.measure(a, b, seeded())
    there = distance.measure(
        [x.cuda() for x in a], [x.cuda() for x in b], torch.Generator("cuda").manual_seed(0)
    )
    errors = math.hypot(here.error or 0, there.error or 0)
    assert there.value == pytest.approx(here.value, rel=1e-6, abs=5 * errors)
