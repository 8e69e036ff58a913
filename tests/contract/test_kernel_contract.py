"""Every registered kernel keeps to the contract, and what breaks it is found."""

from typing import ClassVar

import pytest

from wowbench.cli import main
from wowbench.contract.kernels import kernel_checks
from wowbench.kernels.base import Kernel
from wowbench.kernels.gaussian import Gaussian
from wowbench.kernels.imq import InverseMultiquadric
from wowbench.kernels.riesz import Riesz
from wowbench.parameters import FromRegistry
from wowbench.registry import KERNELS

PARAMETERS = {"riesz": [{}, {"r": 0.5}, {"r": 1.9}]}
"""What each kernel is checked with; a bandwidth, unless it is named here."""

EVERY = [
    FromRegistry(KERNELS).build({"name": name, **values})
    for name in KERNELS.names()
    for values in PARAMETERS.get(name, [{"h": 0.05}, {"h": 3.0}])
]
CHECKS = [
    pytest.param(check, id=f"{kernel!r}: {check.title}")
    for kernel in EVERY
    for check in kernel_checks(kernel)
]


@pytest.mark.parametrize("check", CHECKS)
def test_it_keeps_to_the_contract(check):
    check.run()


class WrongSlope(Gaussian):
    """Nobody (2023)."""

    def derivative(self, cost):
        return 2 * super().derivative(cost)


class InfiniteAtZero(Riesz):
    """Nobody (2023)."""

    def derivative(self, cost):
        return (-self.r / 2) * cost ** (self.r / 2 - 1)


class Indefinite(InverseMultiquadric):
    """Nobody (2023)."""

    def value(self, cost):
        return -super().value(cost)

    def derivative(self, cost):
        return -super().derivative(cost)


class Cubic(Riesz):
    """Nobody (2023)."""

    p: ClassVar[int] = 3


class Scalar(Riesz):
    """Nobody (2023)."""

    def value(self, cost):
        return super().value(cost).double()


class Undocumented(Riesz):
    """Nobody (2023)."""

    taste: float = 1.0


@pytest.mark.parametrize(
    ("kernel", "title", "message"),
    [
        (WrongSlope(h=1), "has the derivative of its value", "expected -0.*, that of its value"),
        (InfiniteAtZero(), "is finite at zero", "its derivative at cost 0 is -inf"),
        (
            Indefinite(h=1),
            "is conditionally positive definite if it says so",
            "has the eigenvalue -.*; expected none below 0",
        ),
        (Cubic(), "is a function of a known cost", "p is 3; expected 1 or 2"),
        (Scalar(), "keeps shape and dtype", r"value of torch.float32 \(2, 3\) is torch.float64"),
        (Undocumented(), "documents its parameters", "taste is in no docstring"),
    ],
)
def test_what_breaks_it_is_found(kernel, title, message):
    (check,) = (check for check in kernel_checks(kernel) if check.title == title)
    with pytest.raises(Exception, match=message):
        check.run()


def test_a_kernel_that_claims_nothing_may_be_indefinite():
    class Honest(Indefinite):
        """Nobody (2023)."""

        conditionally_positive_definite: ClassVar[bool] = False

    (check,) = (c for c in kernel_checks(Honest(h=1)) if "positive definite" in c.title)
    assert check.reason() is None


def test_the_command_line_lists_and_checks_kernels(capsys):
    assert main(["list", "kernels"]) == 0
    assert "imq       K = (h + SW_2^2)^(-1/2)" in capsys.readouterr().out
    assert main(["check", "kernel", "riesz"]) == 0
    assert main(["check", "kernel", "{name: gaussian, h: 0.05}"]) == 0
    assert main(["check", "kernel", "gaussian"]) == 2
    assert "gaussian: h: this key is required and missing" in capsys.readouterr().err


def test_a_kernel_without_its_methods_is_refused():
    with pytest.raises(Exception, match="does not define derivative, value"):

        @KERNELS.register
        class Bare(Kernel):
            """Nobody (2023)."""

            name: ClassVar[str] = "bare"
            summary: ClassVar[str] = "nothing"
            p: ClassVar[int] = 2
