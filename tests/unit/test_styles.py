"""How methods look in figures."""

import math

import pytest

from wowbench.figures.styles import method_styles


@pytest.mark.parametrize("n", [1, 8, 12, 25])
def test_every_method_has_a_colour_of_its_own(n):
    names = [f"m{i}" for i in range(n)]
    styles = method_styles(names + names)
    assert list(styles) == names
    assert len({style.colour for style in styles.values()}) == n


@pytest.mark.parametrize("n", [11, 12, 24, 25, 40])
def test_methods_that_follow_one_another_are_unlike(n):
    colours = [style.colour for style in method_styles(f"m{i}" for i in range(n)).values()]
    assert min(map(math.dist, colours, colours[1:])) > 0.3
