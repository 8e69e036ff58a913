"""Every registered scheme keeps to the contract, and what breaks it is found."""

import pytest

from wowbench.cli import main
from wowbench.contract.schemes import scheme_checks
from wowbench.parameters import FromRegistry
from wowbench.registry import SCHEMES
from wowbench.schemes.adamw import AdamW
from wowbench.schemes.momentum import Momentum
from wowbench.schemes.polyak import Polyak

EVERY = [
    *(FromRegistry(SCHEMES).build(name) for name in SCHEMES.names()),
    Momentum(lr=0.1, momentum=0),
    AdamW(lr=0.5, weight_decay=1.0),
    Momentum(lr=0.1, decay="linear", average=0.3),
    AdamW(average=0.5),
    Polyak(average=0.9),
]
CHECKS = [
    pytest.param(check, id=f"{scheme!r}: {check.title}")
    for scheme in EVERY
    for check in scheme_checks(scheme)
]


@pytest.mark.parametrize("check", CHECKS)
def test_it_keeps_to_the_contract(check):
    check.run()


class Ascent(Momentum):
    """Nobody (2023)."""

    def step(self, state, grads, parts, value):
        super().step(state, {part: -grad for part, grad in grads.items()}, parts, value)


class Replacing(Momentum):
    """Nobody (2023)."""

    def step(self, state, grads, parts, value):
        state["x"] = state["x"].clone()
        super().step(state, grads, parts, value)


class Greedy(Momentum):
    """Nobody (2023)."""

    def step(self, state, grads, parts, value):
        super().step(state, grads, parts, value)
        grads["x"].zero_()


class Partial(Momentum):
    """Nobody (2023)."""

    def step(self, state, grads, parts, value):
        super().step(state, grads, {"x": parts["x"]}, value)


class Flat(Momentum):
    """Nobody (2023)."""

    def step(self, state, grads, parts, value):
        for part in parts:
            state[part].sub_(grads[part], alpha=self.lr)


class Forgetful(Momentum):
    """Nobody (2023)."""

    def step(self, state, grads, parts, value):
        done = self.__dict__.setdefault("done", 0)
        self.__dict__["done"] = done + 1
        scaled = {part: grad / (1 + done) for part, grad in grads.items()}
        super().step(state, scaled, parts, value)


class Uncited(Momentum):
    """Steps."""


@pytest.mark.parametrize(
    ("cls", "title", "message"),
    [
        (Ascent, "decreases a quadratic", "100 steps take 1/2 mean |x|^2 from"),
        (Replacing, "moves every part in place", "it replaces 'x'; expected an update in place"),
        (Greedy, "moves every part in place", "it changes the gradient of 'x'"),
        (Partial, "moves every part in place", "it does not move the part 'cov'"),
        (Flat, "keeps covariances positive", "leaves covariances with negative eigenvalues"),
        (Forgetful, "keeps its memory in the state", "it leaves another 'x'"),
        (Uncited, "cites its source", "its docstring has no reference"),
    ],
)
def test_what_breaks_it_is_found(cls, title, message):
    (check,) = (check for check in scheme_checks(cls()) if check.title == title)
    assert message in (check.reason() or "")


def test_the_command_line_lists_and_checks_schemes(capsys):
    assert main(["list", "schemes"]) == 0
    assert "momentum  explicit steps" in capsys.readouterr().out
    assert main(["check", "scheme", "{name: adamw, lr: 0.1}"]) == 0
    assert main(["check", "scheme", "adam"]) == 2
    assert "unknown scheme 'adam'; did you mean 'adamw'" in capsys.readouterr().err
