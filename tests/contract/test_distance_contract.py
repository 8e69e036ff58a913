"""Every registered distance keeps to the contract, and what breaks it is found."""

from typing import ClassVar

import pytest
import torch
from third_party import distribute, wowbench

from wowbench.cli import main
from wowbench.contract.distances import distance_checks
from wowbench.distances.base import Distance, Estimate
from wowbench.distances.energy import Energy
from wowbench.distances.sotdd import SlicedOTDD
from wowbench.distances.wow import WoW
from wowbench.distances.wow_sliced import SlicedWoW
from wowbench.parameters import FromRegistry
from wowbench.registry import DISTANCES, KERNELS

PARAMETERS = {
    "mmdsw": [
        {"kernel": name if name == "riesz" else {"name": name, "h": 2.0}}
        for name in KERNELS.names()
    ],
    "otdd": [
        {"inner": "gaussian"},
        {"inner": "exact"},
        {"outer": "sinkhorn", "epsilon": 0.5},
    ],
    "sotdd": [{}, {"rates": (0, 1, 2, 3, 4)}],
    "swbg": [{}, {"dim": 10}],
    "dsw": [{}, {"length": 1}],
}
"""What distances are checked with, beside their defaults."""

EVERY = [
    FromRegistry(DISTANCES).build({"name": name, **values})
    for name in DISTANCES.names()
    for values in PARAMETERS.get(name, [{}])
]
CHECKS = [
    pytest.param(check, id=f"{distance!r}: {check.title}")
    for distance in EVERY
    for check in distance_checks(distance)
]


@pytest.mark.parametrize("check", CHECKS)
def test_it_keeps_to_the_contract(check):
    check.run()


class Offset(Energy):
    """Nobody (2023)."""

    def estimate(self, a, b, generator):
        return Estimate(1 + super().estimate(a, b, generator).value)


class Unbiased(Energy):
    """Nobody (2023)."""

    bias: ClassVar[str] = "it has none"


class OneSided(Energy):
    """Nobody (2023)."""

    def estimate(self, a, b, generator):
        return Estimate(float(a[0].mean() - b[0].mean()) ** 2 * len(a[0]))


class ByPosition(Energy):
    """Nobody (2023)."""

    def estimate(self, a, b, generator):
        return Estimate(float((a[0][0] - b[0][0]).square().sum()))


class Blind(Energy):
    """Nobody (2023)."""

    def estimate(self, a, b, generator):
        return Estimate(0.0)


class EqualSizes(Energy):
    """Nobody (2023)."""

    def estimate(self, a, b, generator):
        return Estimate(float((torch.cat(a) - torch.cat(b)).square().mean()))


class AnyFeatures(Energy):
    """Nobody (2023)."""

    def check(self, sizes_a, sizes_b, shape_a, shape_b):
        pass


class Standardising(Energy):
    """Nobody (2023)."""

    def estimate(self, a, b, generator):
        return super().estimate([x / x.std() for x in a], b, generator)


class InPlace(Energy):
    """Nobody (2023)."""

    def estimate(self, a, b, generator):
        a[0].mul_(2)
        return Estimate(0.0)


class Unseeded(SlicedOTDD):
    """Nobody (2023)."""

    def estimate(self, a, b, generator):
        return super().estimate(a, b, torch.Generator().manual_seed(int(torch.randint(99, ()))))


class Silent(Energy):
    """Nobody (2023)."""

    def estimate(self, a, b, generator):
        return Estimate(float(torch.rand((), generator=generator)))


class Boastful(SlicedWoW):
    """Nobody (2023)."""

    def estimate(self, a, b, generator):
        estimate = super().estimate(a, b, generator)
        return Estimate(estimate.value, estimate.error / self.n_directions**0.5)


class Stubborn(SlicedWoW):
    """Nobody (2023)."""

    def estimate(self, a, b, generator):
        return self.model_copy(update={"n_directions": 8})._eight(a, b, generator)

    def _eight(self, a, b, generator):
        return super().estimate(a, b, generator)


class Undocumented(WoW):
    """Nobody (2023)."""

    taste: float = 1.0


@pytest.mark.parametrize(
    ("distance", "title", "message"),
    [
        (Offset(), "is 0 between a dataset and itself", "is at 1 from itself; expected 0"),
        (Unbiased(), "is 0 between a dataset and itself", "names a bias, and is 0 to itself"),
        (OneSided(), "is symmetric", "and with its arguments exchanged"),
        (ByPosition(), "ignores the order of points and classes", "classes in other order"),
        (Blind(), "tells datasets apart", "datasets that are far apart it is 0"),
        (EqualSizes(), "takes or refuses unlike sizes", "must match the size"),
        (AnyFeatures(), "refuses unlike features", "it takes points of 4 and of 5 features"),
        (Standardising(), "takes constant features", "points are|the result is nan"),
        (InPlace(), "leaves its input alone", "it changes points in place"),
        (Unseeded(), "follows from the generator", "changes the global random state of torch"),
        (Silent(), "reports its error", "draws none, and other seeds give other values"),
        (Boastful(), "reports its error", "with 16 directions its error is .*, and that of"),
        (Stubborn(), "reports its error", "9 times as many directions its error falls by"),
        (Undocumented(), "documents its parameters", "taste is in no docstring"),
    ],
)
def test_what_breaks_it_is_found(distance, title, message):
    (check,) = (check for check in distance_checks(distance) if check.title == title)
    with pytest.raises(Exception, match=message):
        check.run()


def test_the_command_line_lists_and_checks_distances(capsys):
    assert main(["list", "distances"]) == 0
    assert "energy            energy distance 2 E|X-Y|" in capsys.readouterr().out
    assert main(["check", "distance", "energy"]) == 0
    assert "passed: is symmetric" in capsys.readouterr().out
    assert main(["check", "distance", "{name: otdd, inner: lazy}"]) == 2
    assert "otdd: inner: got 'lazy'" in capsys.readouterr().err


def test_a_distance_without_its_methods_is_refused():
    with pytest.raises(Exception, match="does not define estimate"):

        @DISTANCES.register
        class Bare(Distance):
            """Nobody (2023)."""

            name: ClassVar[str] = "bare"
            summary: ClassVar[str] = "nothing"
            stochastic: ClassVar[bool] = False


THIRD = '''
from typing import ClassVar

from wowbench.distances.base import Distance, Estimate


class Means(Distance):
    """Squared distance of the means of all points: Nobody (2023)."""

    name: ClassVar[str] = "means"
    summary: ClassVar[str] = "squared distance of means"
    stochastic: ClassVar[bool] = False

    def estimate(self, a, b, generator):
        import torch

        gap = torch.cat(a).double().mean(0) - torch.cat(b).double().mean(0)
        return Estimate(float(gap.square().sum()))
'''


def test_a_distance_of_another_distribution_is_listed_and_checked(tmp_path):
    folder = tmp_path / "d"
    distribute(folder, "third", {"third": THIRD}, {}, distances={"means": "third:Means"})
    listed = wowbench("list", "distances", path=[folder])
    assert "means             squared distance of means" in listed.stdout
    checked = wowbench("check", "distance", "means", path=[folder])
    assert (checked.returncode, checked.stderr) == (0, ""), checked.stdout
